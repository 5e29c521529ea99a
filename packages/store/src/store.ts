/** What every store can do, wherever its paths lie. Paths are full logical store paths (byte strings). */
import type { ContentAddressMethod, HashAlgorithm, PathInfo } from "@firn/formats";

/** A NAR in chunks. */
export type NarChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How to add: `repair` replaces a valid path, `checkSignatures` demands a trusted key. */
export interface AddOptions {
  readonly repair?: boolean;
  readonly checkSignatures?: boolean;
}

/** How a new content-addressed object is made. */
export interface ContentOptions {
  readonly name: string;
  /** Default `nar`. */
  readonly method?: ContentAddressMethod;
  /** Default `sha256`. */
  readonly algorithm?: HashAlgorithm;
  readonly references?: readonly string[];
  readonly repair?: boolean;
}

/** A store: the local one, a binary cache, later a daemon or another machine. */
export interface Store {
  /** For messages, e.g. `local`, `https://cache.example.org`. */
  readonly uri: string;
  /** The logical directory of its paths. */
  readonly storeDir: string;
  isValidPath(path: string): Promise<boolean>;
  /** Those of `paths` that are valid. */
  queryValidPaths(paths: Iterable<string>): Promise<Set<string>>;
  /** Every valid path; error `unsupported` where a store cannot list. */
  queryAllValidPaths(): Promise<string[]>;
  /** Facts about a valid path, or undefined. */
  queryPathInfo(path: string): Promise<PathInfo | undefined>;
  /** Valid paths that refer to `path`. */
  queryReferrers(path: string): Promise<string[]>;
  /** Valid derivations that have `path` as an output. */
  queryValidDerivers(path: string): Promise<string[]>;
  queryPathFromHashPart(hashPart: string): Promise<string | undefined>;
  /** Adds a path with known facts from its NAR, which is checked against them; does nothing when it is valid already. */
  addToStore(info: PathInfo, nar: NarChunks, options?: AddOptions): Promise<void>;
  /** Adds a content-addressed object from a NAR (for method `flat` and `text`: of one plain file). */
  addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo>;
  /** Adds a text with references (method `text`); returns its path. */
  addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string>;
  /** The NAR of a valid path; error `invalid-path`. */
  narFromPath(path: string): NarChunks;
  addSignatures(path: string, signatures: readonly string[]): Promise<void>;
  /** Protects a path (valid or about to be) from garbage collection while this process lives. */
  addTempRoot(path: string): Promise<void>;
  close(): Promise<void>;
}
