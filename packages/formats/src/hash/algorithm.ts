/** The hash algorithms Nix knows, and the backend that computes them: @noble/hashes unless a host injects something faster. */
import { blake3 } from "@noble/hashes/blake3.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { bytesOf } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { toBase16 } from "./encoding.ts";

/** Names as they stand in hashes: `sha256:…`. */
export type HashAlgorithm = "md5" | "sha1" | "sha256" | "sha512" | "blake3";

/** All algorithms, in the reference's order. */
export const hashAlgorithms: readonly HashAlgorithm[] = ["blake3", "md5", "sha1", "sha256", "sha512"];

const sizes: Readonly<Record<HashAlgorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64, blake3: 32 };

/** Digest size in bytes. */
export function hashSize(algorithm: HashAlgorithm): number {
  return sizes[algorithm];
}

/** Tells whether `name` is an algorithm's name. */
export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(sizes, name);
}

/** The algorithm called `name`; error `unknown-hash-algorithm`. */
export function parseHashAlgorithm(name: string): HashAlgorithm {
  if (isHashAlgorithm(name)) return name;
  throw new FirnError(
    "unknown-hash-algorithm",
    `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`,
  );
}

/** An incremental computation; `digest` ends it. */
export interface Hasher {
  update(data: Uint8Array): void;
  digest(): Uint8Array;
}

/** Hash functions that a host may supply instead of the portable code. A string is a byte string. */
export interface HashBackend {
  hasher(algorithm: HashAlgorithm): Hasher;
  digest(algorithm: HashAlgorithm, data: Uint8Array | string): Uint8Array;
  /** Returns the digest in base16. */
  hexDigest(algorithm: HashAlgorithm, data: Uint8Array | string): string;
}

const noble = { md5, sha1, sha256, sha512, blake3 };

/** The portable backend. */
export const portableHashBackend: HashBackend = {
  hasher(algorithm) {
    const state = noble[algorithm].create();
    return { update: (data) => void state.update(data), digest: () => state.digest() };
  },
  digest: (algorithm, data) => noble[algorithm](typeof data === "string" ? bytesOf(data) : data),
  hexDigest: (algorithm, data) => toBase16(portableHashBackend.digest(algorithm, data)),
};

let backend: HashBackend = portableHashBackend;

/** Makes `replacement` compute every hash from now on (Node injects node:crypto at start). */
export function useHashBackend(replacement: HashBackend): void {
  backend = replacement;
}

/** Starts an incremental computation. */
export function createHasher(algorithm: HashAlgorithm): Hasher {
  return backend.hasher(algorithm);
}

/** The raw digest of bytes or of a byte string. */
export function digestOf(algorithm: HashAlgorithm, data: Uint8Array | string): Uint8Array {
  return backend.digest(algorithm, data);
}

/** The digest of bytes or of a byte string in base16. */
export function hexDigestOf(algorithm: HashAlgorithm, data: Uint8Array | string): string {
  return backend.hexDigest(algorithm, data);
}
