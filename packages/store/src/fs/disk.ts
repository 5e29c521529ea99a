/**
 * Changes of files and of the database: every such step of the store goes through here, so that a test can stop the process
 * before any of them. Paths are byte strings.
 */
import fs from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { FirnError, printedBytes } from "@firn/formats/base";

const ASCII = /^[\x01-\x7f]*$/;

/** Returns a byte string in the form of Node's paths: text when it is ASCII, else raw bytes. Error `bad-path` when it has a null byte. */
export function fsPath(path: string): string | Buffer {
  if (ASCII.test(path)) return path;
  if (path.includes("\0")) {
    throw new FirnError("bad-path", `the path '${path.replaceAll("\0", "␀")}' contains a null byte`);
  }
  return Buffer.from(path, "latin1");
}

/** Called before each step with its name and subject; throwing stops the step. */
export type StepObserver = (step: string, subject: string) => void;

let observer: StepObserver | undefined;

/** Installs (or removes) the observer of steps. */
export function observeSteps(next: StepObserver | undefined): void {
  observer = next;
}

function before(step: string, subject: string): void {
  if (observer !== undefined) observer(step, subject);
}

/** Tells whether an error is a system error with one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Creates a temporary file of this process; a file left by a process with the same id is deleted, not written to. */
function createAnew(path: string, mode: number): number {
  try {
    return fs.openSync(fsPath(path), "wx", mode);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
    fs.unlinkSync(fsPath(path));
    return fs.openSync(fsPath(path), "wx", mode);
  }
}

/** The steps that change files. */
export const disk = {
  mkdir(path: string, mode = 0o777): void {
    before("mkdir", path);
    fs.mkdirSync(fsPath(path), { mode });
  },
  /**
   * Makes a directory and missing ones above it, one by one: Node's recursive mode hides that a file system is read-only, and
   * does not end below /proc.
   */
  mkdirs(path: string, mode = 0o777): void {
    if (fs.existsSync(fsPath(path))) return;
    const parent = path.replace(/\/+[^/]*\/*$/, "");
    if (parent !== "" && parent !== path) disk.mkdirs(parent, mode);
    try {
      disk.mkdir(path, mode);
    } catch (error) {
      if (!hasErrorCode(error, "EEXIST")) throw error;
    }
  },
  create(path: string, mode = 0o666): number {
    before("create", path);
    return fs.openSync(fsPath(path), "wx", mode);
  },
  write(fd: number, data: Uint8Array): void {
    before("write", String(fd));
    try {
      for (let at = 0; at < data.length; ) at += fs.writeSync(fd, data, at);
    } catch (error) {
      // Node tells the path of a failed call, but not of a write.
      if (error instanceof Error) Object.assign(error, { path: fs.readlinkSync(`/proc/self/fd/${fd}`) });
      throw error;
    }
  },
  /** Sets mode and modification time 1 of an open file. */
  seal(fd: number, mode: number): void {
    before("seal", String(fd));
    fs.fchmodSync(fd, mode);
    fs.futimesSync(fd, 1, 1);
  },
  chmod(path: string, mode: number): void {
    before("chmod", path);
    fs.chmodSync(fsPath(path), mode);
  },
  chown(path: string, uid: number, gid: number): void {
    before("chown", path);
    fs.chownSync(fsPath(path), uid, gid);
  },
  setMtime(path: string, seconds: number): void {
    before("utimes", path);
    fs.utimesSync(fsPath(path), seconds, seconds);
  },
  symlink(target: string, path: string): void {
    before("symlink", path);
    fs.symlinkSync(fsPath(target), fsPath(path));
  },
  link(existing: string, path: string): void {
    before("link", path);
    fs.linkSync(fsPath(existing), fsPath(path));
  },
  rename(from: string, to: string): void {
    before("rename", to);
    fs.renameSync(fsPath(from), fsPath(to));
  },
  unlink(path: string): void {
    before("unlink", path);
    fs.unlinkSync(fsPath(path));
  },
  rmdir(path: string): void {
    before("rmdir", path);
    fs.rmdirSync(fsPath(path));
  },
  fsyncFd(fd: number): void {
    before("fsync", String(fd));
    fs.fsyncSync(fd);
  },
  fsync(path: string): void {
    before("fsync", path);
    const fd = fs.openSync(fsPath(path), "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  sql(database: DatabaseSync, statement: string): void {
    before("sql", statement);
    database.exec(statement);
  },
  /** Replaces `path` by a link to `target` in one rename. */
  replaceSymlink(target: string, path: string): void {
    for (let n = 0; ; n++) {
      const temporary = `${path}.tmp-${process.pid}-${n}`;
      try {
        disk.symlink(target, temporary);
      } catch (error) {
        if (hasErrorCode(error, "EEXIST")) continue;
        throw error;
      }
      disk.rename(temporary, path);
      return;
    }
  },
  /**
   * Writes a whole file (a string is a byte string) through a temporary neighbour and one rename. With `sync` it is on the disk, under its name, when this
   * returns.
   */
  replaceFile(path: string, contents: string | Uint8Array, options: { mode?: number; sync?: boolean } = {}): void {
    const temporary = `${path}.tmp-${process.pid}`;
    before("replace", path);
    const fd = createAnew(temporary, options.mode ?? 0o666);
    try {
      fs.writeFileSync(fd, typeof contents === "string" ? printedBytes(contents) : contents);
      if (options.sync ?? false) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    disk.rename(temporary, path);
    if (options.sync ?? false) {
      // FAT writes where a renamed file begins with the file, not with its directory.
      disk.fsync(path);
      disk.fsync(dirname(path));
    }
  },
};
