import { bytesOf } from "@firn/formats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRegex, type PosixRegex } from "./regex.ts";

/** Returns the groups of a match by the table of a pattern. */
function byTable({ onePass }: PosixRegex, text: string): (string | undefined)[] | undefined {
  const bytes = bytesOf(`..${text}`);
  if (onePass?.matches(bytes, 2, bytes.length) !== true) return undefined;
  const { places } = onePass;
  return Array.from({ length: places.length / 2 }, (_, group) =>
    places[2 * group]! < 0 ? undefined : text.slice(places[2 * group], places[2 * group + 1]),
  );
}

const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc.array(tie("part"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("a", "b", "[ab]", "[^a]", "c", "^", "$"),
    fc
      .tuple(fc.constantFrom("a", "b", "c", "[bc]"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{2,}"))
      .map((it) => it.join("")),
    tie("pattern").map((inner) => `(${inner})`),
    fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{0,2}")).map(([inner, times]) => `(${inner})${times}`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
  ),
}));

describe("patterns that leave no choice", () => {
  it("match as the ways for all patterns do, with the same groups", () => {
    let tables = 0;
    fc.assert(
      fc.property(
        pattern,
        fc.array(fc.stringMatching(/^[abc]{0,6}$/), { minLength: 8, maxLength: 8 }),
        (source, texts) => {
          const regex = compileRegex(source);
          if (regex.onePass === undefined) return;
          tables++;
          for (const text of texts) expect(byTable(regex, text)).toEqual(regex.match(text));
        },
      ),
      { numRuns: 3000 },
    );
    expect(tables).toBeGreaterThan(300);
  });

  it.each(["([a-z]+)-([0-9]+)", "[0-9]+\\.[0-9]+", "(a|b(c)?)*d", "^(#!)?(/[a-z]+)+$", ""])("are %s", (source) => {
    expect(compileRegex(source).onePass).toBeDefined();
  });

  it.each(["a*a", "(a|ab)c", "(a*)*", "((a)+)+", "(.*)-(.*)", "a{1,400}"])("are not %s", (source) => {
    expect(compileRegex(source).onePass).toBeUndefined();
  });

  it("keep the last match of a group that a later round leaves out", () => {
    expect(byTable(compileRegex("((a)|b)*"), "ab")).toEqual(["b", "a"]);
    expect(byTable(compileRegex("(a)?(b)?"), "b")).toEqual([undefined, "b"]);
  });
});
