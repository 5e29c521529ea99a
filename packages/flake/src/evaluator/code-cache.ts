/** The evaluator's lowered code on disk, and the sources it belongs to. */
import { hash } from "node:crypto";
import type { CodeCache } from "@firn/language";
import type { KeptFiles } from "./kept-files.ts";

/** Reads sources under the rules of the host. */
export interface SourceReader {
  /** Returns the bytes of a file, valid until the next one is read; errors as `readFile` of the host. */
  bytes(path: string): Buffer;
  /** Returns length and SHA-256 of a source that another thread has read already. */
  ahead?(path: string): { readonly size: number; readonly digest: Buffer } | undefined;
}

/** Number of bytes of a digest that identify a source. */
const hashSize = 16;

function shortened(digest: Buffer): string {
  return digest.toString("latin1", 0, hashSize);
}

/** Opens the code cache over kept files. */
export function openCodeCache(files: KeptFiles, reader: SourceReader): CodeCache {
  let last: { readonly path: string; readonly bytes: Buffer; readonly hash: string } | undefined;

  function readNow(path: string): NonNullable<typeof last> {
    const bytes = reader.bytes(path);
    return { path, bytes, hash: shortened(hash("sha256", bytes, "buffer")) };
  }

  return {
    identify(path) {
      const known = reader.ahead?.(path);
      if (known !== undefined) return { hash: shortened(known.digest), length: known.size };
      last = readNow(path);
      return { hash: last.hash, length: last.bytes.length };
    },
    read(path) {
      const found = last?.path === path ? last : readNow(path);
      last = undefined;
      return { hash: found.hash, text: found.bytes.toString("latin1") };
    },
    load: (key) => files.load("code", key),
    decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"),
    store: (key, pieces) => files.store("code", key, pieces),
  };
}
