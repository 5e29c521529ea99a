/**
 * Finds why two derivations differ. Nearly all of the two texts differs as a consequence: an input's path changes the paths of
 * everything above it. So inputs are paired, the pairs that differ are followed, and the second derivation is read with the first
 * one's paths in place of its own; what then still differs is a cause of its own.
 */
import { compareByteStrings } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { storePathHashPart, storePathName } from "../store-path/name.ts";
import { isJsonObject, type JsonValue, parseJson, printJson } from "../text/json.ts";
import { type Derivation, type DerivationInput, derivationOutputPath, outputFields } from "./derivation.ts";
import { downstreamPlaceholder } from "./hash.ts";

/**
 * One difference between two derivations that no other difference explains. Texts of the second carry the first one's paths
 * where those correspond.
 */
export type DerivationDifference =
  | { readonly kind: "name" | "system" | "builder"; readonly from: string; readonly to: string }
  | { readonly kind: "args"; readonly from: readonly string[]; readonly to: readonly string[] }
  /** A variable (of structured attributes: `__json.NAME`, as JSON unless a string), an output, or a source; absent on one side when undefined. */
  | {
      readonly kind: "env" | "output" | "source";
      readonly name: string;
      readonly from: string | undefined;
      readonly to: string | undefined;
    }
  /** An input derivation that only one side has. */
  | { readonly kind: "input"; readonly from: string | undefined; readonly to: string | undefined }
  /** Different outputs of the same input are used. */
  | {
      readonly kind: "input-outputs";
      readonly name: string;
      readonly from: readonly string[];
      readonly to: readonly string[];
    }
  /** The files differ only in ways that have no meaning. */
  | { readonly kind: "text" };

/** A pair of corresponding derivations that differ by themselves. */
export interface DerivationCause {
  readonly from: string;
  readonly to: string;
  /** Names of the derivations on a shortest way from the first pair to this one, both included. */
  readonly chain: readonly string[];
  readonly differences: readonly DerivationDifference[];
}

/** The result of a comparison; `causes` come nearest to the first pair first. */
export interface DerivationComparison {
  readonly equal: boolean;
  /** Number of pairs of derivations that were read. */
  readonly compared: number;
  readonly causes: readonly DerivationCause[];
}

/** The sources of the derivations; both functions fail when they do not have the path. */
export interface ComparisonOptions {
  readonly readFrom: (drvPath: string) => Derivation;
  readonly readTo: (drvPath: string) => Derivation;
  readonly storeDir?: string;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly parent: Pair | undefined;
}

/** Walks two graphs of derivations from `from` and `to` to the causes of their difference. Each pair is visited once. */
export function compareDerivations(from: string, to: string, options: ComparisonOptions): DerivationComparison {
  if (from === to) return { equal: true, compared: 0, causes: [] };
  const queue: Pair[] = [{ from, to, parent: undefined }];
  const seen = new Set([`${from}\n${to}`]);
  const causes: DerivationCause[] = [];
  const reader = (read: (drvPath: string) => Derivation): ((drvPath: string) => Derivation) => {
    const known = new Map<string, Derivation>();
    return (drvPath) => {
      const derivation = known.get(drvPath) ?? read(drvPath);
      known.set(drvPath, derivation);
      return derivation;
    };
  };
  const readers = { ...options, readFrom: reader(options.readFrom), readTo: reader(options.readTo) };
  for (let at = 0; at < queue.length; at++) {
    const pair = queue[at]!;
    const { differences, followed } = comparePair(pair, readers);
    for (const [inputFrom, inputTo] of followed) {
      const key = `${inputFrom}\n${inputTo}`;
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ from: inputFrom, to: inputTo, parent: pair });
    }
    if (differences.length === 0 && followed.length === 0) differences.push({ kind: "text" });
    if (differences.length > 0) causes.push({ from: pair.from, to: pair.to, chain: chainOf(pair), differences });
  }
  return { equal: false, compared: queue.length, causes };
}

function chainOf(pair: Pair): string[] {
  const chain: string[] = [];
  for (let at: Pair | undefined = pair; at !== undefined; at = at.parent) chain.push(storePathName(at.from));
  return chain.reverse();
}

function comparePair(pair: Pair, options: ComparisonOptions) {
  const [from, to] = [options.readFrom(pair.from), options.readTo(pair.to)];
  const { storeDir } = options;
  const differences: DerivationDifference[] = [];
  const renamed = new Renaming();
  renamed.add(pair.from, pair.to);
  for (const name of from.outputs.keys()) {
    renamed.add(derivationOutputPath(from, name, storeDir), derivationOutputPath(to, name, storeDir));
  }

  const inputs = pairPaths([...from.inputDrvs.keys()], [...to.inputDrvs.keys()]);
  for (const [inputFrom, inputTo] of inputs.pairs) {
    const wanted = [from.inputDrvs.get(inputFrom)!, to.inputDrvs.get(inputTo)!] as const;
    const [outputsFrom, outputsTo] = [outputNames(wanted[0]), outputNames(wanted[1])];
    if (outputsFrom.join("\n") !== outputsTo.join("\n")) {
      const name = storePathName(inputFrom);
      differences.push({ kind: "input-outputs", name, from: outputsFrom, to: outputsTo });
    }
    if (inputFrom === inputTo) continue;
    renamed.add(inputFrom, inputTo);
    const [deep, deepTo] = [options.readFrom(inputFrom), options.readTo(inputTo)];
    for (const name of deep.outputs.keys()) {
      if (!deepTo.outputs.has(name)) continue;
      renamed.add(
        derivationOutputPath(deep, name, storeDir) ?? downstreamPlaceholder(inputFrom, name),
        derivationOutputPath(deepTo, name, storeDir) ?? downstreamPlaceholder(inputTo, name),
      );
    }
  }
  for (const input of inputs.onlyFrom) differences.push({ kind: "input", from: input, to: undefined });
  for (const input of inputs.onlyTo) differences.push({ kind: "input", from: undefined, to: input });

  const sources = pairPaths(from.inputSrcs, to.inputSrcs);
  for (const [sourceFrom, sourceTo] of sources.pairs) {
    if (sourceFrom === sourceTo) continue;
    differences.push({ kind: "source", name: storePathName(sourceFrom), from: sourceFrom, to: sourceTo });
    renamed.add(sourceFrom, sourceTo);
  }
  for (const path of sources.onlyFrom)
    differences.push({ kind: "source", name: storePathName(path), from: path, to: undefined });
  for (const path of sources.onlyTo)
    differences.push({ kind: "source", name: storePathName(path), from: undefined, to: path });

  for (const kind of ["name", "system", "builder"] as const) {
    const other = renamed.apply(to[kind]);
    if (from[kind] !== other) differences.push({ kind, from: from[kind], to: other });
  }
  const args = to.args.map((arg) => renamed.apply(arg));
  if (from.args.length !== args.length || from.args.some((arg, index) => arg !== args[index])) {
    differences.push({ kind: "args", from: from.args, to: args });
  }
  const texts = [
    ["output", outputTexts(from), outputTexts(to)],
    ["env", variables(from), variables(to)],
  ] as const;
  for (const [kind, mine, theirs] of texts) {
    for (const name of [...new Set([...mine.keys(), ...theirs.keys()])].sort(compareByteStrings)) {
      const [a, b] = [mine.get(name), theirs.get(name)];
      const other = b === undefined ? undefined : renamed.apply(b);
      if (a !== other) differences.push({ kind, name, from: a, to: other });
    }
  }
  return { differences, followed: inputs.pairs.filter(([a, b]) => a !== b) };
}

function outputNames(input: DerivationInput): string[] {
  const names = [...input.outputs];
  for (const [output, inner] of input.dynamic ?? [])
    for (const name of outputNames(inner)) names.push(`${output}^${name}`);
  return names;
}

/** Outputs without their paths, which follow from everything else. */
function outputTexts({ outputs }: Derivation): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, output] of outputs) {
    const [, method, hash] = outputFields(output, "");
    const isComputed = output.kind === "input-addressed" || output.kind === "deferred";
    texts.set(name, isComputed ? "by its inputs" : hash === "" ? method : `${method}:${hash}`);
  }
  return texts;
}

/** Returns the environment, with structured attributes split into their members. */
function variables({ env }: Derivation): ReadonlyMap<string, string> {
  const json = env.get("__json");
  if (json === undefined) return env;
  let attributes: JsonValue;
  try {
    attributes = parseJson(json);
  } catch (error) {
    if (error instanceof FirnError) return env;
    throw error;
  }
  if (!isJsonObject(attributes)) return env;
  const result = new Map(env);
  result.delete("__json");
  for (const [name, value] of attributes) {
    result.set(`__json.${name}`, typeof value === "string" ? value : printJson(value, { indent: 2 }));
  }
  return result;
}

/** Replaces the second side's paths by the first side's: by hash part, and with the name that follows it. */
class Renaming {
  readonly #byHash = new Map<string, { readonly to: string; readonly from: string; readonly fromHash: string }>();
  readonly #placeholders = new Map<string, string>();

  add(from: string | undefined, to: string | undefined): void {
    if (from === undefined || to === undefined || from === to) return;
    // Placeholders of outputs that only building tells: a slash and 52 characters.
    if (!from.includes("-") || !to.includes("-")) {
      this.#placeholders.set(to, from);
      return;
    }
    const [tail, fromTail] = [to.slice(to.lastIndexOf("/") + 1), from.slice(from.lastIndexOf("/") + 1)];
    this.#byHash.set(storePathHashPart(to), { to: tail, from: fromTail, fromHash: storePathHashPart(from) });
  }

  apply(text: string): string {
    if (this.#byHash.size === 0 && this.#placeholders.size === 0) return text;
    let result = "";
    let copied = 0;
    for (const match of text.matchAll(/\/?[0-9a-df-np-sv-z]{32,}/g)) {
      const found = match[0];
      const start = match.index;
      if (start < copied) continue;
      const placeholder = this.#placeholders.get(found);
      if (placeholder !== undefined) {
        result += text.slice(copied, start) + placeholder;
        copied = start + found.length;
        continue;
      }
      const hashAt = start + (found.startsWith("/") ? 1 : 0);
      const known = this.#byHash.get(text.slice(hashAt, hashAt + 32));
      if (known === undefined) continue;
      const isWhole = text.startsWith(known.to, hashAt);
      result += text.slice(copied, hashAt) + (isWhole ? known.from : known.fromHash);
      copied = hashAt + (isWhole ? known.to.length : 32);
    }
    return result + text.slice(copied);
  }
}

/** A name without what looks like a version and what follows it. */
function withoutVersion(name: string): string {
  return name.replace(/-[0-9].*$/, "");
}

/** Pairs the corresponding paths of the two sides: equal ones, then those of one name, then those of one package. */
function pairPaths(from: readonly string[], to: readonly string[]) {
  const other = new Set(to);
  const pairs: [string, string][] = [];
  let left: string[] = [];
  for (const path of from) {
    if (other.delete(path)) pairs.push([path, path]);
    else left.push(path);
  }
  let right = [...other];
  for (const key of [storePathName, (path: string) => withoutVersion(storePathName(path))]) {
    const byKey = new Map<string, string[]>();
    for (const path of right) byKey.set(key(path), [...(byKey.get(key(path)) ?? []), path]);
    const rest: string[] = [];
    for (const path of left) {
      const match = byKey.get(key(path))?.shift();
      if (match === undefined) rest.push(path);
      else pairs.push([path, match]);
    }
    left = rest;
    right = [...byKey.values()].flat();
  }
  return { pairs, onlyFrom: left, onlyTo: right };
}
