/** Deleting trees, read-only ones too. */
import fs from "node:fs";
import { disk, fsPath, hasErrorCode } from "./disk.ts";

const BLOCK = 512;

/** Deletes `path` whatever it is, or nothing when it does not exist; returns the bytes freed on disk. */
export function removePath(path: string): number {
  let stat: fs.Stats;
  try {
    stat = fs.lstatSync(fsPath(path));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return 0;
    throw error;
  }
  if (!stat.isDirectory()) {
    disk.unlink(path);
    return stat.nlink <= 2 ? stat.blocks * BLOCK : 0;
  }
  if ((stat.mode & 0o700) !== 0o700) disk.chmod(path, stat.mode | 0o700);
  let freed = stat.blocks * BLOCK;
  for (const name of fs.readdirSync(fsPath(path), { encoding: "latin1" })) freed += removePath(`${path}/${name}`);
  disk.rmdir(path);
  return freed;
}
