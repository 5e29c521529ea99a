/** Makes a finished tree immutable and anonymous: modes 0444/0555, modification time 1, own uid, no extended attributes. */
import type { Stats } from "node:fs";
import { FirnError } from "@firn/formats";
import { libc } from "../locks/libc.ts";
import { type OpenDirectory, openParentOf } from "./open-directory.ts";
import { walk } from "./walk.ts";

/** Options of canonicalising: `owner` is the only uid that files of a build may have; attributes in `keepAttributes` are left alone. */
export interface CanonicaliseOptions {
  readonly owner?: number;
  readonly keepAttributes?: readonly string[];
}

/**
 * Canonicalises `path` and everything below it; links planted or moved into it meanwhile are not followed. Errors
 * `unsupported-file-type`, `invalid-ownership`, `xattr-failed`.
 */
export function canonicalise(path: string, options: CanonicaliseOptions = {}): void {
  const { parent, name } = openParentOf(path);
  const seen = new Set<string>();
  try {
    for (const step of walk(parent, name, { unlock: true })) {
      if (step.kind === "leave") sealDirectory(step.directory);
      else canonicaliseEntry(step.parent, step.name, { ...options, seen, stat: step.stat });
    }
  } finally {
    parent.close();
  }
}

/** Gives a directory its final mode and time, once its contents change no more. */
function sealDirectory(directory: OpenDirectory): void {
  directory.chmod(0o555);
  directory.setMtime(1);
}

interface EntryOptions extends CanonicaliseOptions {
  readonly seen: Set<string>;
  readonly stat: Stats;
}

function canonicaliseEntry(parent: OpenDirectory, name: string, options: EntryOptions): void {
  const { stat, owner, seen } = options;
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) {
    throw new FirnError("unsupported-file-type", `file "${parent.show(name)}" has an unsupported type`);
  }
  removeAttributes(parent, name, options.keepAttributes ?? []);
  const inode = `${stat.dev}:${stat.ino}`;
  if (owner !== undefined && stat.uid !== owner) {
    // A hard link to a file that was taken over already.
    if (!stat.isDirectory() && seen.has(inode)) return;
    throw new FirnError("invalid-ownership", `invalid ownership on file "${parent.show(name)}"`);
  }
  seen.add(inode);
  const mode = stat.isSymbolicLink() ? stat.mode & 0o7777 : (stat.mode & 0o100) !== 0 ? 0o555 : 0o444;
  const uid = process.geteuid?.() ?? stat.uid;
  const right = stat.isDirectory() || ((stat.mode & 0o7777) === mode && stat.mtimeMs === 1000);
  if (right && stat.uid === uid) return;
  const place = parent.openPlace(name);
  try {
    if (stat.uid !== uid) place.chown(uid, process.getegid?.() ?? stat.gid);
    if (stat.isDirectory()) return;
    if ((stat.mode & 0o7777) !== mode) place.chmod(mode);
    if (stat.mtimeMs !== 1000) place.setMtime(1);
  } finally {
    place.close();
  }
}

function removeAttributes(parent: OpenDirectory, name: string, keep: readonly string[]): void {
  const library = libc();
  if (library === null) return;
  parent.with(name, (path) => {
    const file = Buffer.from(`${path}\0`, "latin1");
    const size = library.llistxattr(file, null, 0);
    if (size <= 0) return;
    const list = Buffer.alloc(size);
    const used = library.llistxattr(file, list, size);
    for (const attribute of list.toString("latin1", 0, Math.max(used, 0)).split("\0")) {
      if (attribute === "" || keep.includes(attribute)) continue;
      if (library.lremovexattr(file, attribute) !== 0) {
        throw new FirnError(
          "xattr-failed",
          `removing extended attribute '${attribute}' from "${parent.show(name)}": errno ${library.errno()}`,
        );
      }
    }
  });
}
