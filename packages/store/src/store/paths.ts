/** Facts that stores tell about their paths. Paths are full logical store paths (byte strings). */
import type { PathInfo } from "@firn/formats";

/** A NAR in chunks. */
export type NarChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Facts about paths and their contents, which every store has. */
export interface PathFacts {
  /** The store's name for messages, e.g. `local`, `https://cache.example.org`. */
  readonly uri: string;
  /** The logical directory of its paths. */
  readonly storeDir: string;
  isValidPath(path: string): Promise<boolean>;
  /** Returns those of `paths` that are valid; with `substitute`, a store that can do so first fetches others from its caches. */
  queryValidPaths(paths: Iterable<string>, options?: { readonly substitute?: boolean }): Promise<Set<string>>;
  /** Returns the facts about a valid path, or undefined. */
  queryPathInfo(path: string): Promise<PathInfo | undefined>;
  /** Returns the NAR of a valid path; error `invalid-path`. */
  narFromPath(path: string): NarChunks;
}

/** A list of all paths. */
export interface PathListing {
  /** Returns every valid path. */
  queryAllValidPaths(): Promise<string[]>;
}

/** The edges between paths in reverse direction. */
export interface PathGraph {
  /** Returns the valid paths that refer to `path`. */
  queryReferrers(path: string): Promise<string[]>;
  /** Returns the valid derivations that have `path` as an output. */
  queryValidDerivers(path: string): Promise<string[]>;
  /** Returns known output paths of a valid derivation, by output name. */
  queryDerivationOutputs(drvPath: string): Promise<Map<string, string>>;
}

/** Paths by the hash in their name. */
export interface HashPartIndex {
  /** Returns the valid path with that hash part, or undefined. */
  queryPathFromHashPart(hashPart: string): Promise<string | undefined>;
}
