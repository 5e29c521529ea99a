/** Additions to stores. */
import type { ContentAddressMethod, HashAlgorithm, PathInfo } from "@firn/formats";
import type { PathFilter } from "../fs/dump.ts";
import type { NarChunks } from "./paths.ts";

/**
 * Options of adding a path: `repair` replaces a valid path, `checkSignatures` demands a trusted key; `locked` tells that the caller
 * holds the path's lock.
 */
export interface AddOptions {
  readonly repair?: boolean;
  readonly checkSignatures?: boolean;
  readonly locked?: boolean;
}

/** Name, method and references of a new content-addressed object. */
export interface ContentOptions {
  readonly name: string;
  /** Method of content addressing; default `nar`. */
  readonly method?: ContentAddressMethod;
  /** Hash algorithm; default `sha256`. */
  readonly algorithm?: HashAlgorithm;
  readonly references?: readonly string[];
  readonly repair?: boolean;
  /** True when the store hardly has the object yet: its files are then written while they are hashed, and not read again. */
  readonly isNew?: boolean;
}

/** A text to add with `addTextsToStore`. */
export interface StoreText {
  readonly name: string;
  readonly contents: string | Uint8Array;
  readonly references: readonly string[];
  /** True of a derivation whose output paths the writer has computed, so that they need no check. */
  readonly computed?: boolean;
}

/** A path to add, with its facts and its archive. */
export interface AddedPath {
  readonly info: PathInfo;
  nar(): NarChunks;
}

/** Adds paths that exist elsewhere. */
export interface PathWriter {
  /** Adds a path with known facts from its NAR, which is checked against them; does nothing when it is valid already. */
  addToStore(info: PathInfo, nar: NarChunks, options?: AddOptions): Promise<void>;
  /** Adds paths in their order, each after those it refers to; present where one request is better than many. */
  addManyToStore?(paths: readonly AddedPath[], options?: AddOptions): Promise<void>;
  /**
   * Protects a path (valid or about to be) from garbage collection while this process lives; does nothing in stores without
   * collection.
   */
  addTempRoot(path: string): Promise<void>;
}

/** Makes content-addressed paths. */
export interface ContentWriter {
  /** Adds a content-addressed object from a NAR (for method `flat` and `text`: of one plain file). */
  addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo>;
}

/** Makes content-addressed paths of files and texts of this machine. */
export interface SourceWriter {
  /** Adds a file or tree from disk; `filter` chooses the files that belong to it. */
  addPath(source: string, options: ContentOptions & { readonly filter?: PathFilter | undefined }): Promise<PathInfo>;
  /** Adds a text with references (method `text`); returns its path. */
  addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string>;
  /** Adds many texts at once; one may refer to those before it. Returns their paths. */
  addTextsToStore(texts: readonly StoreText[]): Promise<string[]>;
}

/** Adds signatures of paths. */
export interface SignatureWriter {
  /** Adds signatures to a valid path; error `invalid-path`. */
  addSignatures(path: string, signatures: readonly string[]): Promise<void>;
}
