/** Reads the value of a flake.nix: literals only, nothing is called. */
import { FirnError } from "@firn/formats";
import type { OutputForm } from "@firn/language";
import { expectSet, expectString, type FlakeFile, type Literal } from "./flake-file.ts";
import { type AttributePath, FlakeMistake } from "./flake-mistake.ts";

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

/** The attributes of a flake.nix, which are literals. */
export const literalSections = ["description", "inputs", "outputs", "nixConfig"];
const maxDepth = 32;

/**
 * Reads the value of a flake.nix; `shown` is the flake's reference for errors, `computed` are the paths of what is no literal, which is not
 * evaluated. Fails with `bad-flake` when it is none.
 */
export async function readFlakeValue(
  root: FlakeValue,
  shown: string,
  computed: readonly AttributePath[],
): Promise<FlakeFile> {
  const reading: Reading = { computed: new Set(computed.map((path) => path.join("\0"))) };
  const names = (await root.attributeNames()) ?? [];
  const outputs = await root.attribute("outputs");
  if (outputs === undefined) throw new FirnError("bad-flake", `flake '${shown}' lacks attribute 'outputs'`);
  for (const name of names) {
    if (!literalSections.includes(name))
      throw new FlakeMistake(`flake '${shown}' has an unsupported attribute '${name}'`, { at: [name], joint: ", at " });
  }
  const kind = reading.computed.has("outputs") ? "thunk" : await outputs.kind();
  if (kind !== "lambda") throw new FlakeMistake(`expected a function but got ${described(kind)}`, { at: ["outputs"] });
  const formals = await outputs.formals();
  const section = async (name: string): Promise<Literal | undefined> => {
    const handle = await root.attribute(name);
    return handle === undefined ? undefined : literal(handle, [name], reading);
  };
  const description = await section("description");
  return {
    description: description === undefined ? undefined : expectString(description, ["description"]),
    inputs: attributesOf(await section("inputs"), "inputs"),
    outputArguments: formals === undefined ? [] : Object.keys(formals),
    nixConfig: attributesOf(await section("nixConfig"), "nixConfig"),
  };
}

function attributesOf(value: Literal | undefined, name: string): ReadonlyMap<string, Literal> {
  return value === undefined ? new Map() : expectSet(value, [name]);
}

interface Reading {
  readonly computed: ReadonlySet<string>;
}

async function literal(value: FlakeValue, path: AttributePath, reading: Reading): Promise<Literal> {
  if (reading.computed.has(path.join("\0"))) return { kind: "other", type: "a thunk" };
  if (path.length > maxDepth) throw new FirnError("bad-flake", "the inputs of a flake are nested too deeply");
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
      for (const [index, element] of (await value.elements()).entries())
        items.push(await literal(element, [...path, String(index)], reading));
      return { kind: "list", items };
    }
    case "set":
    case "derivation": {
      const attributes = new Map<string, Literal>();
      for (const name of (await value.attributeNames()) ?? []) {
        const handle = await value.attribute(name);
        if (handle !== undefined) attributes.set(name, await literal(handle, [...path, name], reading));
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
