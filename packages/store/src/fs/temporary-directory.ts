/** Directories for the time of one piece of work. */
import { resolve } from "node:path";
import { mkdtempSync, temporaryParent } from "./files.ts";
import { removePath } from "./remove.ts";

/**
 * Makes a directory that only this user may enter and whose name starts with `prefix`, below the machine's temporary directory unless
 * `prefix` is absolute; `removeDirectory` ends it.
 */
export function makeTemporaryDirectory(prefix: string): string {
  return mkdtempSync(resolve(temporaryParent(), prefix));
}

/** Deletes a directory with all that strangers have put into it. */
export function removeDirectory(directory: string): void {
  removePath(directory);
}

/** Runs `work` with a directory of its own, which is deleted afterwards. */
export async function withTemporaryDirectory<Result>(
  prefix: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = makeTemporaryDirectory(prefix);
  try {
    return await work(directory);
  } finally {
    removeDirectory(directory);
  }
}
