/** Hashes of derivations: modulo fixed outputs (they give output paths), placeholders, and the `.drv` path. */
import { sortedUnique } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { digestOf, hexDigestOf } from "../hash/algorithm.ts";
import { fromNix32, toNix32 } from "../hash/encoding.ts";
import { compressHash, printHash } from "../hash/hash.ts";
import { printMethodAlgorithm } from "../store-path/content-address.ts";
import { makeOutputPath, makeTextPath, outputPathName } from "../store-path/make.ts";
import { defaultStoreDir, storePathHashPart, storePathName } from "../store-path/name.ts";
import {
  type Derivation,
  type DerivationInput,
  type DerivationOutput,
  derivationKind,
  derivationOutputPath,
} from "./derivation.ts";
import { DerivationPrinter, printDerivation, printInputs } from "./print.ts";

/** Per output the SHA-256 (base16) that stands for it in dependents; `deferred` when an input's path is only known after building. */
export interface DerivationHash {
  readonly hashes: ReadonlyMap<string, string>;
  readonly deferred: boolean;
}

/** How to hash: `lookup` gives (and remembers) the unmasked hash of an input derivation. */
export interface HashModuloOptions {
  readonly maskOutputs: boolean;
  readonly lookup: (drvPath: string) => DerivationHash;
  readonly storeDir?: string;
}

/** The input derivations with their hashes in place of their paths. */
function hashedInputs(derivation: Derivation, lookup: HashModuloOptions["lookup"]) {
  let deferred = false;
  const inputs = new Map<string, DerivationInput>();
  for (const [drvPath, node] of derivation.inputDrvs) {
    const found = lookup(drvPath);
    if (found.deferred) deferred = true;
    for (const name of node.outputs) {
      const hash = found.hashes.get(name);
      if (hash === undefined) {
        throw new FirnError("bad-derivation", `no hash for output '${name}' of derivation '${derivation.name}'`);
      }
      const known = inputs.get(hash);
      if (known === undefined) inputs.set(hash, { outputs: [name] });
      else if (!known.outputs.includes(name)) inputs.set(hash, { outputs: [...known.outputs, name] });
    }
  }
  return { inputs, deferred };
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
  const { inputs, deferred } = hashedInputs(derivation, options.lookup);
  const text = printDerivation(derivation, {
    inputs: printInputs(inputs),
    maskOutputs: options.maskOutputs,
    ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }),
  });
  return {
    hashes: sameForAll(derivation, hexDigestOf("sha256", text)),
    deferred: deferred || kind === "floating" || kind === "impure",
  };
}

/** The derivation with the paths of its deferred outputs, which follow from the hash `hex`; also where the environment names them. */
function withOutputPaths(derivation: Derivation, hex: string, storeDir: string): Derivation {
  const outputs = new Map<string, DerivationOutput>(derivation.outputs);
  const env = new Map(derivation.env);
  const target = { name: derivation.name, storeDir };
  for (const [name, output] of derivation.outputs) {
    if (output.kind !== "deferred") continue;
    const path = makeOutputPath(name, hex, target);
    outputs.set(name, { kind: "input-addressed", path });
    if ((env.get(name) ?? "") === "") env.set(name, path);
  }
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
  return withOutputPaths(derivation, hex!, options.storeDir ?? defaultStoreDir);
}

/** A derivation as it goes into the store, with what its dependents need. */
export interface FinishedDerivation extends StoredDerivation {
  readonly derivation: Derivation;
  readonly hash: DerivationHash;
}

/**
 * All that follows from a derivation whose outputs may still be deferred: output paths (`fillOutputPaths`), store path and text
 * (`derivationStorePath`) and the unmasked hash. One call, because the three texts that are hashed have most in common.
 */
export function finishDerivation(
  unfinished: Derivation,
  options: { readonly lookup: HashModuloOptions["lookup"]; readonly storeDir: string },
): FinishedDerivation {
  const { lookup, storeDir } = options;
  const kind = derivationKind(unfinished);
  const printer = new DerivationPrinter(unfinished);
  if (kind === "fixed") {
    const stored = storedText(unfinished, printer.print(unfinished, { storeDir }), storeDir);
    return { ...stored, derivation: unfinished, hash: fixedHashes(unfinished, storeDir) };
  }
  const { inputs: hashed, deferred } = hashedInputs(unfinished, lookup);
  const inputs = printInputs(hashed);
  const digest = (derivation: Derivation, maskOutputs: boolean) =>
    hexDigestOf("sha256", printer.print(derivation, { inputs, maskOutputs, storeDir }));
  const derivation =
    kind === "deferred" && !deferred ? withOutputPaths(unfinished, digest(unfinished, true), storeDir) : unfinished;
  const hashes = sameForAll(derivation, digest(derivation, false));
  return {
    ...storedText(derivation, printer.print(derivation, { storeDir }), storeDir),
    derivation,
    hash: { hashes, deferred: deferred || kind === "floating" || kind === "impure" },
  };
}

/** What a build sees in place of its own output path before that is known: `builtins.placeholder output`. */
export function hashPlaceholder(output: string): string {
  return `/${toNix32(digestOf("sha256", `nix-output:${output}`))}`;
}

/** What stands for an output of another derivation that is not yet built. */
export function downstreamPlaceholder(drvPath: string, output: string): string {
  const name = storePathName(drvPath).slice(0, -".drv".length);
  const clear = `nix-upstream-output:${storePathHashPart(drvPath)}:${outputPathName(name, output)}`;
  return `/${toNix32(digestOf("sha256", clear))}`;
}

/** The placeholder of an output of a derivation that is itself only known by its placeholder `inner` (dynamic derivations). */
export function dynamicPlaceholder(inner: string, output: string): string {
  const digest = compressHash(fromNix32(inner.slice(1)), 20);
  return `/${toNix32(digestOf("sha256", `nix-computed-output:${toNix32(digest)}:${output}`))}`;
}

/** The `.drv` file of a derivation: where it lies, its text, what it refers to (sorted). */
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
