/** Sharing equal files within a store. */
import { toNix32 } from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import { type EntryPlace, OpenDirectory, openParentOf } from "../fs/open-directory.ts";
import { type WalkStep, walk } from "../fs/walk.ts";
import type { OptimiseResult } from "../store/upkeep.ts";
import { hashTree } from "./hash-tree.ts";

/** The files of `.links` while trees are optimised. */
interface Links {
  readonly directory: OpenDirectory;
  /** The directory of all paths: what is left there after a kill belongs to no path. */
  readonly storeDirectory: OpenDirectory;
  /** The inodes of its files: what has one of these needs no reading, so that an interrupted run is soon where it was. */
  readonly inodes: Set<number>;
  readonly warn: (text: string) => void;
  /** True to compare the contents of a file of `.links` with its name before it is used. */
  readonly checks: boolean;
}

/** Replaces equal files in these trees below a store by hard links to one file in `.links`, as the reference does. */
export function optimiseTrees(
  realStoreDir: string,
  trees: Iterable<string>,
  options: { readonly warn?: (text: string) => void; readonly all?: boolean; readonly repair?: boolean } = {},
): OptimiseResult {
  let filesLinked = 0;
  let bytesFreed = 0;
  const storeDirectory = OpenDirectory.open(realStoreDir);
  const directory = storeDirectory.openDirectory(".links");
  try {
    const links: Links = {
      directory,
      storeDirectory,
      inodes: new Set(),
      warn: options.warn ?? (() => {}),
      checks: options.repair ?? false,
    };
    if (options.all === true) for (const { name } of directory.entries()) remember(links, name);
    for (const tree of trees) {
      const { parent, name } = openParentOf(tree);
      try {
        for (const step of walk(parent, name)) {
          if (step.kind !== "file" || !replaceByShared(links, step)) continue;
          filesLinked++;
          bytesFreed += step.stat.size;
        }
      } finally {
        parent.close();
      }
    }
  } finally {
    directory.close();
    storeDirectory.close();
  }
  return { filesLinked, bytesFreed };
}

function remember(links: Links, name: string): void {
  const stat = links.directory.find(name);
  if (stat !== undefined) links.inodes.add(stat.ino);
}

/**
 * Replaces a file by a hard link to the file of `.links` with the same contents, or makes it the first of these; returns true
 * when it was replaced.
 */
function replaceByShared(links: Links, file: Extract<WalkStep, { kind: "file" }>): boolean {
  const { parent, name, stat } = file;
  if (!stat.isFile() && !stat.isSymbolicLink()) return false;
  if (stat.isFile() && (stat.mode & 0o200) !== 0) {
    links.warn(`skipping suspicious writable file '"${parent.show(name)}"'`);
    return false;
  }
  if (stat.nlink > 1 && links.inodes.has(stat.ino)) return false;
  const link = toNix32(parent.with(name, (path) => hashTree(path).hash.bytes));
  const known = links.directory.find(link);
  const damaged = known !== undefined && (known.size !== stat.size || (links.checks && !isGood(links, link)));
  if (known === undefined || damaged) {
    if (known !== undefined) {
      links.warn(`removing corrupted link '"${links.directory.show(link)}"'`);
      links.directory.unlink(link);
    }
    try {
      linkInto(parent, name, { parent: links.directory, name: link });
      links.inodes.add(stat.ino);
    } catch (error) {
      // The file has as many links as its file system allows, or another process was first.
      if (!hasErrorCode(error, "EEXIST", "EMLINK", "ENOSPC")) throw error;
    }
    return false;
  }
  if (known.ino === stat.ino) return false;
  return replaceByLink(links, link, file);
}

function isGood({ directory }: Links, name: string): boolean {
  return directory.with(name, (path) => toNix32(hashTree(path).hash.bytes)) === name;
}

function linkInto(parent: OpenDirectory, name: string, target: EntryPlace): void {
  parent.with(name, (from) => target.parent.with(target.name, (to) => disk.link(from, to)));
}

function replaceByLink(links: Links, link: string, { parent, name }: EntryPlace): boolean {
  const { mode } = parent.stat();
  const unlock = (mode & 0o200) === 0;
  const temporary = `.tmp-link-${process.pid}-${Math.random().toString(36).slice(2)}`;
  if (unlock) parent.chmod(mode | 0o200);
  try {
    linkInto(links.directory, link, { parent: links.storeDirectory, name: temporary });
    links.storeDirectory.with(temporary, (from) => parent.with(name, (to) => disk.rename(from, to)));
    return true;
  } catch (error) {
    if (!hasErrorCode(error, "EMLINK")) throw error;
    return false;
  } finally {
    if (unlock) {
      parent.chmod(mode & 0o7777);
      parent.setMtime(1);
    }
  }
}
