/** Sharing equal files within a store. */
import fs from "node:fs";
import { createHasher, type Hash, toNix32 } from "@firn/formats";
import { disk, fsPath, hasErrorCode } from "../fs/disk.ts";
import { dumpPath } from "../fs/dump.ts";

/** The NAR hash and size of a tree on disk. */
export function hashTree(real: string): { hash: Hash; size: number } {
  const hasher = createHasher("sha256");
  let size = 0;
  for (const chunk of dumpPath(real)) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: { algorithm: "sha256", bytes: hasher.digest() }, size };
}

/** What optimising saved. */
export interface OptimiseResult {
  readonly filesLinked: number;
  readonly bytesFreed: number;
}

/** In these trees below a store, replaces equal files by hard links to one file in `.links`, as the reference does. */
export function optimiseTrees(realStoreDir: string, trees: Iterable<string>): OptimiseResult {
  let filesLinked = 0;
  let bytesFreed = 0;
  const links = `${realStoreDir}/.links`;
  const visit = (real: string): void => {
    const stat = fs.lstatSync(fsPath(real));
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(fsPath(real), { encoding: "latin1" })) visit(`${real}/${name}`);
      return;
    }
    if (!stat.isFile() || (stat.mode & 0o222) !== 0 || stat.size === 0) return;
    const link = `${links}/${toNix32(hashTree(real).hash.bytes)}`;
    const known = fs.lstatSync(fsPath(link), { throwIfNoEntry: false });
    if (known === undefined) {
      try {
        disk.link(real, link);
      } catch (error) {
        // The file has as many links as its file system allows, or another process was first.
        if (!hasErrorCode(error, "EEXIST", "EMLINK", "ENOSPC")) throw error;
      }
      return;
    }
    if (known.ino === stat.ino || known.size !== stat.size) return;
    replaceByLink(link, real);
    filesLinked++;
    bytesFreed += stat.nlink === 1 ? stat.blocks * 512 : 0;
  };
  for (const tree of trees) visit(tree);
  return { filesLinked, bytesFreed };
}

function replaceByLink(link: string, real: string): void {
  const directory = real.slice(0, real.lastIndexOf("/"));
  const stat = fs.lstatSync(fsPath(directory));
  const unlock = (stat.mode & 0o200) === 0;
  const temporary = `${directory}/.tmp-link-${process.pid}`;
  if (unlock) disk.chmod(directory, stat.mode | 0o200);
  try {
    disk.link(link, temporary);
    disk.rename(temporary, real);
  } catch (error) {
    if (!hasErrorCode(error, "EMLINK")) throw error;
  } finally {
    if (unlock) {
      disk.chmod(directory, stat.mode & 0o7777);
      disk.setMtime(directory, 1);
    }
  }
}
