/** What stores tell about their paths. Paths are full logical store paths (byte strings). */
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
  /** Those of `paths` that are valid. */
  queryValidPaths(paths: Iterable<string>): Promise<Set<string>>;
  /** Facts about a valid path, or undefined. */
  queryPathInfo(path: string): Promise<PathInfo | undefined>;
  /** The NAR of a valid path; error `invalid-path`. */
  narFromPath(path: string): NarChunks;
}

/** A list of all paths. */
export interface PathListing {
  /** Every valid path. */
  queryAllValidPaths(): Promise<string[]>;
}

/** The edges between paths that lead backwards. */
export interface PathGraph {
  /** Valid paths that refer to `path`. */
  queryReferrers(path: string): Promise<string[]>;
  /** Valid derivations that have `path` as an output. */
  queryValidDerivers(path: string): Promise<string[]>;
  /** Known output paths of a valid derivation, by output name. */
  queryDerivationOutputs(drvPath: string): Promise<Map<string, string>>;
}

/** Paths by the hash in their name. */
export interface HashPartIndex {
  /** The valid path with that hash part, or undefined. */
  queryPathFromHashPart(hashPart: string): Promise<string | undefined>;
}
