/**
 * Files on disk that evaluations keep for later ones: one file for each kind and key, replaced by a rename, so that writers
 * cannot harm each other. A file that is damaged, foreign or of another build of Firn counts as missing.
 */

import { createHash, hash, randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { disk, machineError } from "@firn/store";
import * as fs from "@firn/store/files";
import { pathOfFileUrl } from "@firn/store/surroundings";

/** Size from which files are not read; Firn writes none that large. */
const maxBytes = 256 * 1024 * 1024;
/** Kinds, which are file name extensions, and the number of files of each that are kept. */
const keptFiles = { code: 4, sources: 16 };
type FileKind = keyof typeof keptFiles;
const trailer = 8;

/** Files kept by kind and key. Methods do not throw: what cannot be read or written is missing. */
export interface KeptFiles {
  /** Returns the bytes last stored under a key, if present and undamaged. */
  load(kind: FileKind, key: string): Buffer | undefined;
  /** Stores these bytes, one piece after the other; keeps nothing when that is impossible. */
  store(kind: FileKind, key: string, pieces: readonly Uint8Array[]): void;
}

function partsThatLower(): string[] {
  const here = pathOfFileUrl(import.meta.url);
  if (here.endsWith(".mjs")) return [here];
  const language = join(dirname(here), "../../../language/src");
  return ["code", "code/packed", "heap", "syntax", "value"].flatMap((folder) =>
    fs
      .readdirSync(join(language, folder))
      .filter((name) => name.endsWith(".ts"))
      .sort()
      .map((name) => join(language, folder, name)),
  );
}

/** Returns the identity of what lowers sources: code is understood by the same alone, whatever else of this build has changed. */
function codeIdentity(): string {
  const hasher = createHash("sha256");
  for (const path of partsThatLower()) hasher.update(fs.readFileSync(path));
  return hasher.digest("hex");
}

/** Opens the kept files in a directory, which is created at the first write. */
export function openKeptFiles(directory: string): KeptFiles {
  let identity: string | undefined;

  function fileOf(kind: FileKind, key: string): string {
    identity ??= codeIdentity();
    return join(directory, `${hash("sha256", `${identity} ${key}`, "hex").slice(0, 32)}.${kind}`);
  }

  return {
    load(kind, key) {
      let bytes: Buffer;
      try {
        bytes = read(fileOf(kind, key));
      } catch (error) {
        if (machineError(error) === undefined) throw error;
        return undefined;
      }
      const length = bytes.length - trailer;
      if (length < 0 || bytes.readUInt32LE(length) !== length) return undefined;
      const payload = bytes.subarray(0, length);
      return bytes.readUInt32LE(length + 4) === crc32(payload) ? payload : undefined;
    },
    store(kind, key, pieces) {
      const target = fileOf(kind, key);
      const temporary = join(directory, `.${randomBytes(8).toString("hex")}.tmp`);
      try {
        disk.mkdirs(directory, 0o700);
        write(temporary, pieces);
        fs.renameSync(temporary, target);
        removeOld(directory, kind);
      } catch (error) {
        if (machineError(error) === undefined) throw error;
        remove(temporary);
      }
    },
  };
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

/** Removes all but the newest files of a kind, because other builds and settings leave files behind. */
function removeOld(directory: string, kind: FileKind): void {
  const files = fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(`.${kind}`) || name.endsWith(".tmp"))
    .map((name) => join(directory, name))
    .map((path) => ({ path, time: fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time);
  const hourAgo = Date.now() - 3600_000;
  let kept = 0;
  for (const { path, time } of files) {
    if (path.endsWith(".tmp") ? time < hourAgo : ++kept > keptFiles[kind]) remove(path);
  }
}

/** Removes a file if possible; a remaining one is removed by a later evaluation. */
function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (machineError(error) === undefined) throw error;
  }
}
