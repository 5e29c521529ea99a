/** Locks on store paths: a file `<path>.lock` beside each, deleted when the work is done. */

import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { lock, openLockFile, tryLock } from "./flock.ts";

interface HeldLock {
  readonly fd: number;
  readonly file: string;
}

/** Held locks; `release` must be called. */
export class PathLocks {
  #held: HeldLock[] = [];

  /** Waits for the locks of all `paths` (physical paths), always in the same order so that processes cannot deadlock. */
  static async acquire(paths: Iterable<string>, onWait?: (paths: readonly string[]) => void): Promise<PathLocks> {
    const locks = new PathLocks();
    const sorted = [...new Set(paths)].sort();
    try {
      for (const path of sorted) await locks.#take(path, () => onWait?.(sorted));
    } catch (error) {
      locks.release();
      throw error;
    }
    return locks;
  }

  /** Does the work of `acquire` without waiting; undefined when another process holds one of the locks. */
  static tryAcquire(paths: Iterable<string>): PathLocks | undefined {
    const locks = new PathLocks();
    for (const path of [...new Set(paths)].sort()) {
      if (!locks.#tryTake(path)) {
        locks.release();
        return undefined;
      }
    }
    return locks;
  }

  /** Drops the locks and deletes their files. */
  release(): void {
    for (const { fd, file } of this.#held.splice(0)) {
      try {
        try {
          fs.unlinkSync(file);
        } catch (error) {
          if (!hasErrorCode(error, "ENOENT")) throw error;
        }
        // Its size marks it as deleted for who waits for it; other than a byte, a hole has room on a full disk.
        fs.ftruncateSync(fd, 1);
      } finally {
        fs.closeSync(fd);
      }
    }
  }

  async #take(path: string, onWait: () => void): Promise<void> {
    const file = `${path}.lock`;
    for (;;) {
      const fd = openLockFile(file);
      await lock(fd, "write", onWait);
      if (this.#keep(fd, file)) return;
    }
  }

  #tryTake(path: string): boolean {
    const file = `${path}.lock`;
    for (;;) {
      const fd = openLockFile(file);
      if (!tryLock(fd, "write")) {
        fs.closeSync(fd);
        return false;
      }
      if (this.#keep(fd, file)) return true;
    }
  }

  /** Keeps a lock and returns true; returns false for a lock file that its last owner marked as deleted, which protects nothing. */
  #keep(fd: number, file: string): boolean {
    if (fs.fstatSync(fd).size !== 0) {
      fs.closeSync(fd);
      return false;
    }
    this.#held.push({ fd, file });
    return true;
  }
}
