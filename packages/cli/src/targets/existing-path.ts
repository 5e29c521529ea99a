/** Files that a command line names. */
import { resolve } from "node:path";
import { FirnError } from "@firn/formats/base";
import { lstatSync } from "@firn/store/files";

/** Returns the absolute path of a file or directory that a command line names. Error `not-found` when there is none. */
export function existingPath(cwd: string, word: string): string {
  const path = resolve(cwd, word);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new FirnError("not-found", `path '${path}' does not exist`);
  }
  return path;
}
