/** Derivations as JSON version 4, the form of `nix derivation show` and `nix derivation add`. Store paths appear as base names. */
import { compareByteStrings } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { parseHashAlgorithm } from "../hash/algorithm.ts";
import { parseHash, printHash } from "../hash/hash.ts";
import { parseContentAddressMethod } from "../store-path/content-address.ts";
import { checkStorePathBaseName, defaultStoreDir, storePathBaseName } from "../store-path/name.ts";
import { isJsonNumber, isJsonObject, type JsonValue, jsonNumber, parseJson, printJson } from "../text/json.ts";
import type { Derivation, DerivationInput, DerivationOutput } from "./derivation.ts";

const VERSION = 4;
/** The environment variable that carries structured attributes in the file. */
export const structuredAttrsVariable = "__json";

function outputToJson(output: DerivationOutput): JsonValue {
  switch (output.kind) {
    case "input-addressed":
      return new Map([["path", storePathBaseName(output.path)]]);
    case "fixed":
      return new Map([
        ["hash", printHash(output.address.hash, "sri")],
        ["method", output.address.method],
      ]);
    case "floating":
      return new Map([
        ["hashAlgo", output.algorithm],
        ["method", output.method],
      ]);
    case "deferred":
      return new Map();
    case "impure":
      return new Map<string, JsonValue>([
        ["hashAlgo", output.algorithm],
        ["impure", true],
        ["method", output.method],
      ]);
  }
}

function inputToJson(input: DerivationInput): JsonValue {
  const dynamic = new Map<string, JsonValue>();
  for (const [name, child] of input.dynamic ?? []) dynamic.set(name, inputToJson(child));
  return new Map<string, JsonValue>([
    ["dynamicOutputs", dynamic],
    ["outputs", [...input.outputs].sort(compareByteStrings)],
  ]);
}

function mapValues<T>(map: ReadonlyMap<string, T>, convert: (value: T) => JsonValue): Map<string, JsonValue> {
  return new Map([...map].map(([key, value]) => [key, convert(value)]));
}

/** The JSON value of a derivation. */
export function derivationToJson(derivation: Derivation): JsonValue {
  const env = new Map(derivation.env);
  const structured = env.get(structuredAttrsVariable);
  env.delete(structuredAttrsVariable);
  const drvs = [...derivation.inputDrvs].map(([path, input]) => [storePathBaseName(path), inputToJson(input)] as const);
  const members: [string, JsonValue][] = [
    ["args", derivation.args],
    ["builder", derivation.builder],
    ["env", env],
    [
      "inputs",
      new Map<string, JsonValue>([
        ["drvs", new Map(drvs)],
        ["srcs", derivation.inputSrcs.map(storePathBaseName).sort(compareByteStrings)],
      ]),
    ],
    ["name", derivation.name],
    ["outputs", mapValues(derivation.outputs, outputToJson)],
    ["system", derivation.system],
    ["version", jsonNumber(VERSION)],
  ];
  if (structured !== undefined) members.push(["structuredAttrs", parseJson(structured)]);
  return new Map(members);
}

function bad(message: string): FirnError {
  return new FirnError("bad-derivation", message);
}

type Members = ReadonlyMap<string, JsonValue>;

function object(value: JsonValue | undefined, what: string): Members {
  if (isJsonObject(value)) return value;
  throw bad(`Expected JSON value to be of type 'object' for ${what}`);
}

function string(value: JsonValue | undefined, what: string): string {
  if (typeof value === "string") return withoutNull(value, what);
  throw bad(`Expected JSON value to be of type 'string' for ${what}`);
}

function withoutNull(text: string, what: string): string {
  if (!text.includes("\0")) return text;
  throw bad(`the string '${text.replaceAll("\0", "␀")}' for ${what} contains a null byte`);
}

function strings(value: JsonValue | undefined, what: string): string[] {
  if (!Array.isArray(value)) throw bad(`Expected JSON value to be of type 'array' for ${what}`);
  return value.map((item: JsonValue) => string(item, what));
}

function pathIn(baseName: string, storeDir: string): string {
  checkStorePathBaseName(baseName);
  return `${storeDir}/${baseName}`;
}

function outputFromJson(value: JsonValue, storeDir: string): DerivationOutput {
  const members = object(value, "an output");
  const keys = [...members.keys()].sort().join(" ");
  const method = () => parseContentAddressMethod(string(members.get("method"), "method"));
  const algorithm = () => parseHashAlgorithm(string(members.get("hashAlgo"), "hashAlgo"));
  switch (keys) {
    case "":
      return { kind: "deferred" };
    case "path":
      return { kind: "input-addressed", path: pathIn(string(members.get("path"), "path"), storeDir) };
    case "hash method":
      return { kind: "fixed", address: { method: method(), hash: parseHash(string(members.get("hash"), "hash")) } };
    case "hashAlgo method":
      return { kind: "floating", method: method(), algorithm: algorithm() };
    case "hashAlgo impure method":
      return { kind: "impure", method: method(), algorithm: algorithm() };
    default:
      throw bad("invalid JSON for derivation output");
  }
}

function inputFromJson(value: JsonValue): DerivationInput {
  const members = object(value, "an input derivation");
  const outputs = strings(members.get("outputs"), "outputs").sort(compareByteStrings);
  const dynamic = new Map<string, DerivationInput>();
  for (const [name, child] of object(members.get("dynamicOutputs"), "dynamicOutputs")) {
    dynamic.set(withoutNull(name, "dynamicOutputs"), inputFromJson(child));
  }
  return dynamic.size === 0 ? { outputs } : { outputs, dynamic };
}

/** Reads the JSON value of a derivation (not yet checked against its inputs); error `bad-derivation` and those of paths and hashes. */
export function derivationFromJson(value: JsonValue, storeDir: string = defaultStoreDir): Derivation {
  const members = object(value, "a derivation");
  const version = members.get("version");
  if (!isJsonNumber(version) || version.number !== String(VERSION)) {
    const found = isJsonNumber(version) ? version.number : "unknown";
    throw bad(
      `Unsupported derivation JSON format version ${found}, only format version ${VERSION} is currently supported.`,
    );
  }
  const inputs = object(members.get("inputs"), "inputs");
  const outputs = new Map<string, DerivationOutput>();
  for (const [name, item] of object(members.get("outputs"), "outputs"))
    outputs.set(withoutNull(name, "the name of an output"), outputFromJson(item, storeDir));
  const inputDrvs = new Map<string, DerivationInput>();
  for (const [name, item] of object(inputs.get("drvs"), "drvs"))
    inputDrvs.set(pathIn(name, storeDir), inputFromJson(item));
  const env = new Map<string, string>();
  for (const [name, item] of object(members.get("env"), "env")) env.set(withoutNull(name, "env"), string(item, "env"));
  const structured = members.get("structuredAttrs");
  if (structured !== undefined) env.set(structuredAttrsVariable, printJson(object(structured, "structuredAttrs")));
  return {
    name: string(members.get("name"), "name"),
    outputs,
    inputDrvs,
    inputSrcs: strings(inputs.get("srcs"), "srcs")
      .map((name) => pathIn(name, storeDir))
      .sort(compareByteStrings),
    system: string(members.get("system"), "system"),
    builder: string(members.get("builder"), "builder"),
    args: strings(members.get("args"), "args"),
    env,
  };
}
