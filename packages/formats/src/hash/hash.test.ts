import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf, hashAlgorithms, hashSize, portableHashBackend } from "./algorithm.ts";
import { fromBase16, fromBase64, fromNix32, toBase16, toBase64, toNix32 } from "./encoding.ts";
import { parseHash, parseHashWithFormat, printHash } from "./hash.ts";

const anyHash = fc
  .constantFrom(...hashAlgorithms)
  .chain((algorithm) =>
    fc
      .uint8Array({ minLength: hashSize(algorithm), maxLength: hashSize(algorithm) })
      .map((bytes) => ({ algorithm, bytes })),
  );

describe("encodings", () => {
  it("give back the bytes they were made from", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect([...fromBase16(toBase16(bytes))]).toEqual([...bytes]);
        expect([...fromBase64(toBase64(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  it("write nix32 as the reference does", () => {
    expect(toNix32(digestOf("sha256", "hello"))).toBe("094qif9n4cq4fdg459qzbhg1c6wywawwaaivx0k0x8xhbyx4vwic");
  });

  it("refuse characters outside the alphabet", () => {
    expect(() => fromNix32("e")).toThrow("invalid character in Nix32 (Nix's Base32 variation) string: 'e'");
    expect(() => fromBase64("a*")).toThrow("invalid character in Base64 string: '*'");
  });
});

describe("hashes", () => {
  it("survive printing and parsing in every format", () => {
    fc.assert(
      fc.property(anyHash, fc.constantFrom("base16", "nix32", "base64", "sri"), (hash, format) => {
        const parsed = parseHashWithFormat(printHash(hash, format));
        expect(parsed.format).toBe(format);
        expect([...parsed.hash.bytes]).toEqual([...hash.bytes]);
      }),
    );
  });

  it("name what is wrong in the reference's words", () => {
    expect(() => parseHash("abc")).toThrow(
      "hash 'abc' does not include a type, nor is the type otherwise known from context",
    );
    expect(() => parseHash("sha256:abc")).toThrow("hash 'abc' has wrong length for hash algorithm 'sha256'");
    expect(() => parseHash("sha1:abc", "sha256")).toThrow("hash 'sha1:abc' should have type 'sha256'");
    expect(() => parseHash("sha3:abc")).toThrow(
      "unknown hash algorithm 'sha3', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'",
    );
    expect(() => parseHash("sha256-AAAA")).toThrow("invalid SRI hash 'AAAA', length 3 != expected length 32");
  });

  it("agree between the portable code and node:crypto", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("md5", "sha1", "sha256", "sha512"), (data, algorithm) => {
        expect(toBase16(portableHashBackend.digest(algorithm, data))).toBe(
          createHash(algorithm).update(data).digest("hex"),
        );
      }),
    );
  });
});
