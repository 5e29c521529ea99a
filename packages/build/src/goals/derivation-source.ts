/** Reads the derivations of a build: from the store of its evaluation, or the store it builds into. */
import { type Derivation, FirnError } from "@firn/formats";
import type { PathFacts, StoreFiles } from "@firn/store";
import type { DerivationStore } from "../build-store.ts";

/** Reads derivations from the first of some stores that has them. */
export class DerivationSource {
  readonly storeDir: string;
  readonly #stores: readonly (PathFacts & StoreFiles)[];

  constructor(store: PathFacts & StoreFiles, evalStore: DerivationStore | undefined) {
    this.storeDir = store.storeDir;
    this.#stores = evalStore === undefined ? [store] : [evalStore, store];
  }

  /** Tells whether one of the stores has a derivation. */
  async isValidPath(path: string): Promise<boolean> {
    for (const store of this.#stores) if (await store.isValidPath(path)) return true;
    return false;
  }

  /** Reads a derivation. Error `invalid-path`. */
  readDerivation(path: string): Derivation {
    for (const [i, store] of this.#stores.entries()) {
      try {
        return store.readDerivation(path);
      } catch (error) {
        const last = i === this.#stores.length - 1;
        if (last || !(error instanceof FirnError) || error.code !== "invalid-path") throw error;
      }
    }
    throw new FirnError("invalid-path", `path '${path}' is not valid`);
  }
}
