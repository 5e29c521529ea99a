/** Reads flake.nix with the evaluator: literals only, nothing is called. */
import { FirnError } from "@firn/formats";
import type { EvaluatorClient } from "../evaluator/client.ts";
import type { Handle } from "../evaluator/protocol.ts";
import type { FlakeFile, FlakeReader, Literal } from "./flake-source.ts";

const allowed = new Set(["description", "inputs", "outputs", "nixConfig"]);
const maxDepth = 32;

/** A reader over an evaluator session. */
export function makeFlakeReader(client: EvaluatorClient): FlakeReader {
  return {
    async readFlakeFile(file, shown): Promise<FlakeFile> {
      await client.request({ op: "allowPath", path: treeOf(file) });
      const root = await client.request({ op: "evaluate", source: { kind: "file", path: file }, literalSet: true });
      const names = (await client.request({ op: "attrNames", value: root })) ?? [];
      const outputs = await client.request({ op: "attribute", value: root, name: "outputs" });
      if (outputs === null) throw new FirnError("bad-flake", `flake '${shown}' lacks attribute 'outputs'`);
      for (const name of names) {
        if (!allowed.has(name))
          throw new FirnError("bad-flake", `flake '${shown}' has an unsupported attribute '${name}'`);
      }
      const kind = await client.request({ op: "kind", value: outputs });
      if (kind !== "lambda") throw new FirnError("bad-flake", `expected a function but got ${described(kind)}`);
      const formals = await client.request({ op: "formals", value: outputs });
      const section = async (name: string): Promise<Literal | undefined> => {
        const handle = await client.request({ op: "attribute", value: root, name });
        return handle === null ? undefined : literal(client, handle, 0);
      };
      const description = await section("description");
      if (description !== undefined && description.kind !== "string") {
        throw new FirnError("bad-flake", "expected a string for the description of a flake");
      }
      return {
        description: description?.text,
        inputs: attributesOf(await section("inputs"), "inputs"),
        outputArguments: formals === null ? [] : Object.keys(formals),
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

async function literal(client: EvaluatorClient, value: Handle, depth: number): Promise<Literal> {
  if (depth > maxDepth) throw new FirnError("bad-flake", "the inputs of a flake are nested too deeply");
  const kind = await client.request({ op: "kind", value });
  switch (kind) {
    case "string":
      return { kind: "string", text: (await client.request({ op: "string", value })).text };
    case "path":
      return { kind: "path", path: await client.request({ op: "print", value, form: { kind: "nix" } }) };
    case "int":
      return { kind: "int", value: BigInt(await client.request({ op: "print", value, form: { kind: "nix" } })) };
    case "bool":
      return { kind: "bool", value: (await client.request({ op: "print", value, form: { kind: "nix" } })) === "true" };
    case "list": {
      const items: Literal[] = [];
      const length = (await client.request({ op: "length", value })) ?? 0;
      for (let index = 0; index < length; index++) {
        items.push(await literal(client, await client.request({ op: "element", value, index }), depth + 1));
      }
      return { kind: "list", items };
    }
    case "set":
    case "derivation": {
      const attributes = new Map<string, Literal>();
      for (const name of (await client.request({ op: "attrNames", value })) ?? []) {
        const handle = await client.request({ op: "attribute", value, name });
        if (handle !== null) attributes.set(name, await literal(client, handle, depth + 1));
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
