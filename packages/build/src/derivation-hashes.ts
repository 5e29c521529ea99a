/** Hashes of derivations modulo fixed outputs, each computed once (manual: "Derivation", "Output paths"). */
import { type Derivation, type DerivationHash, hashDerivationModulo } from "@firn/formats";

/** A store whose derivations can be read. */
interface DerivationReader {
  readonly storeDir: string;
  readDerivation(path: string): Derivation;
}

/** The hashes of a store's derivations. */
export class DerivationHashes {
  readonly #store: DerivationReader;
  readonly #known = new Map<string, DerivationHash>();

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
}
