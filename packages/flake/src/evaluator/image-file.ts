/**
 * Images on disk. A file is the image, then an identity of 16 bytes, the SHA-256 of the image, and its length. It is written whole and put in place by a
 * rename; one that is damaged, foreign or cut short is refused.
 */
import { createHash, randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import type { ImageSource } from "@firn/language";
import { disk } from "@firn/store";
import * as fs from "@firn/store/files";

const identityLength = 16;
const digestLength = 32;
const trailer = identityLength + digestLength + 8;

/** Writes an image; returns its identity. Errors are those of the machine. */
export function writeImage(path: string, pieces: readonly Uint8Array[]): string {
  disk.mkdirs(dirname(path), 0o700);
  const temporary = join(dirname(path), `.${randomBytes(8).toString("hex")}.tmp`);
  const identity = randomBytes(identityLength);
  const hasher = createHash("sha256");
  let length = 0;
  try {
    const descriptor = fs.openSync(temporary, "wx", 0o600);
    try {
      for (const piece of pieces) {
        hasher.update(piece);
        length += piece.length;
        for (let at = 0; at < piece.length; ) at += fs.writeSync(descriptor, piece, at);
      }
      const end = Buffer.alloc(trailer);
      identity.copy(end);
      hasher.digest().copy(end, identityLength);
      end.writeBigUInt64LE(BigInt(length), identityLength + digestLength);
      fs.writeSync(descriptor, end);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  return identity.toString("hex");
}

/** Reads an image with `load`. Fails when the file has another identity, is damaged, or belongs to another user. */
export function readImage(path: string, identity: string, load: (source: ImageSource) => void): void {
  const unfit = (): FirnError => new FirnError("internal", `the image '${path}' cannot be used`);
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const { size, uid, mode } = fs.fstatSync(descriptor);
    const length = size - trailer;
    if (length < 0 || uid !== process.getuid?.() || (mode & 0o077) !== 0) throw unfit();
    const end = Buffer.alloc(trailer);
    fs.readSync(descriptor, end, 0, trailer, length);
    if (end.toString("hex", 0, identityLength) !== identity) throw unfit();
    if (end.readBigUInt64LE(identityLength + digestLength) !== BigInt(length)) throw unfit();
    const hasher = createHash("sha256");
    let at = 0;
    load({
      read(into) {
        if (at + into.length > length) throw unfit();
        for (let done = 0; done < into.length; ) {
          const count = fs.readSync(descriptor, into, done, into.length - done, at + done);
          if (count === 0) throw unfit();
          done += count;
        }
        at += into.length;
        hasher.update(into);
      },
    });
    const digest = end.subarray(identityLength, identityLength + digestLength);
    if (at !== length || !hasher.digest().equals(digest)) throw unfit();
  } finally {
    fs.closeSync(descriptor);
  }
}
