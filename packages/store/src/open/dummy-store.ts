/** A store that is always empty: `dummy://`. */
import { defaultStoreDir, FirnError } from "@firn/formats";
import type { NarChunks } from "../store/paths.ts";
import type { Offers, Store } from "../store/store.ts";

/** A store without paths, for evaluations that only compute. */
export class DummyStore implements Store {
  readonly uri = "dummy://";
  readonly storeDir: string;
  readonly offers: Partial<Offers> = {};

  constructor(storeDir: string = defaultStoreDir) {
    this.storeDir = storeDir;
  }

  async isValidPath(): Promise<boolean> {
    return false;
  }

  async queryValidPaths(): Promise<Set<string>> {
    return new Set();
  }

  async queryPathInfo(): Promise<undefined> {
    return undefined;
  }

  narFromPath(path: string): NarChunks {
    throw new FirnError("invalid-path", `path '${path}' is not valid`);
  }

  async close(): Promise<void> {}
}
