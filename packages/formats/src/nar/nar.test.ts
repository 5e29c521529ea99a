import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteString, bytesOf } from "../base/bytes.ts";
import { NarLister, parseNar } from "./listing.ts";
import { ignoringNarSink, NarParser } from "./parser.ts";
import { type MemoryNode, narOfMemory } from "./tree.ts";

const name = fc
  .string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 12,
  })
  .filter((text) => text !== "." && text !== ".." && !text.includes("/"));

const tree: fc.Arbitrary<MemoryNode> = fc.letrec<{ node: MemoryNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.record({
      kind: fc.constant("regular" as const),
      executable: fc.boolean(),
      contents: fc.uint8Array({ maxLength: 40 }),
    }),
    fc.record({ kind: fc.constant("symlink" as const), target: name }),
    fc.record({
      kind: fc.constant("directory" as const),
      entries: fc
        .array(fc.tuple(name, tie("node")), { maxLength: 4 })
        .map((entries) => new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))),
    }),
  ),
})).node;

function nar(...strings: string[]): Uint8Array {
  const parts = ["nix-archive-1", ...strings].map((text) => {
    const size = new Uint8Array(8);
    size[0] = text.length;
    return byteString(size) + text + "\0".repeat((8 - (text.length % 8)) % 8);
  });
  return bytesOf(parts.join(""));
}

function parse(bytes: Uint8Array): void {
  const parser = new NarParser(ignoringNarSink);
  parser.push(bytes);
  parser.finish();
}

describe("NAR", () => {
  it("gives back any tree, however it is cut into chunks", () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 50 }), (node, step) => {
        const whole = Buffer.concat(narOfMemory(node));
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < whole.length; at += step) pieces.push(new Uint8Array(whole.subarray(at, at + step)));
        expect(parseNar(pieces)).toEqual(node);
      }),
    );
  });

  it("lists sizes and offsets", () => {
    const lister = new NarLister();
    const bytes = Buffer.concat(
      narOfMemory({
        kind: "directory",
        entries: new Map([["f", { kind: "regular", executable: false, contents: bytesOf("hello") } as const]]),
      }),
    );
    lister.push(bytes);
    const root = lister.result();
    const file = root.kind === "directory" ? root.entries.get("f") : undefined;
    expect(file).toMatchObject({ kind: "regular", size: 5, offset: bytes.indexOf("hello") });
  });

  it("rejects what is not an archive", () => {
    expect(() => parse(bytesOf("x".repeat(64)))).toThrow("bad archive: input doesn't look like a Nix archive");
  });

  it("rejects entries out of order, twice, or with dangerous names", () => {
    const entry = (label: string): string[] => [
      "entry",
      "(",
      "name",
      label,
      "node",
      "(",
      "type",
      "symlink",
      "target",
      "x",
      ")",
      ")",
    ];
    expect(() => parse(nar("(", "type", "directory", ...entry("b"), ...entry("a"), ")"))).toThrow("not sorted");
    expect(() => parse(nar("(", "type", "directory", ...entry("a"), ...entry("a"), ")"))).toThrow("not sorted");
    for (const label of ["", ".", "..", "a/b", "a\0b"]) {
      expect(() => parse(nar("(", "type", "directory", ...entry(label), ")"))).toThrow("invalid file name");
    }
  });

  it("rejects nesting beyond 64, truncation and trailing bytes", () => {
    const deep: string[] = [];
    for (let i = 0; i < 70; i++) deep.push("(", "type", "directory", "entry", "(", "name", "a", "node");
    expect(() => parse(nar(...deep))).toThrow("exceeds maximum depth of 64");
    const good = nar("(", "type", "symlink", "target", "x", ")");
    parse(good);
    expect(() => parse(good.subarray(0, good.length - 8))).toThrow("unexpected end-of-file");
    expect(() => parse(Buffer.concat([good, new Uint8Array(8)]))).toThrow("trailing data");
  });

  it("rejects non-zero padding and enormous lengths before allocating", () => {
    const bytes = nar("(", "type", "symlink", "target", "x", ")");
    bytes[bytes.length - 1] = 1;
    expect(() => parse(bytes)).toThrow("non-zero padding");
    const huge = nar("(", "type");
    huge.fill(255, huge.length - 16, huge.length - 8);
    expect(() => parse(huge)).toThrow("bad archive: string is too long");
  });
});
