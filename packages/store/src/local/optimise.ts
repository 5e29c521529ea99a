/** Sharing equal files within a store. */
import { createHasher, type Hash, toNix32 } from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import { dumpPath } from "../fs/dump.ts";
import { type EntryPlace, OpenDirectory, openParentOf } from "../fs/open-directory.ts";
import { type WalkStep, walk } from "../fs/walk.ts";

/** Returns the NAR hash and size of a tree on disk. */
export function hashTree(real: string): { hash: Hash; size: number } {
  const hasher = createHasher("sha256");
  let size = 0;
  for (const chunk of dumpPath(real)) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: { algorithm: "sha256", bytes: hasher.digest() }, size };
}

/** The savings of optimising. */
export interface OptimiseResult {
  readonly filesLinked: number;
  readonly bytesFreed: number;
}

/** Replaces equal files in these trees below a store by hard links to one file in `.links`, as the reference does. */
export function optimiseTrees(realStoreDir: string, trees: Iterable<string>): OptimiseResult {
  let filesLinked = 0;
  let bytesFreed = 0;
  const links = OpenDirectory.open(`${realStoreDir}/.links`);
  try {
    for (const tree of trees) {
      const { parent, name } = openParentOf(tree);
      try {
        for (const step of walk(parent, name)) {
          if (step.kind !== "file" || !replaceByShared(links, step)) continue;
          filesLinked++;
          bytesFreed += step.stat.nlink === 1 ? step.stat.blocks * 512 : 0;
        }
      } finally {
        parent.close();
      }
    }
  } finally {
    links.close();
  }
  return { filesLinked, bytesFreed };
}

/**
 * Replaces a file by a hard link to the file of `.links` with the same contents, or makes it the first of these; returns true
 * when it was replaced.
 */
function replaceByShared(links: OpenDirectory, file: Extract<WalkStep, { kind: "file" }>): boolean {
  const { parent, name, stat } = file;
  if (!stat.isFile() || (stat.mode & 0o222) !== 0 || stat.size === 0) return false;
  const link = toNix32(parent.with(name, (path) => hashTree(path).hash.bytes));
  const known = links.find(link);
  if (known === undefined) {
    try {
      linkInto(parent, name, { parent: links, name: link });
    } catch (error) {
      // The file has as many links as its file system allows, or another process was first.
      if (!hasErrorCode(error, "EEXIST", "EMLINK", "ENOSPC")) throw error;
    }
    return false;
  }
  if (known.ino === stat.ino || known.size !== stat.size) return false;
  replaceByLink(links, link, file);
  return true;
}

function linkInto(parent: OpenDirectory, name: string, target: EntryPlace): void {
  parent.with(name, (from) => target.parent.with(target.name, (to) => disk.link(from, to)));
}

function replaceByLink(links: OpenDirectory, link: string, { parent, name }: EntryPlace): void {
  const { mode } = parent.stat();
  const unlock = (mode & 0o200) === 0;
  const temporary = `.tmp-link-${process.pid}`;
  if (unlock) parent.chmod(mode | 0o200);
  try {
    linkInto(links, link, { parent, name: temporary });
    parent.with(temporary, (from) => parent.with(name, (to) => disk.rename(from, to)));
  } catch (error) {
    if (!hasErrorCode(error, "EMLINK")) throw error;
  } finally {
    if (unlock) {
      parent.chmod(mode & 0o7777);
      parent.setMtime(1);
    }
  }
}
