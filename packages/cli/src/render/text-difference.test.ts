import fc from "fast-check";
import { expect, test } from "vitest";
import { textDifference } from "./text-difference.ts";

const show = (from: string, to: string, context?: number): string[] =>
  textDifference(from, to, context).map(({ sign, text }) => sign + text);

test("the lines that differ come with their neighbours", () => {
  expect(show("a\nb\nc\nd\ne", "a\nb\nX\nd\ne")).toEqual([" b", "-c", "+X", " d"]);
  expect(show("a\nb\nc", "b\nc\nd", 0)).toEqual(["-a", "+d"]);
});

test("one long line is compared by its words, a short one as a whole", () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`);
  expect(show(words.join(" "), words.with(7, "other").join(" "), 0)).toEqual(["-word7", "+other"]);
  expect(show("a b", "a c")).toEqual(["-a b", "+a c"]);
});

test("both texts can be had back from all lines", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "c"), { minLength: 2, maxLength: 12 })
    .map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, text, (from, to) => {
      const lines = textDifference(from, to, 100);
      const side = (sign: string) =>
        lines
          .filter((line) => line.sign !== sign)
          .map((line) => line.text)
          .join("\n");
      if (from === to) expect(lines).toEqual([]);
      else expect([side("+"), side("-")]).toEqual([from, to]);
    }),
  );
});

test("very long texts are told as replaced instead of filling the memory", () => {
  const words = (word: string): string[] => Array.from({ length: 5000 }, (_, index) => `${word}${index}`);
  const [from, to] = [words("a").with(2500, "same"), words("b").with(2500, "same")];
  expect(textDifference(from.join("\n"), to.join("\n"))).toHaveLength(10_000);
});
