/** Lists the names in a directory, in the order of archives. */

import type { StatsBase } from "node:fs";
import * as fs from "./files.ts";

/** The kind of an entry of a directory; sockets, devices and the like are `unknown`. */
export type EntryKind = "regular" | "directory" | "symlink" | "unknown";

/** Returns names (byte strings) and kinds of the entries of a directory, sorted by bytes. Errors are those of `fs.readdirSync`. */
export function entriesIn(directory: string | Buffer): { readonly name: string; readonly kind: EntryKind }[] {
  const entries = fs.readdirSync(directory, { encoding: "latin1", withFileTypes: true });
  const known = entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  return known.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Tells the kind of an entry of a directory, or of a status (of the link itself, `lstat`). */
export function kindOf(entry: Pick<StatsBase<number>, "isFile" | "isDirectory" | "isSymbolicLink">): EntryKind {
  if (entry.isFile()) return "regular";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "unknown";
}
