/** Hashes with their algorithm: printing, parsing, compressing. Texts and errors as in the reference. */
import { equalBytes } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { digestOf, type HashAlgorithm, hashSize, parseHashAlgorithm } from "./algorithm.ts";
import {
  base64Length,
  fromBase16,
  fromBase64,
  fromNix32,
  nix32Length,
  toBase16,
  toBase64,
  toNix32,
} from "./encoding.ts";

/** A digest and the algorithm that made it. */
export interface Hash {
  readonly algorithm: HashAlgorithm;
  readonly bytes: Uint8Array;
}

/** Text format of a hash; `sri` is `sha256-<base64>`. */
export type HashFormat = "base16" | "nix32" | "base64" | "sri";

/** Hashes bytes or a byte string. */
export function hashData(algorithm: HashAlgorithm, data: Uint8Array | string): Hash {
  return { algorithm, bytes: digestOf(algorithm, data) };
}

/** Writes a hash; `prefix` puts `algorithm:` before it (`sri` always has its own). */
export function printHash(hash: Hash, format: HashFormat, prefix = true): string {
  switch (format) {
    case "sri":
      return `${hash.algorithm}-${toBase64(hash.bytes)}`;
    case "base16":
      return (prefix ? `${hash.algorithm}:` : "") + toBase16(hash.bytes);
    case "nix32":
      return (prefix ? `${hash.algorithm}:` : "") + toNix32(hash.bytes);
    case "base64":
      return (prefix ? `${hash.algorithm}:` : "") + toBase64(hash.bytes);
  }
}

function bad(message: string): FirnError {
  return new FirnError("bad-hash", message);
}

function formatFromSize(text: string, algorithm: HashAlgorithm): HashFormat {
  const size = hashSize(algorithm);
  if (text.length === size * 2) return "base16";
  if (text.length === nix32Length(size)) return "nix32";
  if (text.length === base64Length(size)) return "base64";
  throw bad(`hash '${text}' has wrong length for hash algorithm '${algorithm}'`);
}

const decoders = { base16: fromBase16, nix32: fromNix32, base64: fromBase64, sri: fromBase64 };
const decoderNames = { base16: "base16", nix32: "nix32", base64: "Base64", sri: "SRI" };

function decode(text: string, algorithm: HashAlgorithm, format: HashFormat): Hash {
  let bytes: Uint8Array;
  try {
    bytes = decoders[format](text);
  } catch (error) {
    // The reference forgets to throw this one again and goes on with nothing decoded.
    if (!(error instanceof FirnError)) throw error;
    bytes = new Uint8Array(0);
  }
  const size = hashSize(algorithm);
  if (bytes.length !== size) {
    throw bad(`invalid ${decoderNames[format]} hash '${text}', length ${bytes.length} != expected length ${size}`);
  }
  return { algorithm, bytes };
}

/** A hash and the format it was written in. */
export interface ParsedHash {
  readonly hash: Hash;
  readonly format: HashFormat;
}

/**
 * Reads `algo:base16|nix32|base64`, an SRI hash, or a bare hash when `algorithm` is given; both given must agree.
 * Errors `bad-hash`, `bad-encoding`, `unknown-hash-algorithm` in the reference's words.
 */
export function parseHashWithFormat(text: string, algorithm?: HashAlgorithm): ParsedHash {
  let rest = text;
  let sri = false;
  let named: HashAlgorithm | undefined;
  let split = text.indexOf(":");
  if (split < 0) {
    split = text.indexOf("-");
    sri = split >= 0;
  }
  if (split >= 0) {
    named = parseHashAlgorithm(text.slice(0, split));
    rest = text.slice(split + 1);
  }
  const used = named ?? algorithm;
  if (used === undefined) {
    throw bad(`hash '${text}' does not include a type, nor is the type otherwise known from context`);
  }
  if (algorithm !== undefined && used !== algorithm) throw bad(`hash '${text}' should have type '${algorithm}'`);
  const format = sri ? "sri" : formatFromSize(rest, used);
  return { hash: decode(rest, used, format), format };
}

/** Reads a hash as `parseHashWithFormat` does, without returning the format. */
export function parseHash(text: string, algorithm?: HashAlgorithm): Hash {
  return parseHashWithFormat(text, algorithm).hash;
}

/** Reads a hash that must name its algorithm. */
export function parsePrefixedHash(text: string): Hash {
  if (!text.includes(":") && !text.includes("-")) throw bad(`hash '${text}' does not include a type`);
  return parseHash(text);
}

/** Reads a hash without a prefix; the length decides the format. */
export function parseBareHash(text: string, algorithm: HashAlgorithm): Hash {
  return decode(text, algorithm, formatFromSize(text, algorithm));
}

/** Reads an SRI hash only. */
export function parseSriHash(text: string): Hash {
  const split = text.indexOf("-");
  if (split < 0) throw bad(`hash '${text}' is not SRI`);
  return decode(text.slice(split + 1), parseHashAlgorithm(text.slice(0, split)), "sri");
}

/** Folds a digest to `size` bytes by XOR (store paths use 20). */
export function compressHash(bytes: Uint8Array, size: number): Uint8Array {
  const folded = new Uint8Array(size);
  for (let i = 0; i < bytes.length; i++) folded[i % size]! ^= bytes[i]!;
  return folded;
}

/** Tells whether two hashes have the same algorithm and digest. */
export function equalHashes(a: Hash, b: Hash): boolean {
  return a.algorithm === b.algorithm && equalBytes(a.bytes, b.bytes);
}
