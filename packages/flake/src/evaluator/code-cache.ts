/**
 * The evaluator's lowered code on disk: one file a key, replaced by a rename, so that writers cannot harm each other. A file
 * that is damaged, foreign or of another build of Firn is as good as none.
 */
import { createHash, hash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import type { CodeCache } from "@firn/language";
import { machineError } from "@firn/store";

/** Files of this size and more are not read: none that Firn writes is. */
const maxBytes = 256 * 1024 * 1024;
const keptFiles = 4;
const trailer = 8;

/** How the sources are read: the rules of the host apply. */
export interface SourceReader {
  /** The bytes of a file, until the next is read; errors as `readFile` of the host. */
  bytes(path: string): Buffer;
}

function partsOfThisBuild(): string[] {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith(".mjs")) return [here];
  const language = join(dirname(here), "../../../language/src");
  return ["code", "code/packed", "syntax", "value"].flatMap((folder) =>
    fs
      .readdirSync(join(language, folder))
      .filter((name) => name.endsWith(".ts"))
      .sort()
      .map((name) => join(language, folder, name)),
  );
}

/** Code is only understood by the build that wrote it. */
function buildIdentity(): string {
  const hasher = createHash("sha256");
  for (const path of partsOfThisBuild()) hasher.update(fs.readFileSync(path));
  return hasher.digest("hex");
}

/** The cache in a directory, which is made when there is something to write. */
export function openCodeCache(directory: string, reader: SourceReader): CodeCache {
  let identity: string | undefined;
  let last: { path: string; bytes: Buffer } | undefined;

  function fileOf(key: string): string {
    identity ??= buildIdentity();
    return join(directory, `${hash("sha256", `${identity} ${key}`, "hex").slice(0, 32)}.code`);
  }

  function read(path: string): Buffer {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      const { size, uid } = fs.fstatSync(descriptor);
      if (size > maxBytes || uid !== process.getuid?.()) return Buffer.alloc(0);
      const bytes = Buffer.allocUnsafeSlow(size);
      const length = fs.readSync(descriptor, bytes, 0, size, 0);
      return bytes.subarray(0, length);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  return {
    identify(path) {
      const bytes = reader.bytes(path);
      last = { path, bytes };
      return { hash: hash("sha256", bytes, "buffer").toString("latin1", 0, 16), length: bytes.length };
    },
    read(path) {
      const bytes = last?.path === path ? last.bytes : reader.bytes(path);
      last = undefined;
      return bytes.toString("latin1");
    },
    load(key) {
      let bytes: Buffer;
      try {
        bytes = read(fileOf(key));
      } catch (error) {
        if (machineError(error) === undefined) throw error;
        return undefined;
      }
      const length = bytes.length - trailer;
      if (length < 0 || bytes.readUInt32LE(length) !== length) return undefined;
      const payload = bytes.subarray(0, length);
      return bytes.readUInt32LE(length + 4) === crc32(payload) ? payload : undefined;
    },
    decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"),
    store(key, pieces) {
      const target = fileOf(key);
      const temporary = join(directory, `.${randomBytes(8).toString("hex")}.tmp`);
      try {
        fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
        write(temporary, pieces);
        fs.renameSync(temporary, target);
        removeOld(directory);
      } catch (error) {
        if (machineError(error) === undefined) throw error;
        remove(temporary);
      }
    },
  };
}

function write(path: string, pieces: readonly Uint8Array[]): void {
  const descriptor = fs.openSync(path, "wx", 0o600);
  try {
    let length = 0;
    let checksum = 0;
    for (const piece of pieces) {
      length += piece.length;
      checksum = crc32(piece, checksum);
    }
    const end = Buffer.alloc(trailer);
    end.writeUInt32LE(length, 0);
    end.writeUInt32LE(checksum, 4);
    const whole = Buffer.concat([...pieces, end], length + trailer);
    for (let at = 0; at < whole.length; ) at += fs.writeSync(descriptor, whole, at);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Other builds and settings leave files behind: only the newest stay. */
function removeOld(directory: string): void {
  const files = fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".code") || name.endsWith(".tmp"))
    .map((name) => join(directory, name))
    .map((path) => ({ path, time: fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time);
  const hourAgo = Date.now() - 3600_000;
  let kept = 0;
  for (const { path, time } of files) {
    if (path.endsWith(".tmp") ? time < hourAgo : ++kept > keptFiles) remove(path);
  }
}

/** Removes a file if that can be done: what stays is removed by a later evaluation, or is not there. */
function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (machineError(error) === undefined) throw error;
  }
}
