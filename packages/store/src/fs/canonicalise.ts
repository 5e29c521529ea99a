/** Makes a finished tree immutable and anonymous: modes 0444/0555, modification time 1, own uid, no extended attributes. */
import fs from "node:fs";
import { FirnError } from "@firn/formats";
import { libc } from "../locks/libc.ts";
import { disk, fsPath } from "./disk.ts";

/** What to accept: `owner` is the only uid a build may leave files of; `keepAttributes` are left alone. */
export interface CanonicaliseOptions {
  readonly owner?: number;
  readonly keepAttributes?: readonly string[];
}

/** Canonicalises `path` and everything below it. Errors `unsupported-file-type`, `invalid-ownership`. */
export function canonicalise(path: string, options: CanonicaliseOptions = {}): void {
  walk(path, { ...options, seen: new Set() });
}

function walk(path: string, options: CanonicaliseOptions & { seen: Set<string> }): void {
  const stat = fs.lstatSync(fsPath(path));
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) {
    throw new FirnError("unsupported-file-type", `file "${path}" has an unsupported type`);
  }
  removeAttributes(path, options.keepAttributes ?? []);
  const inode = `${stat.dev}:${stat.ino}`;
  if (options.owner !== undefined && stat.uid !== options.owner) {
    if (stat.isDirectory() || !options.seen.has(inode)) {
      throw new FirnError("invalid-ownership", `invalid ownership on file "${path}"`);
    }
    return;
  }
  options.seen.add(inode);
  if (stat.isDirectory()) {
    if ((stat.mode & 0o700) !== 0o700) disk.chmod(path, 0o755);
    for (const name of fs.readdirSync(fsPath(path), { encoding: "latin1" })) walk(`${path}/${name}`, options);
  }
  const uid = process.geteuid?.() ?? stat.uid;
  if (stat.uid !== uid) disk.chown(path, uid, process.getegid?.() ?? stat.gid);
  if (!stat.isSymbolicLink()) {
    const mode = stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o555 : 0o444;
    if ((stat.mode & 0o7777) !== mode || stat.isDirectory()) disk.chmod(path, mode);
  }
  if (stat.mtimeMs !== 1000 || stat.isDirectory()) disk.setMtime(path, 1);
}

function removeAttributes(path: string, keep: readonly string[]): void {
  const library = libc();
  if (library === null) return;
  const file = Buffer.from(`${path}\0`, "latin1");
  const size = library.llistxattr(file, null, 0);
  if (size <= 0) return;
  const list = Buffer.alloc(size);
  const used = library.llistxattr(file, list, size);
  for (const name of list.toString("latin1", 0, Math.max(used, 0)).split("\0")) {
    if (name === "" || keep.includes(name)) continue;
    if (library.lremovexattr(file, name) !== 0) {
      throw new FirnError(
        "xattr-failed",
        `removing extended attribute '${name}' from "${path}": errno ${library.errno()}`,
      );
    }
  }
}
