/** Reads flake.nix with the evaluator: literals only, nothing is called. */
import { FirnError } from "@firn/formats";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { ValueRef } from "../evaluator/value-ref.ts";
import type { FlakeFile, FlakeReader, Literal } from "./flake-source.ts";

const allowed = new Set(["description", "inputs", "outputs", "nixConfig"]);
const maxDepth = 32;

/** A reader over an evaluator session. */
export function makeFlakeReader(evaluator: Evaluator): FlakeReader {
  return {
    async readFlakeFile(file, shown): Promise<FlakeFile> {
      await evaluator.allowPath(treeOf(file));
      const root = await evaluator.evaluate({ kind: "file", path: file }, { literalSet: true });
      const names = (await root.attributeNames()) ?? [];
      const outputs = await root.attribute("outputs");
      if (outputs === undefined) throw new FirnError("bad-flake", `flake '${shown}' lacks attribute 'outputs'`);
      for (const name of names) {
        if (!allowed.has(name))
          throw new FirnError("bad-flake", `flake '${shown}' has an unsupported attribute '${name}'`);
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
    },
  };
}

/** The store path that a file of a fetched tree is in. */
function treeOf(file: string): string {
  return /^.*?\/[0-9a-z]{32}-[^/]+/.exec(file)?.[0] ?? file;
}

function attributesOf(value: Literal | undefined, name: string): ReadonlyMap<string, Literal> {
  if (value === undefined) return new Map();
  if (value.kind !== "set") throw new FirnError("bad-flake", `expected a set for '${name}' of a flake`);
  return value.attributes;
}

async function literal(value: ValueRef, depth: number): Promise<Literal> {
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
  if (kind === "lambda") return "a function";
  if (kind === "null") return "null";
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
