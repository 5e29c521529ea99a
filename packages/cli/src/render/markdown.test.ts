import { textOf } from "@firn/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { renderMarkdown } from "./markdown.ts";

const plain = { columns: 60, colors: false };

test("paragraphs are filled, code and quotations stand behind a bar, lists have dots", () => {
  const text = [
    "# Title",
    "Some *words* that are `long` enough to go beyond the end of a line of sixty columns.",
    "",
    "```nix",
    "1 + 1",
    "```",
    "",
    "> quoted",
    "",
    "- one",
    "- two",
    "",
    "1. first",
    "",
    "   more of it",
  ].join("\n");
  expect(textOf(renderMarkdown(text, plain))).toBe(
    [
      "Title",
      "",
      "Some words that are long enough to go beyond the end of a",
      "line of sixty columns.",
      "",
      "  │ 1 + 1",
      "",
      "  │ quoted",
      "",
      "  · one ",
      "  · two ",
      "",
      " 1. first",
      "    ",
      "    more of it",
    ].join("\n"),
  );
});

test("colours mark what the signs stood for, links are written out and can be followed", () => {
  const colored = { columns: 60, colors: true };
  expect(renderMarkdown("`a` *b* **c**", colored)).toBe("\x1b[1;94ma\x1b[0m \x1b[3mb\x1b[0m \x1b[1mc\x1b[0m");
  expect(renderMarkdown("[x](https://y.example)", colored)).toContain("\x1b]8;;https://y.example\x1b\\");
});

test("any text is laid out without colours as printable lines, and ends", () => {
  const marks = fc.constantFrom(
    "*",
    "_",
    "`",
    "[",
    "](",
    ")",
    "- ",
    "> ",
    "1. ",
    "```",
    "\n",
    "\n\n",
    "    ",
    "# ",
    "\\",
    "a",
    " b",
  );
  fc.assert(
    fc.property(fc.array(marks, { maxLength: 200 }), (parts) => {
      expect(renderMarkdown(parts.join(""), plain)).not.toContain("\x1b");
    }),
  );
});

test("hundreds of thousands of marks do no harm", () => {
  for (const mark of ["*", "`", "> ", "- ", "[a](", "**a", "_a_ "]) {
    expect(renderMarkdown(mark.repeat(40_000), plain)).toBeTypeOf("string");
  }
});
