/** Derivations as JSON version 4, the form of `nix derivation show` and `nix derivation add`. Store paths appear as base names. */
import { compareByteStrings } from "../base/bytes.ts";
import { FirnError, traced } from "../base/error.ts";
import { parseHashAlgorithm } from "../hash/algorithm.ts";
import { parseHash, printHash } from "../hash/hash.ts";
import { parseContentAddressMethod } from "../store-path/content-address.ts";
import { checkStorePathBaseName, defaultStoreDir, storePathBaseName } from "../store-path/name.ts";
import {
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  jsonNumber,
  jsonTypeOf,
  parseJson,
  printJson,
} from "../text/json.ts";
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

function ofType(type: string, value: JsonValue): FirnError {
  const shown = printJson(value);
  return bad(`Expected JSON value to be of type '${type}' but it is of type '${jsonTypeOf(value)}': ${shown}`);
}

function member(members: Members, key: string): JsonValue {
  const value = members.get(key);
  if (value !== undefined) return value;
  throw bad(`Expected JSON object to contain key '${key}' but it doesn't: ${printJson(members)}`);
}

function object(value: JsonValue): Members {
  if (isJsonObject(value)) return value;
  throw ofType("object", value);
}

function string(value: JsonValue, what: string): string {
  if (typeof value === "string") return withoutNull(value, what);
  throw ofType("string", value);
}

/** Returns what `read` does; an error of it tells the key that was read. */
function reading<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw traced(error, `while reading key '${key}'`);
  }
}

function withoutNull(text: string, what: string): string {
  if (!text.includes("\0")) return text;
  throw bad(`the string '${text.replaceAll("\0", "␀")}' for ${what} contains a null byte`);
}

function strings(value: JsonValue, what: string): string[] {
  if (!Array.isArray(value)) throw ofType("array", value);
  return value.map((item: JsonValue) => string(item, what));
}

function pathIn(baseName: string, storeDir: string): string {
  checkStorePathBaseName(baseName);
  return `${storeDir}/${baseName}`;
}

function outputFromJson(value: JsonValue, storeDir: string): DerivationOutput {
  const members = object(value);
  const keys = [...members.keys()].sort().join(" ");
  const method = () => parseContentAddressMethod(string(member(members, "method"), "method"));
  const algorithm = () => parseHashAlgorithm(string(member(members, "hashAlgo"), "hashAlgo"));
  switch (keys) {
    case "":
      return { kind: "deferred" };
    case "path":
      return { kind: "input-addressed", path: pathIn(string(member(members, "path"), "path"), storeDir) };
    case "hash method":
      return { kind: "fixed", address: { method: method(), hash: parseHash(string(member(members, "hash"), "hash")) } };
    case "hashAlgo method":
      return { kind: "floating", method: method(), algorithm: algorithm() };
    case "hashAlgo impure method":
      return { kind: "impure", method: method(), algorithm: algorithm() };
    default:
      throw bad("invalid JSON for derivation output");
  }
}

function inputFromJson(value: JsonValue): DerivationInput {
  const members = object(value);
  const outputs = strings(member(members, "outputs"), "outputs").sort(compareByteStrings);
  const dynamic = new Map<string, DerivationInput>();
  for (const [name, child] of object(member(members, "dynamicOutputs"))) {
    dynamic.set(withoutNull(name, "dynamicOutputs"), inputFromJson(child));
  }
  return dynamic.size === 0 ? { outputs } : { outputs, dynamic };
}

/** Reads the JSON value of a derivation (not yet checked against its inputs); error `bad-derivation` and those of paths and hashes. */
export function derivationFromJson(value: JsonValue, storeDir: string = defaultStoreDir): Derivation {
  const members = object(value);
  const name = string(member(members, "name"), "name");
  requireVersion(member(members, "version"));
  const outputs = reading("outputs", () => {
    const found = new Map<string, DerivationOutput>();
    for (const [output, item] of object(member(members, "outputs")))
      found.set(withoutNull(output, "the name of an output"), outputFromJson(item, storeDir));
    return found;
  });
  const inputs = reading("inputs", () => inputsFromJson(object(member(members, "inputs")), storeDir));
  const system = string(member(members, "system"), "system");
  const builder = string(member(members, "builder"), "builder");
  const args = strings(member(members, "args"), "args");
  const env = reading("env", () => {
    const found = new Map<string, string>();
    for (const [variable, item] of object(member(members, "env")))
      found.set(withoutNull(variable, "env"), string(item, "env"));
    return found;
  });
  const structured = members.get("structuredAttrs");
  if (structured !== undefined) env.set(structuredAttrsVariable, printJson(object(structured)));
  return { name, outputs, ...inputs, system, builder, args, env };
}

function requireVersion(version: JsonValue): void {
  if (!isJsonNumber(version) || !/^[0-9]+$/.test(version.number)) {
    const type = isJsonNumber(version)
      ? /^-?[0-9]+$/.test(version.number)
        ? "signed integral number"
        : "floating point number"
      : jsonTypeOf(version);
    throw bad(
      `Expected JSON value to be an unsigned integral number but it is of type '${type}': ${printJson(version)}`,
    );
  }
  if (version.number === String(VERSION)) return;
  throw bad(
    `Unsupported derivation JSON format version ${version.number}, only format version ${VERSION} is currently supported.`,
  );
}

function inputsFromJson(inputs: Members, storeDir: string): Pick<Derivation, "inputDrvs" | "inputSrcs"> {
  const inputSrcs = reading("srcs", () =>
    strings(member(inputs, "srcs"), "srcs")
      .map((name) => pathIn(name, storeDir))
      .sort(compareByteStrings),
  );
  const inputDrvs = reading("drvs", () => {
    const found = new Map<string, DerivationInput>();
    for (const [name, item] of object(member(inputs, "drvs"))) found.set(pathIn(name, storeDir), inputFromJson(item));
    return found;
  });
  return { inputDrvs, inputSrcs };
}
