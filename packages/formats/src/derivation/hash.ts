/** Hashes of derivations: modulo fixed outputs (they give output paths), placeholders, and the `.drv` path. */
import { FirnError } from "../base/error.ts";
import { digestOf } from "../hash/algorithm.ts";
import { fromNix32, toBase16, toNix32 } from "../hash/encoding.ts";
import { compressHash, type Hash, printHash } from "../hash/hash.ts";
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
import { printDerivation } from "./print.ts";

/** Per output the hash that stands for it in dependents; `deferred` when an input's path is only known after building. */
export interface DerivationHash {
  readonly hashes: ReadonlyMap<string, Hash>;
  readonly deferred: boolean;
}

/** How to hash: `lookup` gives (and remembers) the unmasked hash of an input derivation. */
export interface HashModuloOptions {
  readonly maskOutputs: boolean;
  readonly lookup: (drvPath: string) => DerivationHash;
  readonly storeDir?: string;
}

function sha256(text: string): Hash {
  return { algorithm: "sha256", bytes: digestOf("sha256", text) };
}

/** The hash of a derivation in which fixed outputs count by their content only. */
export function hashDerivationModulo(derivation: Derivation, options: HashModuloOptions): DerivationHash {
  const kind = derivationKind(derivation);
  if (kind === "fixed") {
    const hashes = new Map<string, Hash>();
    for (const [name, output] of derivation.outputs) {
      if (output.kind !== "fixed") continue;
      const { method, hash } = output.address;
      const path = derivationOutputPath(derivation, name, options.storeDir);
      hashes.set(
        name,
        sha256(`fixed:out:${printMethodAlgorithm(method, hash.algorithm)}:${printHash(hash, "base16", false)}:${path}`),
      );
    }
    return { hashes, deferred: false };
  }
  let deferred = kind === "floating" || kind === "impure";
  const inputs = new Map<string, DerivationInput>();
  for (const [drvPath, node] of derivation.inputDrvs) {
    const found = options.lookup(drvPath);
    if (found.deferred) deferred = true;
    for (const name of node.outputs) {
      const hash = found.hashes.get(name);
      if (hash === undefined) {
        throw new FirnError("bad-derivation", `no hash for output '${name}' of derivation '${derivation.name}'`);
      }
      const key = toBase16(hash.bytes);
      const known = inputs.get(key)?.outputs ?? [];
      if (!known.includes(name)) inputs.set(key, { outputs: [...known, name] });
    }
  }
  const hash = sha256(
    printDerivation(derivation, {
      inputs,
      maskOutputs: options.maskOutputs,
      ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }),
    }),
  );
  return { hashes: new Map([...derivation.outputs.keys()].map((name) => [name, hash])), deferred };
}

/**
 * Fills in the paths of deferred outputs, also where the environment names them; outputs stay deferred when an input is not yet
 * known. `lookup` as in `hashDerivationModulo`.
 */
export function fillOutputPaths(derivation: Derivation, options: Omit<HashModuloOptions, "maskOutputs">): Derivation {
  const found = hashDerivationModulo(derivation, { ...options, maskOutputs: true });
  if (found.deferred) return derivation;
  const outputs = new Map<string, DerivationOutput>(derivation.outputs);
  const env = new Map(derivation.env);
  const target = { name: derivation.name, storeDir: options.storeDir ?? defaultStoreDir };
  for (const [name, output] of derivation.outputs) {
    if (output.kind !== "deferred") continue;
    const path = makeOutputPath(name, found.hashes.get(name)!, target);
    outputs.set(name, { kind: "input-addressed", path });
    if ((env.get(name) ?? "") === "") env.set(name, path);
  }
  return { ...derivation, outputs, env };
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

/** The store path and text of a derivation. */
export function derivationStorePath(
  derivation: Derivation,
  storeDir: string = defaultStoreDir,
): { path: string; contents: string; references: readonly string[] } {
  const contents = printDerivation(derivation, { storeDir });
  const references = [...new Set([...derivation.inputSrcs, ...derivation.inputDrvs.keys()])].sort();
  const path = makeTextPath(contents, {
    name: `${derivation.name}.drv`,
    storeDir,
    references: { others: references, self: false },
  });
  return { path, contents, references };
}
