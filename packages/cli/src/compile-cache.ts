/** The place of compiled code between runs: below the user's own cache directory only, since what lies there is run. */

import type { Stats } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { mkdirSync, statSync } from "@firn/store/files";

/** Keeps compiled code from now on, if the environment has a directory that is this user's own; otherwise keeps none. */
export function keepCompiledCode(environment: Readonly<Record<string, string | undefined>>): void {
  // Node itself would use the directory for temporary files, in which anybody can put some.
  const directory = environment.NODE_COMPILE_CACHE ?? ownDirectory(environment);
  if (directory !== undefined) enableCompileCache(directory);
}

function ownDirectory({
  XDG_CACHE_HOME: caches,
  HOME: home,
}: Readonly<Record<string, string | undefined>>): string | undefined {
  const base = caches?.startsWith("/") ? caches : home?.startsWith("/") ? join(home, ".cache") : undefined;
  if (base === undefined) return undefined;
  const directory = join(base, "firn/node");
  return isOwn(base) || isOwn(join(base, "..")) ? made(directory) : undefined;
}

function isOwn(directory: string): boolean {
  const status = statusOf(directory);
  return status?.isDirectory() === true && status.uid === process.getuid?.() && (status.mode & 0o022) === 0;
}

/** Returns the status of a file; undefined when there is none, or it cannot be reached. */
function statusOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  }
}

/** Makes the directory and returns it. It is made one level at a time: below /proc, Node's recursive mode does not end. */
function made(directory: string): string | undefined {
  try {
    for (const part of [join(directory, "../.."), join(directory, ".."), directory]) {
      if (statSync(part, { throwIfNoEntry: false }) === undefined) mkdirSync(part, { mode: 0o700 });
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  }
  return directory;
}
