/** Access to single files of a store path: on disk, or in its archive. */
import { FirnError, NarLister, type NarListing, printHash } from "@firn/formats";
import { readFileChunks } from "../fs/dump.ts";
import { entriesIn } from "../fs/entries.ts";
import * as fs from "../fs/files.ts";
import { withTemporaryDirectory } from "../fs/temporary-directory.ts";
import type { NarChunks } from "../store/paths.ts";
import type { Store } from "../store/store.ts";
import { BinaryCacheStore } from "../substitute/binary-cache.ts";

/** A file system object of a tree; `offset` is the place of its contents in the archive that it was read from. */
export type TreeEntry =
  | { readonly kind: "regular"; readonly executable: boolean; readonly size: number; readonly offset?: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly names: readonly string[] };

/** A tree whose objects are looked at one by one; paths are `""` for the root and `/a/b` below it. No link is followed. */
export interface TreeAccess {
  /** Returns an object, or undefined when there is none. */
  find(path: string): TreeEntry | undefined;
  /** Yields the contents of a regular file. Error `not-a-file`. */
  read(path: string): Iterable<Uint8Array>;
}

function notAFile(path: string): FirnError {
  return new FirnError("not-a-file", `path '${path === "" ? "/" : path}' is not a regular file`);
}

/** Returns access to a tree on disk. */
export function diskTree(root: string): TreeAccess {
  const throughLink = (path: string): boolean => {
    for (let slash = path.indexOf("/", 1); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (fs.lstatSync(root + path.slice(0, slash), { throwIfNoEntry: false })?.isDirectory() !== true) return true;
    }
    return path !== "" && fs.lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true;
  };
  return {
    find(path) {
      if (throughLink(path)) return undefined;
      const stat = fs.lstatSync(root + path, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      if (stat.isSymbolicLink()) return { kind: "symlink", target: fs.readlinkSync(root + path, "latin1") };
      if (stat.isDirectory()) return { kind: "directory", names: entriesIn(root + path).map(({ name }) => name) };
      return { kind: "regular", executable: (stat.mode & 0o100) !== 0, size: stat.size };
    },
    read(path) {
      if (this.find(path)?.kind !== "regular") throw notAFile(path);
      return readFileChunks(root + path);
    },
  };
}

/** Returns access to the tree in an archive, a file on disk. Error `bad-nar`. */
export function narFileTree(file: string): TreeAccess {
  const lister = new NarLister();
  for (const chunk of readFileChunks(file)) lister.push(chunk);
  const root = lister.result();
  const at = (path: string): NarListing | undefined => {
    let node: NarListing | undefined = root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      node = node?.kind === "directory" ? node.entries.get(name) : undefined;
    }
    return node;
  };
  return {
    find(path) {
      const node = at(path);
      return node?.kind === "directory" ? { kind: "directory", names: [...node.entries.keys()] } : node;
    },
    read(path) {
      const node = at(path);
      if (node?.kind !== "regular") throw notAFile(path);
      return readRange(file, node.offset, node.size);
    },
  };
}

const CHUNK = 1 << 16;

function* readRange(file: string, offset: number, size: number): Generator<Uint8Array, void, undefined> {
  const fd = fs.openSync(file, "r");
  try {
    for (let done = 0; done < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - done));
      const count = fs.readSync(fd, buffer, 0, buffer.length, offset + done);
      if (count === 0) throw new FirnError("bad-nar", "bad archive: unexpected end-of-file");
      yield buffer.subarray(0, count);
      done += count;
    }
  } finally {
    fs.closeSync(fd);
  }
}

async function writeChunks(file: string, chunks: NarChunks): Promise<void> {
  const fd = fs.openSync(file, "w");
  try {
    for await (const chunk of chunks) fs.writeSync(fd, chunk);
  } finally {
    fs.closeSync(fd);
  }
}

/** Runs `work` with access to the tree in an archive, which is kept in a temporary file meanwhile. */
export async function withNarTree<Result>(
  nar: NarChunks,
  work: (tree: TreeAccess) => Promise<Result>,
): Promise<Result> {
  return withTemporaryDirectory("firn-nar-", async (directory) => {
    const file = `${directory}/archive`;
    await writeChunks(file, nar);
    return work(narFileTree(file));
  });
}

/** Runs `work` with access to a path's tree, on disk where the store has it there. Error `invalid-path`. */
export async function withPathTree<Result>(
  store: Store,
  path: string,
  work: (tree: TreeAccess) => Promise<Result>,
): Promise<Result> {
  if (!(await store.isValidPath(path))) throw new FirnError("invalid-path", `path '${path}' is not valid`);
  const { files } = store.offers;
  if (files !== undefined) return work(diskTree(files.realPath(path)));
  const kept = store instanceof BinaryCacheStore ? await keptArchive(store, path) : undefined;
  return kept === undefined ? withNarTree(store.narFromPath(path), work) : work(narFileTree(kept));
}

/** Returns the archive of a path in the directory of archives that a cache is to keep; undefined when it is to keep none. */
async function keptArchive(cache: BinaryCacheStore, path: string): Promise<string | undefined> {
  const { localNarCache } = cache;
  const info = localNarCache === undefined ? undefined : await cache.queryPathInfo(path);
  if (localNarCache === undefined || info === undefined) return undefined;
  const file = `${localNarCache}/${printHash(info.narHash, "nix32", false)}.nar`;
  if (fs.lstatSync(file, { throwIfNoEntry: false })?.size === info.narSize) return file;
  fs.mkdirSync(localNarCache, { recursive: true });
  const unfinished = `${file}.tmp-${process.pid}`;
  try {
    await writeChunks(unfinished, cache.narFromPath(path));
    fs.renameSync(unfinished, file);
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
  return file;
}
