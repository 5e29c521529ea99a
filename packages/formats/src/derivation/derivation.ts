/** Derivations as data, and the questions that their outputs alone answer. All strings are byte strings, all paths full store paths. */
import { FirnError } from "../base/error.ts";
import type { HashAlgorithm } from "../hash/algorithm.ts";
import { toBase16 } from "../hash/encoding.ts";
import { type ContentAddress, type ContentAddressMethod, printMethodAlgorithm } from "../store-path/content-address.ts";
import { makeFixedOutputPath, outputPathName } from "../store-path/make.ts";
import { defaultStoreDir } from "../store-path/name.ts";

/** One output and the way its path is determined. */
export type DerivationOutput =
  | { readonly kind: "input-addressed"; readonly path: string }
  | { readonly kind: "fixed"; readonly address: ContentAddress }
  | { readonly kind: "floating"; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm }
  | { readonly kind: "deferred" }
  | { readonly kind: "impure"; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm };

/** The used outputs of an input derivation; `dynamic` for derivations that such an output itself is. */
export interface DerivationInput {
  readonly outputs: readonly string[];
  readonly dynamic?: ReadonlyMap<string, DerivationInput>;
}

/** A build step. `name` is the store path's name without `.drv`; structured attributes stay in `env.__json`, as in the file. */
export interface Derivation {
  readonly name: string;
  readonly outputs: ReadonlyMap<string, DerivationOutput>;
  readonly inputDrvs: ReadonlyMap<string, DerivationInput>;
  readonly inputSrcs: readonly string[];
  readonly system: string;
  readonly builder: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
}

/** The common kind of all outputs of one derivation. */
export type DerivationKind = "input-addressed" | "deferred" | "fixed" | "floating" | "impure";

/** The kind of a derivation; error `bad-derivation` when its outputs do not go together. */
export function derivationKind(derivation: Pick<Derivation, "outputs">): DerivationKind {
  const bad = (message: string): FirnError => new FirnError("bad-derivation", message);
  let kind: DerivationKind | undefined;
  let algorithm: HashAlgorithm | undefined;
  for (const [name, output] of derivation.outputs) {
    if (kind !== undefined && kind !== output.kind) throw bad("can't mix derivation output types");
    if (kind === "fixed") throw bad("only one fixed output is allowed for now");
    kind = output.kind;
    if (kind === "fixed" && name !== "out") throw bad('single fixed output must be named "out"');
    if (output.kind === "floating") {
      algorithm ??= output.algorithm;
      if (algorithm !== output.algorithm) throw bad("all floating outputs must use the same hash algorithm");
    }
  }
  if (kind === undefined) throw bad("must have at least one output");
  return kind;
}

/** Cache of the paths of fixed outputs, which are needed several times for each derivation that is made. */
const fixedPaths = new WeakMap<ContentAddress, { name: string; storeDir: string; path: string }>();

function fixedPath(address: ContentAddress, name: string, storeDir: string): string {
  const known = fixedPaths.get(address);
  if (known !== undefined && known.name === name && known.storeDir === storeDir) return known.path;
  const path = makeFixedOutputPath(address, { name, storeDir });
  fixedPaths.set(address, { name, storeDir, path });
  return path;
}

/** Returns the path of one output, or undefined when it is only known after building. */
export function derivationOutputPath(
  derivation: Pick<Derivation, "name" | "outputs">,
  outputName: string,
  storeDir: string = defaultStoreDir,
): string | undefined {
  const output = derivation.outputs.get(outputName);
  if (output === undefined) return undefined;
  switch (output.kind) {
    case "input-addressed":
      return output.path;
    case "fixed":
      return fixedPath(output.address, outputPathName(derivation.name, outputName), storeDir);
    case "floating":
    case "deferred":
    case "impure":
      return undefined;
  }
}

/** The three texts of an output in the file: path (of a deferred one as far as it is known), method and algorithm, hash. */
export function outputFields(output: DerivationOutput, path: string): readonly [string, string, string] {
  switch (output.kind) {
    case "input-addressed":
    case "deferred":
      return [path, "", ""];
    case "fixed": {
      const { method, hash } = output.address;
      return [path, printMethodAlgorithm(method, hash.algorithm), toBase16(hash.bytes)];
    }
    case "floating":
      return ["", printMethodAlgorithm(output.method, output.algorithm), ""];
    case "impure":
      return ["", printMethodAlgorithm(output.method, output.algorithm), "impure"];
  }
}
