/** flock(2) on open files: the reference's locks, so both programs respect each other's. */

import { setTimeout as sleep } from "node:timers/promises";
import { FirnError } from "@firn/formats";
import * as fs from "../fs/files.ts";
import { runProgramSync } from "../program/start.ts";
import { libc } from "./libc.ts";

/** The kind of a lock: shared, exclusive, or none. */
export type LockKind = "read" | "write" | "none";

const OPERATIONS = { read: 1, write: 2, none: 8 };
const NON_BLOCKING = 4;
const EINTR = 4;
const EWOULDBLOCK = 11;
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 100;

/** Opens (creating when missing) a lock file, mode 0600. */
export function openLockFile(path: string): number {
  return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
}

/** Takes or drops a lock without waiting; returns false when another process holds it. */
export function tryLock(fd: number, kind: LockKind): boolean {
  const library = libc();
  if (library === null) return tryLockByProgram(fd, kind);
  for (;;) {
    if (library.flock(fd, OPERATIONS[kind] | NON_BLOCKING) === 0) return true;
    const code = library.errno();
    if (code === EWOULDBLOCK) return false;
    if (code !== EINTR) throw new FirnError("lock-failed", `acquiring/releasing lock: errno ${code}`);
  }
}

function tryLockByProgram(fd: number, kind: LockKind): boolean {
  const flag = { read: "-s", write: "-x", none: "-u" }[kind];
  const result = runProgramSync("flock", ["-n", flag, "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (result.error !== undefined) {
    throw new FirnError(
      "lock-failed",
      "cannot lock files: neither the package koffi nor the program flock is installed",
      {
        hint: "install util-linux, which brings flock",
      },
    );
  }
  return result.status === 0;
}

/** Takes a lock, waiting for it; `onWait` is called once if it has to wait. */
export async function lock(fd: number, kind: LockKind, onWait?: () => void): Promise<void> {
  if (tryLock(fd, kind)) return;
  onWait?.();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    await sleep(wait);
    if (tryLock(fd, kind)) return;
  }
}
