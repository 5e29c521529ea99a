/** Hashes of derivations modulo fixed outputs, each computed once (manual: "Derivation", "Output paths"). */
import {
  type Derivation,
  type DerivationHash,
  derivationKind,
  derivationOutputPath,
  derivationStorePath,
  FirnError,
  hashDerivationModulo,
  parsePrefixedHash,
  type wire,
} from "@firn/formats";
import type { RealisationReader } from "./realisations.ts";

/** A store whose derivations can be read. */
interface DerivationReader {
  readonly storeDir: string;
  readDerivation(path: string): Derivation;
}

/** Returns the path of an output of a derivation in the store: its own, or what it was built to; undefined when that is unknown. */
export async function builtOutput(
  store: DerivationReader & RealisationReader,
  drvPath: string,
  output: string,
): Promise<string | undefined> {
  return builtPath(store, store.readDerivation(drvPath), { output, hashes: new DerivationHashes(store) });
}

/** Returns the path of an output of a derivation, as {@link builtOutput} does. */
export async function builtPath(
  store: DerivationReader & RealisationReader,
  derivation: Derivation,
  { output, hashes }: { readonly output: string; readonly hashes: DerivationHashes },
): Promise<string | undefined> {
  const known = derivationOutputPath(derivation, output, store.storeDir);
  if (known !== undefined || derivationKind(derivation) === "impure") return known;
  return (await store.queryRealisation(hashes.outputId(derivation, output)))?.outPath;
}

/** The hashes of a store's derivations. */
export class DerivationHashes {
  readonly #store: DerivationReader;
  readonly #known = new Map<string, DerivationHash>();
  readonly #masked = new WeakMap<Derivation, DerivationHash>();

  constructor(store: DerivationReader) {
    this.#store = store;
  }

  /** Returns the hash of a derivation in the store, for those that depend on it. Fails as reading it does. */
  of(drvPath: string): DerivationHash {
    const known = this.#known.get(drvPath);
    if (known !== undefined) return known;
    const hash = hashDerivationModulo(this.#store.readDerivation(drvPath), {
      maskOutputs: false,
      storeDir: this.#store.storeDir,
      lookup: (path) => this.of(path),
    });
    this.#known.set(drvPath, hash);
    return hash;
  }

  /**
   * Returns the name under which stores keep the realisation of an output. Error `no-output`, or those of reading its inputs.
   */
  outputId(derivation: Derivation, output: string): wire.DrvOutput {
    let masked = this.#masked.get(derivation);
    if (masked === undefined) {
      masked = hashDerivationModulo(derivation, {
        maskOutputs: true,
        storeDir: this.#store.storeDir,
        lookup: (path) => this.of(path),
      });
      this.#masked.set(derivation, masked);
    }
    const hash = masked.hashes.get(output);
    if (hash === undefined) {
      const { path } = derivationStorePath(derivation, this.#store.storeDir);
      throw new FirnError("no-output", `derivation '${path}' does not have output '${output}'`);
    }
    return { drvHash: parsePrefixedHash(`sha256:${hash}`), outputName: output };
  }
}
