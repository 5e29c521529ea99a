import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HashRewriter } from "./rewrite.ts";
import { ReferenceScanner } from "./scan.ts";

const digit = fc.constantFrom(..."0123456789abcdfghijklmnpqrsvwxyz");
const hash = fc.string({ unit: digit, minLength: 32, maxLength: 32 });
const filler = fc.string({ unit: fc.constantFrom(..."0abcz-/\0e"), maxLength: 60 });

function cut(text: string, step: number): Uint8Array[] {
  const bytes = Buffer.from(text, "latin1");
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
  return pieces;
}

describe("the reference scanner", () => {
  it("finds exactly the hashes that a plain search finds, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(hash, { minLength: 1 }),
        fc.array(fc.oneof(hash, filler)),
        fc.integer({ min: 1, max: 70 }),
        (wanted, parts, step) => {
          const text = [...parts, wanted[0]!, filler].join("");
          const scanner = new ReferenceScanner(wanted);
          for (const piece of cut(text, step)) scanner.push(piece);
          expect([...scanner.found].sort()).toEqual([...new Set(wanted)].filter((item) => text.includes(item)).sort());
        },
      ),
    );
  });
});

describe("the rewriter", () => {
  it("replaces as a plain replacement does, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        hash,
        hash,
        fc.array(fc.oneof(filler, fc.constant("@"))),
        fc.integer({ min: 1, max: 70 }),
        (from, to, parts, step) => {
          const text = parts.join("").replaceAll("@", from);
          const out: Buffer[] = [];
          const rewriter = new HashRewriter(new Map([[from, to]]), (chunk) => out.push(Buffer.from(chunk)));
          for (const piece of cut(text, step)) rewriter.push(piece);
          rewriter.finish();
          expect(Buffer.concat(out).toString("latin1")).toBe(text.replaceAll(from, to));
        },
      ),
    );
  });
});
