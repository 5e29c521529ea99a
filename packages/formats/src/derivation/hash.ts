/** Hashes of derivations: modulo fixed outputs (they give output paths), placeholders, and the `.drv` path. */
import { sortedUnique } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { digestOf, hexDigestOf } from "../hash/algorithm.ts";
import { fromNix32, toNix32 } from "../hash/encoding.ts";
import { compressHash, printHash } from "../hash/hash.ts";
import { printMethodAlgorithm } from "../store-path/content-address.ts";
import { makeOutputPath, makeTextPath, outputPathName } from "../store-path/make.ts";
import { defaultStoreDir, storePathHashPart, storePathName } from "../store-path/name.ts";
import { type Derivation, derivationKind, derivationOutputPath } from "./derivation.ts";
import { DerivationPrinter, type HashedInput, printDerivation, printHashedInputs } from "./print.ts";

/** Per output the SHA-256 (base16) that stands for it in dependents; `deferred` when an input's path is only known after building. */
export interface DerivationHash {
  readonly hashes: ReadonlyMap<string, string>;
  readonly deferred: boolean;
}

/** Options of hashing: `lookup` gives (and remembers) the unmasked hash of an input derivation. */
export interface HashModuloOptions {
  readonly maskOutputs: boolean;
  readonly lookup: (drvPath: string) => DerivationHash;
  readonly storeDir?: string;
}

/** The text of the input derivations, with their hashes in place of their paths. */
function hashedInputs(
  derivation: Derivation,
  lookup: HashModuloOptions["lookup"],
): { text: string; deferred: boolean } {
  let deferred = false;
  const inputs: HashedInput[] = [];
  derivation.inputDrvs.forEach(({ outputs }, drvPath) => {
    const found = lookup(drvPath);
    if (found.deferred) deferred = true;
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i]!;
      const hash = found.hashes.get(output);
      if (hash === undefined) {
        throw new FirnError("bad-derivation", `no hash for output '${output}' of derivation '${derivation.name}'`);
      }
      inputs.push({ hash, output });
    }
  });
  return { text: printHashedInputs(inputs), deferred };
}

function fixedHashes(derivation: Derivation, storeDir: string | undefined): DerivationHash {
  const hashes = new Map<string, string>();
  for (const [name, output] of derivation.outputs) {
    if (output.kind !== "fixed") continue;
    const { method, hash } = output.address;
    const path = derivationOutputPath(derivation, name, storeDir);
    const address = `${printMethodAlgorithm(method, hash.algorithm)}:${printHash(hash, "base16", false)}`;
    hashes.set(name, hexDigestOf("sha256", `fixed:out:${address}:${path}`));
  }
  return { hashes, deferred: false };
}

function sameForAll(derivation: Derivation, hash: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const name of derivation.outputs.keys()) hashes.set(name, hash);
  return hashes;
}

/** The hash of a derivation in which fixed outputs count by their content only. */
export function hashDerivationModulo(derivation: Derivation, options: HashModuloOptions): DerivationHash {
  const kind = derivationKind(derivation);
  if (kind === "fixed") return fixedHashes(derivation, options.storeDir);
  const { text: inputs, deferred } = hashedInputs(derivation, options.lookup);
  const text = printDerivation(derivation, {
    inputs,
    maskOutputs: options.maskOutputs,
    ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }),
  });
  return {
    hashes: sameForAll(derivation, hexDigestOf("sha256", text)),
    deferred: deferred || kind === "floating" || kind === "impure",
  };
}

/** The paths of deferred outputs, which follow from the hash `hex` of the derivation without them. */
function deferredPaths(derivation: Derivation, hex: string, storeDir: string): Map<string, string> {
  const paths = new Map<string, string>();
  const target = { name: derivation.name, storeDir };
  derivation.outputs.forEach((output, name) => {
    if (output.kind === "deferred") paths.set(name, makeOutputPath(name, hex, target));
  });
  return paths;
}

/** Returns the paths of the outputs whose paths are in the derivation or follow from it alone. */
function knownPaths(derivation: Derivation, storeDir: string): Map<string, string> {
  const paths = new Map<string, string>();
  derivation.outputs.forEach((_, name) => {
    const path = derivationOutputPath(derivation, name, storeDir);
    if (path !== undefined) paths.set(name, path);
  });
  return paths;
}

function withOutputPaths(derivation: Derivation, paths: ReadonlyMap<string, string>): Derivation {
  const outputs = new Map(derivation.outputs);
  const env = new Map(derivation.env);
  paths.forEach((path, name) => {
    outputs.set(name, { kind: "input-addressed", path });
    if ((env.get(name) ?? "") === "") env.set(name, path);
  });
  return { ...derivation, outputs, env };
}

/**
 * Fills in the paths of deferred outputs, also where the environment names them; outputs stay deferred when an input is not yet
 * known. `lookup` as in `hashDerivationModulo`.
 */
export function fillOutputPaths(derivation: Derivation, options: Omit<HashModuloOptions, "maskOutputs">): Derivation {
  const found = hashDerivationModulo(derivation, { ...options, maskOutputs: true });
  if (found.deferred) return derivation;
  const [hex] = found.hashes.values();
  return withOutputPaths(derivation, deferredPaths(derivation, hex!, options.storeDir ?? defaultStoreDir));
}

/** A finished derivation: its file in the store, and the paths and hash that its dependents need. */
export interface FinishedDerivation extends StoredDerivation {
  /** The paths of its outputs by name, of those whose path is known before they are built. */
  readonly outputPaths: ReadonlyMap<string, string>;
  readonly hash: DerivationHash;
}

/**
 * Computes all that follows from a derivation whose outputs may still be deferred: output paths (`fillOutputPaths`), store
 * path and text (`derivationStorePath`) and the unmasked hash. One call, because the three texts that are hashed are mostly
 * the same. Variables named as deferred outputs must be there.
 */
export function finishDerivation(
  unfinished: Derivation,
  options: { readonly lookup: HashModuloOptions["lookup"]; readonly storeDir: string },
): FinishedDerivation {
  const { lookup, storeDir } = options;
  const kind = derivationKind(unfinished);
  const printer = new DerivationPrinter(unfinished);
  if (kind === "fixed") {
    const stored = storedText(unfinished, printer.print({ storeDir }), storeDir);
    return { ...stored, outputPaths: knownPaths(unfinished, storeDir), hash: fixedHashes(unfinished, storeDir) };
  }
  const { text: inputs, deferred } = hashedInputs(unfinished, lookup);
  let paths: ReadonlyMap<string, string> | undefined;
  if (kind === "deferred" && !deferred) {
    const hex = hexDigestOf("sha256", printer.print({ inputs, maskOutputs: true, storeDir }));
    paths = deferredPaths(unfinished, hex, storeDir);
  }
  const hashes = sameForAll(unfinished, hexDigestOf("sha256", printer.print({ inputs, storeDir, paths })));
  return {
    ...storedText(unfinished, printer.print({ storeDir, paths }), storeDir),
    outputPaths: paths ?? knownPaths(unfinished, storeDir),
    hash: { hashes, deferred: deferred || kind === "floating" || kind === "impure" },
  };
}

/** Returns the placeholder of a derivation's own output, used until its path is known: `builtins.placeholder output`. */
export function hashPlaceholder(output: string): string {
  return `/${toNix32(digestOf("sha256", `nix-output:${output}`))}`;
}

/** Returns the placeholder of an output of another derivation that is not yet built. */
export function downstreamPlaceholder(drvPath: string, output: string): string {
  const name = storePathName(drvPath).slice(0, -".drv".length);
  const clear = `nix-upstream-output:${storePathHashPart(drvPath)}:${outputPathName(name, output)}`;
  return `/${toNix32(digestOf("sha256", clear))}`;
}

/** Returns the placeholder of an output of a derivation that is itself only known by its placeholder `inner` (dynamic derivations). */
export function dynamicPlaceholder(inner: string, output: string): string {
  const digest = compressHash(fromNix32(inner.slice(1)), 20);
  return `/${toNix32(digestOf("sha256", `nix-computed-output:${toNix32(digest)}:${output}`))}`;
}

/** The `.drv` file of a derivation: its store path, its text, its references (sorted). */
export interface StoredDerivation {
  readonly path: string;
  readonly contents: string;
  readonly references: readonly string[];
}

function storedText(derivation: Derivation, contents: string, storeDir: string): StoredDerivation {
  const references = sortedUnique([...derivation.inputSrcs, ...derivation.inputDrvs.keys()]);
  const path = makeTextPath(contents, {
    name: `${derivation.name}.drv`,
    storeDir,
    references: { others: references, self: false },
  });
  return { path, contents, references };
}

/** The store path and text of a derivation. */
export function derivationStorePath(derivation: Derivation, storeDir: string = defaultStoreDir): StoredDerivation {
  return storedText(derivation, printDerivation(derivation, { storeDir }), storeDir);
}
