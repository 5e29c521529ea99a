/** Writing data to disk that the kernel has in memory only. */
import fs from "node:fs";
import { FirnError } from "@firn/formats";
import { libc } from "../locks/libc.ts";
import { runProgramSync } from "../program/start.ts";
import { fsPath } from "./disk.ts";

/**
 * Waits until everything written to the file system that holds `path` (a byte string) is on its disk: syncfs(2). Fails with
 * `not-written` when the disk does not take it.
 */
export function syncFileSystem(path: string): void {
  const library = libc();
  const fd = fs.openSync(fsPath(path), "r");
  try {
    const failed =
      library === null
        ? runProgramSync("sync", ["-f", "/proc/self/fd/3"], { stdio: ["ignore", "ignore", "ignore", fd] }).status !== 0
        : library.syncfs(fd) !== 0;
    if (failed) throw new FirnError("not-written", `what was written below '${path}' cannot be put on the disk`);
  } finally {
    fs.closeSync(fd);
  }
}
