/** The NAR of a tree on disk, streamed with synchronous reads. */

import { FirnError, NarEncoder } from "@firn/formats";
import { archivedEntries } from "./case-hack.ts";
import { type EntryKind, kindOf } from "./entries.ts";
import * as fs from "./files.ts";
import { type EntryPlace, OpenDirectory, openParentOf } from "./open-directory.ts";

const CHUNK = 1 << 18;

/** Tells whether a file below the root is part of the tree; takes its path relative to the root (`/a/b`) and its kind. */
export type PathFilter = (path: string, kind: EntryKind) => boolean;

/** Options of archiving. */
export interface DumpOptions {
  readonly filter?: PathFilter | undefined;
  /** True when a chunk is done with before the next one is asked for: then large files are read into one buffer. */
  readonly transient?: boolean;
}

/**
 * Yields the NAR of `path` (byte string). Chunks may be kept, unless they are transient. Links are archived, never followed, even when
 * one replaces another file meanwhile. Errors `unsupported-file-type` for sockets, devices and the like, `nar-too-deep`.
 */
export function* dumpPath(path: string, options: DumpOptions = {}): Generator<Uint8Array, void, undefined> {
  const { filter } = options;
  const buffer = options.transient === true ? Buffer.allocUnsafeSlow(CHUNK) : undefined;
  const encoder = new NarEncoder({ transient: options.transient ?? false });
  if (path === "/") {
    const root = OpenDirectory.open(path);
    try {
      yield* listing(encoder, root, { relative: "", filter, buffer });
    } finally {
      root.close();
    }
  } else {
    const place = openParentOf(path);
    try {
      yield* node(encoder, place, { kind: kindOf(place.parent.lstat(place.name)), relative: "", filter, buffer });
    } finally {
      place.parent.close();
    }
  }
  yield* encoder.take(true);
}

interface Place {
  readonly relative: string;
  readonly filter: PathFilter | undefined;
  /** The buffer of large files, if it is used again. */
  readonly buffer: Buffer | undefined;
}

function* node(
  encoder: NarEncoder,
  { parent, name }: EntryPlace,
  place: Place & { readonly kind: EntryKind },
): Generator<Uint8Array, void, undefined> {
  switch (place.kind) {
    case "directory": {
      const directory = parent.openDirectory(name);
      try {
        yield* listing(encoder, directory, place);
      } finally {
        directory.close();
      }
      return;
    }
    case "symlink":
      encoder.symlink(parent.readlink(name));
      return;
    case "regular": {
      const { fd, stat } = parent.openFile(name);
      try {
        encoder.file(stat.size, (stat.mode & 0o100) !== 0);
        if (stat.size > 0) yield* contents(encoder, fd, { size: stat.size, buffer: place.buffer });
      } finally {
        fs.closeSync(fd);
      }
      return;
    }
    case "unknown":
      throw new FirnError("unsupported-file-type", `file '${parent.show(name)}' has an unsupported type`);
  }
}

function* listing(
  encoder: NarEncoder,
  directory: OpenDirectory,
  { relative: above, filter, buffer }: Place,
): Generator<Uint8Array, void, undefined> {
  encoder.directory();
  for (const { name, kind, stored = name } of archivedEntries(directory.entries(), directory.shown)) {
    const relative = `${above}/${name}`;
    if (filter?.(relative, kind) === false) continue;
    encoder.entry(name);
    yield* node(encoder, { parent: directory, name: stored }, { kind, relative, filter, buffer });
    encoder.endEntry();
  }
  encoder.endDirectory();
  yield* encoder.take();
}

/** Buffer for small files; the encoder copies pieces smaller than one of its chunks. */
const scratch = Buffer.allocUnsafeSlow(1 << 15);

/** Yields the contents of a file. The buffer is larger than the file's size, so that a short read proves the end. */
function* contents(
  encoder: NarEncoder,
  fd: number,
  { size, buffer: again }: { readonly size: number; readonly buffer: Buffer | undefined },
): Generator<Uint8Array, void, undefined> {
  for (;;) {
    const buffer = size < scratch.length ? scratch : (again ?? Buffer.allocUnsafe(Math.min(CHUNK, size + 1)));
    const count = fs.readSync(fd, buffer, 0, buffer.length, null);
    if (count === 0) return;
    encoder.data(buffer.subarray(0, count));
    yield* encoder.take();
    if (count === size) return;
  }
}

/** Yields the contents of one regular file in chunks. */
export function* readFileChunks(path: string): Generator<Uint8Array, void, undefined> {
  const fd = fs.openSync(path, "r");
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
