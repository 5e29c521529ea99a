/** Reads the value of a flake.nix: literals only, nothing is called. */
import { FirnError } from "@firn/formats";
import type { OutputForm } from "@firn/language";
import type { FlakeFile, Literal } from "./flake-file.ts";

/** A value of the language with the methods that reading a flake.nix needs; the evaluator's own `ValueRef` is one. */
export interface FlakeValue {
  kind(): Promise<string>;
  attribute(name: string): Promise<FlakeValue | undefined>;
  attributeNames(): Promise<readonly string[] | undefined>;
  elements(): Promise<readonly FlakeValue[]>;
  formals(): Promise<Readonly<Record<string, boolean>> | undefined>;
  string(): Promise<{ readonly text: string }>;
  print(form: OutputForm): Promise<string>;
}

const allowed = new Set(["description", "inputs", "outputs", "nixConfig"]);
const maxDepth = 32;

/** Reads the value of a flake.nix; `shown` is the flake's reference for errors. Fails with `bad-flake` when it is none. */
export async function readFlakeValue(root: FlakeValue, shown: string): Promise<FlakeFile> {
  const names = (await root.attributeNames()) ?? [];
  const outputs = await root.attribute("outputs");
  if (outputs === undefined) throw new FirnError("bad-flake", `flake '${shown}' lacks attribute 'outputs'`);
  for (const name of names) {
    if (!allowed.has(name)) throw new FirnError("bad-flake", `flake '${shown}' has an unsupported attribute '${name}'`);
  }
  const kind = await outputs.kind();
  if (kind !== "lambda") throw new FirnError("bad-flake", `expected a function but got ${described(kind)}`);
  const formals = await outputs.formals();
  const section = async (name: string): Promise<Literal | undefined> => {
    const handle = await root.attribute(name);
    return handle === undefined ? undefined : literal(handle, 0);
  };
  const description = await section("description");
  if (description !== undefined && description.kind !== "string") {
    throw new FirnError("bad-flake", "expected a string for the description of a flake");
  }
  return {
    description: description?.text,
    inputs: attributesOf(await section("inputs"), "inputs"),
    outputArguments: formals === undefined ? [] : Object.keys(formals),
    nixConfig: attributesOf(await section("nixConfig"), "nixConfig"),
  };
}

function attributesOf(value: Literal | undefined, name: string): ReadonlyMap<string, Literal> {
  if (value === undefined) return new Map();
  if (value.kind !== "set") throw new FirnError("bad-flake", `expected a set for '${name}' of a flake`);
  return value.attributes;
}

async function literal(value: FlakeValue, depth: number): Promise<Literal> {
  if (depth > maxDepth) throw new FirnError("bad-flake", "the inputs of a flake are nested too deeply");
  const kind = await value.kind();
  switch (kind) {
    case "string":
      return { kind: "string", text: (await value.string()).text };
    case "path":
      return { kind: "path", path: await value.print({ kind: "nix" }) };
    case "int":
      return { kind: "int", value: BigInt(await value.print({ kind: "nix" })) };
    case "bool":
      return { kind: "bool", value: (await value.print({ kind: "nix" })) === "true" };
    case "list": {
      const items: Literal[] = [];
      for (const element of await value.elements()) items.push(await literal(element, depth + 1));
      return { kind: "list", items };
    }
    case "set":
    case "derivation": {
      const attributes = new Map<string, Literal>();
      for (const name of (await value.attributeNames()) ?? []) {
        const handle = await value.attribute(name);
        if (handle !== undefined) attributes.set(name, await literal(handle, depth + 1));
      }
      return { kind: "set", attributes };
    }
    default:
      return { kind: "other", type: described(kind) };
  }
}

function described(kind: string): string {
  if (kind === "int") return "an integer";
  if (kind === "bool") return "a Boolean";
  if (kind === "lambda") return "a function";
  if (kind === "null") return "null";
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
