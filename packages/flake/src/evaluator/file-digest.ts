/** Digests of contents and listings, the same in the thread that evaluates and in the one that compares. */
import { hash } from "node:crypto";

/** Number of bytes of a digest: those that the code cache keeps of a source's hash. */
const digestSize = 16;

/** Returns the digest of a file's bytes. */
export function contentDigest(bytes: Uint8Array): string {
  return hash("sha256", bytes, "buffer").toString("latin1", 0, digestSize);
}

/** Returns the digest of a directory's entries in any order. */
export function listingDigest(entries: readonly (readonly [name: string, kind: string])[]): string {
  const lines = entries.map(([name, kind]) => `${name}\0${kind}`).sort();
  return contentDigest(Buffer.from(lines.join("\0\0"), "latin1"));
}
