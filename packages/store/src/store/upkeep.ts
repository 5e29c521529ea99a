/** The checks and repairs of a store on this machine, and sharing of equal files within it. */
import type { Hash } from "@firn/formats";

/** Options of checking a whole store. */
export interface VerifyOptions {
  /** True to compare the contents of every path with its hash. */
  readonly checkContents?: boolean;
  /** Makes a path good again that is missing or damaged; returns false when that is impossible. */
  readonly repair?: (path: string) => Promise<boolean>;
}

/** The savings of sharing: the number of replaced files, and their sizes in bytes. */
export interface OptimiseResult {
  readonly filesLinked: number;
  readonly bytesFreed: number;
}

/** A store whose files can be checked and shared. */
export interface StoreUpkeep {
  /** Checks paths against what is registered of them; reports problems as messages. Returns true when errors remain. */
  verifyStore(options: VerifyOptions): Promise<boolean>;
  /** Returns the hash of a path's files as they are now. */
  currentHash(path: string): Hash;
  /** Tells whether the files of a valid path are there as registered. */
  isIntact(path: string): Promise<boolean>;
  /**
   * Replaces equal files of all valid paths by hard links; what an earlier run did is not done again. Resolves to undefined when a
   * server does it, which reports the savings as a message.
   */
  optimiseStore(): Promise<OptimiseResult | undefined>;
}
