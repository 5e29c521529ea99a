import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashData } from "../hash/hash.ts";
import {
  countGoodSignatures,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  printKey,
  publicKeyOf,
  secretKeyFromSeed,
  signPathInfo,
} from "./keys.ts";
import { type NarInfo, parseNarInfo, printNarInfo } from "./narinfo.ts";

const info: NarInfo = {
  path: `/nix/store/${"0".repeat(32)}-x`,
  url: "nar/x.nar.xz",
  compression: "xz",
  fileHash: hashData("sha256", "file"),
  fileSize: 4,
  narHash: hashData("sha256", "nar"),
  narSize: 100,
  references: [`/nix/store/${"0".repeat(32)}-x`, `/nix/store/${"1".repeat(32)}-y`],
  deriver: `/nix/store/${"2".repeat(32)}-x.drv`,
  signatures: [],
};

describe("narinfo", () => {
  it("survives printing and parsing", () => {
    expect(parseNarInfo(printNarInfo(info), "x.narinfo")).toEqual(info);
  });

  it("says what is corrupt and where", () => {
    expect(() => parseNarInfo("StorePath", "x")).toThrow("NAR info file 'x' is corrupt: expecting ':' at line 1");
    expect(() => parseNarInfo("A: b\nNarHash: zz\n", "x")).toThrow("NAR info file 'x' is corrupt: bad hash at line 2");
    expect(() => parseNarInfo("A: b\n", "x")).toThrow("NAR info file 'x' is corrupt: StorePath missing");
  });
});

describe("signatures", () => {
  it("are good for what was signed and for nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const secret = parseSecretKey(printKey(secretKeyFromSeed("k-1", seed)));
        const keys = [parsePublicKey(printKey(publicKeyOf(secret)))];
        const signed = { ...info, signatures: [signPathInfo(info, secret)] };
        expect(countGoodSignatures(signed, keys)).toBe(1);
        expect(countGoodSignatures({ ...signed, narSize: 101 }, keys)).toBe(0);
        expect(countGoodSignatures(signed, [{ ...keys[0]!, name: "other" }])).toBe(0);
      }),
      { numRuns: 5 },
    );
  });

  it("refuse malformed keys without showing them", () => {
    expect(() => parseSecretKey("k:AAAA")).toThrow("secret key is not valid");
    expect(() => parsePublicKey("nonsense")).toThrow("key is corrupt");
    for (const name of ["", "two words", "two\nlines", "nul\0"]) {
      expect(() => parseSignature(`${name}:AAAA`)).toThrow("signature is corrupt");
    }
  });
});
