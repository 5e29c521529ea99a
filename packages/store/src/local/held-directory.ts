/**
 * Directories of builds, which belong to a process while it lives: the process holds a lock on each, so that a collection can
 * recognise those left behind by a killed one. Directories of other programs have other names, and those kept on purpose a file
 * that says so; they are left alone.
 */

import path from "node:path";
import { disk, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { OpenDirectory } from "../fs/open-directory.ts";
import { removePath } from "../fs/remove.ts";
import { tryLock } from "../locks/flock.ts";

const HELD = "firn-";
/** The file in a directory that is kept. */
const KEPT = ".kept";

/** A directory that only this process's user may enter. Paths are byte strings. */
export interface HeldDirectory {
  readonly path: string;
  /** Marks it so that no collection deletes it, and releases it. */
  keep(): void;
  /** Deletes it. */
  remove(): void;
}

/** Makes a directory below `parent` and holds it. */
export function makeHeldDirectory(parent: string): HeldDirectory {
  const made = fs.mkdtempSync(path.join(parent, `nix-${process.pid}-`));
  const directory = OpenDirectory.open(made);
  tryLock(directory.fd, "write");
  // Under this name it is locked from the first moment on.
  const held = `${parent}/${HELD}${path.posix.basename(made)}`;
  disk.rename(made, held);
  return {
    path: held,
    keep() {
      fs.closeSync(directory.create(KEPT, 0o600));
      directory.close();
    },
    remove() {
      removePath(held);
      directory.close();
    },
  };
}

/** Deletes the directories below `parent` that dead processes held; returns their paths and the bytes freed. */
export function removeLeftDirectories(parent: string): {
  readonly paths: readonly string[];
  readonly bytesFreed: number;
} {
  let names: string[];
  try {
    names = fs.readdirSync(parent, { encoding: "latin1" });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return { paths: [], bytesFreed: 0 };
    throw error;
  }
  const paths: string[] = [];
  let bytesFreed = 0;
  for (const name of names) {
    if (!name.startsWith(HELD)) continue;
    const left = `${parent}/${name}`;
    let directory: OpenDirectory;
    try {
      directory = OpenDirectory.open(left);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) continue;
      throw error;
    }
    try {
      if (!tryLock(directory.fd, "write") || directory.find(KEPT) !== undefined) continue;
      bytesFreed += removePath(left);
      paths.push(left);
    } finally {
      directory.close();
    }
  }
  return { paths, bytesFreed };
}
