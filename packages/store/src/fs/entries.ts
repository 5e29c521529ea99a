/** What a directory holds, in the order of archives. */
import fs from "node:fs";

/** What an entry of a directory is; sockets, devices and the like are `unknown`. */
export type EntryKind = "regular" | "directory" | "symlink" | "unknown";

/** Names (byte strings) and kinds of what lies in a directory, sorted by bytes. Errors are those of `fs.readdirSync`. */
export function entriesIn(directory: string | Buffer): { readonly name: string; readonly kind: EntryKind }[] {
  const entries = fs.readdirSync(directory, { encoding: "latin1", withFileTypes: true });
  const known = entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  return known.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function kindOf(entry: fs.Dirent): EntryKind {
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symlink";
  return entry.isFile() ? "regular" : "unknown";
}
