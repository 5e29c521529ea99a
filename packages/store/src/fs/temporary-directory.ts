/** Temporary directories. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { byteStringOf } from "@firn/formats";
import { removePath } from "./remove.ts";

/**
 * Makes a directory that only this user may enter and whose name starts with `prefix`, below the machine's temporary directory unless
 * `prefix` is absolute; `removeDirectory` ends it.
 */
export function makeTemporaryDirectory(prefix: string): Promise<string> {
  return mkdtemp(resolve(tmpdir(), prefix));
}

/** Deletes a directory, given by Node's text form of its path, with all its contents. */
export function removeDirectory(directory: string): void {
  removePath(byteStringOf(directory));
}

/** Runs `work` with a directory of its own, which is deleted afterwards. */
export async function withTemporaryDirectory<Result>(
  prefix: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await makeTemporaryDirectory(prefix);
  try {
    return await work(directory);
  } finally {
    removeDirectory(directory);
  }
}
