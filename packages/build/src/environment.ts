/** The environment and the extra files that a builder finds. */

import os from "node:os";
import {
  type Derivation,
  derivationKind,
  derivationOutputPath,
  digestOf,
  FirnError,
  hashPlaceholder,
  isDerivationPath,
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  jsonNumber,
  type PathInfo,
  printHash,
  printJson,
  structuredAttrsVariable,
  toNix32,
} from "@firn/formats";
import { computeClosure, type PathFacts, requirePathInfo, type Settings, type StoreFiles } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import type { BuildOptions } from "./options.ts";

/** Result of `prepareEnvironment`: variables, and files by name in the build directory. */
export interface BuilderEnvironment {
  readonly variables: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string>;
}

/** Facts besides the derivation that the environment depends on. */
export interface EnvironmentContext {
  readonly store: PathFacts & StoreFiles;
  readonly settings: Settings;
  readonly options: BuildOptions;
  /** Valid paths that the build may use. */
  readonly inputPaths: ReadonlySet<string>;
  /** The build directory as the builder sees it. */
  readonly buildDir: string;
  readonly homeDir: string;
}

/** Makes variables and files; placeholders of the derivation's own outputs are left to be rewritten later. */
export async function prepareEnvironment(
  derivation: Derivation,
  context: EnvironmentContext,
): Promise<BuilderEnvironment> {
  const { settings, options, buildDir } = context;
  const files = new Map<string, string>();
  const cores = settings.get("cores");
  const variables = new Map<string, string>([
    ["PATH", "/path-not-set"],
    ["HOME", context.homeDir],
    ["NIX_STORE", context.store.storeDir],
    ["NIX_BUILD_CORES", String(cores === 0 ? os.availableParallelism() : cores)],
  ]);
  if (options.structured !== undefined) {
    const json = await structuredJson(derivation, options.structured, context);
    files.set(".attrs.sh", structuredShell(json));
    files.set(".attrs.json", printJson(json));
    variables.set("NIX_ATTRS_SH_FILE", `${buildDir}/.attrs.sh`);
    variables.set("NIX_ATTRS_JSON_FILE", `${buildDir}/.attrs.json`);
  } else {
    for (const [name, value] of derivation.env) {
      if (name === structuredAttrsVariable) continue;
      if (options.passAsFile.has(name)) {
        const file = `.attr-${toNix32(digestOf("sha256", name))}`;
        files.set(file, value);
        variables.set(`${name}Path`, `${buildDir}/${file}`);
      } else variables.set(name, value);
    }
    for (const [name, roots] of options.exportReferencesGraph) {
      files.set(name, await validityRegistration(context, roots));
    }
  }
  variables.set("NIX_BUILD_TOP", buildDir);
  for (const name of ["TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"]) variables.set(name, buildDir);
  const kind = derivationKind(derivation);
  if (kind === "fixed") variables.set("NIX_OUTPUT_CHECKED", "1");
  if (kind === "fixed" || kind === "impure") {
    const given = settings.get("impure-env");
    for (const name of options.impureEnvVars) variables.set(name, given.get(name) ?? processEnvironment()[name] ?? "");
  }
  variables.set("NIX_LOG_FD", "2");
  variables.set("TERM", "xterm-256color");
  return { variables, files };
}

async function exportedClosure(context: EnvironmentContext, roots: readonly string[]): Promise<string[]> {
  for (const root of roots) {
    if (!context.inputPaths.has(root)) {
      throw new FirnError(
        "bad-attribute",
        `cannot export references of path '${root}' because it is not in the input closure of the derivation`,
      );
    }
  }
  const paths = new Set(await computeClosure(context.store, roots));
  // With a derivation come its outputs, which the builder of an installation medium needs.
  for (const path of [...paths].filter(isDerivationPath)) {
    const derivation = context.store.readDerivation(path);
    const outputs: string[] = [];
    for (const name of derivation.outputs.keys()) {
      const output = derivationOutputPath(derivation, name, context.store.storeDir);
      if (output === undefined) {
        throw new FirnError("bad-attribute", "exportReferences on CA derivations is not yet implemented");
      }
      outputs.push(output);
    }
    for (const member of await computeClosure(context.store, outputs)) paths.add(member);
  }
  return [...paths].sort();
}

/** The text that `exportReferencesGraph` writes: path, empty deriver, number of references, references. */
async function validityRegistration(context: EnvironmentContext, roots: readonly string[]): Promise<string> {
  let text = "";
  for (const path of await exportedClosure(context, roots)) {
    const info = await requirePathInfo(context.store, path);
    text += `${path}\n\n${info.references.length}\n${info.references.map((reference) => `${reference}\n`).join("")}`;
  }
  return text;
}

async function structuredJson(
  derivation: Derivation,
  structured: ReadonlyMap<string, JsonValue>,
  context: EnvironmentContext,
): Promise<Map<string, JsonValue>> {
  const json = new Map(structured);
  json.set("outputs", new Map([...derivation.outputs.keys()].map((name) => [name, hashPlaceholder(name)])));
  for (const [name, roots] of context.options.exportReferencesGraph) {
    const paths = await exportedClosure(context, roots);
    const items: JsonValue[] = [];
    for (const path of paths) items.push(await graphEntry(context.store, await requirePathInfo(context.store, path)));
    json.set(name, items);
  }
  return json;
}

async function graphEntry(store: PathFacts, info: PathInfo): Promise<JsonValue> {
  let closureSize = 0;
  for (const path of await computeClosure(store, [info.path]))
    closureSize += (await requirePathInfo(store, path)).narSize;
  return new Map<string, JsonValue>([
    ["closureSize", jsonNumber(closureSize)],
    ["narHash", printHash(info.narHash, "nix32")],
    ["narSize", jsonNumber(info.narSize)],
    ["path", info.path],
    ["references", info.references],
    ["valid", true],
  ]);
}

/** Quotes a text as one word for a shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function simple(value: JsonValue): string | undefined {
  if (typeof value === "string") return shellQuote(value);
  if (value === null) return "''";
  if (typeof value === "boolean") return value ? "1" : "";
  if (isJsonNumber(value)) {
    // Whole numbers of 32 bits, others wrapped around, as the reference does it.
    if (/^-?[0-9]+$/.test(value.number)) return String(BigInt.asIntN(32, BigInt(value.number)));
    const number = Math.fround(Number(value.number));
    return Number.isInteger(number) ? String(Math.trunc(Number(value.number)) | 0) : undefined;
  }
  return undefined;
}

/** Returns structured attributes as shell text, leaving out values that bash cannot represent. */
export function structuredShell(json: ReadonlyMap<string, JsonValue>): string {
  let text = "";
  for (const key of [...json.keys()].sort()) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) continue;
    const value = json.get(key)!;
    const plain = simple(value);
    if (plain !== undefined) text += `declare ${key}=${plain}\n`;
    else if (Array.isArray(value)) {
      const items = value.map(simple);
      if (!items.includes(undefined)) text += `declare -a ${key}=(${items.map((item) => `${item} `).join("")})\n`;
    } else if (isJsonObject(value)) {
      const members = [...value.keys()].sort().map((name) => [name, simple(value.get(name)!)] as const);
      if (members.every(([, item]) => item !== undefined)) {
        text += `declare -A ${key}=(${members.map(([name, item]) => `[${shellQuote(name)}]=${item} `).join("")})\n`;
      }
    }
  }
  return text;
}

/** Replaces every occurrence of the keys of `rewrites` by their values. */
export function rewriteText(text: string, rewrites: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [from, to] of rewrites) if (from !== to) result = result.replaceAll(from, to);
  return result;
}
