import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(pieces: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.write(piece);
  splitter.end();
  return lines;
}

test("lines are the same however their bytes come", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", "\n", "\xff", "\r", "\0") })), (pieces) => {
      const expected = pieces.join("").split("\n");
      if (expected.at(-1) === "") expected.pop();
      expect(split(pieces.map((piece) => Buffer.from(piece, "latin1")))).toEqual(expected);
    }),
  );
});

test("of a very long line the last MiB is given", () => {
  const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.alloc(1000, index & 0x7f || 1));
  const whole = Buffer.concat(pieces).toString("latin1").replaceAll("\n", "x");
  const clean = pieces.map((piece) => Buffer.from(piece.toString("latin1").replaceAll("\n", "x"), "latin1"));
  expect(split([...clean, Buffer.from("\nend")])).toEqual([whole.slice(-(1 << 20)), "end"]);
  expect(split([Buffer.concat([...clean, Buffer.from("\n")])])).toEqual([whole.slice(-(1 << 20))]);
});
