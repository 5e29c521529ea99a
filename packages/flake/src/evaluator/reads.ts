/**
 * The reads of an evaluation: plain data that tells later whether the same evaluation would read the same again. All paths and names are
 * byte strings.
 */
import type { FileType } from "@firn/language";

/** A tree or file that was copied to the store. */
export interface TreeRead {
  readonly path: string;
  readonly name: string;
  readonly method: "flat" | "nar";
  readonly references: readonly string[];
  /** The paths below it (`/a/b`) that a filter kept; absent without a filter. */
  readonly include?: readonly string[];
  /** True when nothing but what `include` lists belongs to it: other names that appear there do not matter. */
  readonly isListed?: boolean;
  /** The store path that it has. */
  readonly storePath: string;
}

/** The reads of one answer, beyond those of the answers before it. */
export interface Reads {
  /** The reason for which the evaluation cannot be compared with a later one; absent for most. */
  unrepeatable?: string;
  /** Kinds of files by path, links not followed; null where there was nothing. */
  readonly types: [path: string, type: FileType | null][];
  /** Paths without links by path. */
  readonly resolved: [path: string, place: string][];
  /** Digests of contents by path, links followed. */
  readonly files: [path: string, digest: string][];
  /** Digests of listings (names and kinds) by path, links followed. */
  readonly directories: [path: string, digest: string][];
  readonly variables: [name: string, value: string][];
  readonly trees: TreeRead[];
  /** Store paths that were read or needed. */
  readonly storePaths: string[];
}

/** Makes the reads of an evaluation that has read nothing. */
export function noReads(): Reads {
  return { types: [], resolved: [], files: [], directories: [], variables: [], trees: [], storePaths: [] };
}
