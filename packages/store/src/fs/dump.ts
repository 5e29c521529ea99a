/** The NAR of a tree on disk, streamed with synchronous reads. */
import fs from "node:fs";
import { FirnError, NarEncoder } from "@firn/formats";
import { fsPath } from "./disk.ts";
import { type EntryKind, entriesIn } from "./entries.ts";

const CHUNK = 1 << 18;

/** Decides whether a file below the root is part of the tree; gets its path relative to the root (`/a/b`) and its kind. */
export type PathFilter = (path: string, kind: EntryKind) => boolean;

/** Yields the NAR of `path` (byte string). Chunks may be kept. Error `unsupported-file-type` for sockets, devices and the like. */
export function* dumpPath(path: string, filter?: PathFilter): Generator<Uint8Array, void, undefined> {
  const encoder = new NarEncoder();
  yield* node(encoder, path, { relative: "", filter });
  yield* encoder.take(true);
}

interface Place {
  readonly relative: string;
  readonly filter: PathFilter | undefined;
}

function* node(encoder: NarEncoder, path: string, place: Place): Generator<Uint8Array, void, undefined> {
  const stat = fs.lstatSync(fsPath(path));
  if (stat.isDirectory()) {
    encoder.directory();
    for (const { name, kind } of entriesIn(fsPath(path))) {
      const relative = `${place.relative}/${name}`;
      if (place.filter?.(relative, kind) === false) continue;
      encoder.entry(name);
      yield* node(encoder, `${path === "/" ? "" : path}/${name}`, { relative, filter: place.filter });
      encoder.endEntry();
    }
    encoder.endDirectory();
    yield* encoder.take();
  } else if (stat.isSymbolicLink()) {
    encoder.symlink(fs.readlinkSync(fsPath(path), { encoding: "latin1" }));
  } else if (stat.isFile()) {
    encoder.file(stat.size, (stat.mode & 0o100) !== 0);
    if (stat.size > 0) yield* contents(encoder, path, stat.size);
  } else {
    throw new FirnError("unsupported-file-type", `file '${path}' has an unsupported type`);
  }
}

/** Small files are read into this: the encoder copies what is less than a chunk of its own. */
const scratch = Buffer.allocUnsafeSlow(1 << 15);

/** A file takes a buffer that has room for more than its size: when no more comes, this was the end. */
function* contents(encoder: NarEncoder, path: string, size: number): Generator<Uint8Array, void, undefined> {
  const fd = fs.openSync(fsPath(path), "r");
  try {
    for (;;) {
      const buffer = size < scratch.length ? scratch : Buffer.allocUnsafe(Math.min(CHUNK, size + 1));
      const count = fs.readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) return;
      encoder.data(buffer.subarray(0, count));
      yield* encoder.take();
      if (count === size) return;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** The contents of one regular file in chunks. */
export function* readFileChunks(path: string): Generator<Uint8Array, void, undefined> {
  const fd = fs.openSync(fsPath(path), "r");
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK);
      const count = fs.readSync(fd, buffer, 0, CHUNK, null);
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    fs.closeSync(fd);
  }
}
