import fc from "fast-check";
import { expect, test } from "vitest";
import { TerminalFilter } from "./terminal-filter.ts";

function filtered(...pieces: (string | Uint8Array)[]): string {
  const filter = new TerminalFilter();
  return Buffer.concat(pieces.map((piece) => filter.filter(Buffer.from(piece as Uint8Array)))).toString("latin1");
}

test.each([
  ["text, tabs and lines", "a\tb\né…\n", Buffer.from("a\tb\né…\n").toString("latin1")],
  ["colours", "\x1b[31mred\x1b[0m \x1b[38:2:1:2:3mx\x1b[m", "\x1b[31mred\x1b[0m \x1b[38:2:1:2:3mx\x1b[m"],
  ["the cursor, the screen", "a\x1b[2Jb\x1b[1;2Hc\x1b[?1049hd\x1b[5nx", "abcdx"],
  ["titles, links, the clipboard", "\x1b]0;t\x07a\x1b]8;;http://x\x1b\\b\x1b]52;c;eA==\x07c\x1bPq\x1b\\d", "abcd"],
  ["strings that do not end", "\x1b]0;title\nnext", "\nnext"],
  ["character sets, resets, keypads", "\x1b(Ba\x1bcb\x1b=c\x1b#8d", "abcd"],
  ["control characters", "a\x07\b\r\v\f\x00\x7f\x0eb", "ab"],
  ["controls of 8 bits", Buffer.from("a\x9b2Jb\u0085c", "utf8"), "a2Jbc"],
  [
    "controls of 8 bits alone, and within characters",
    Buffer.from("a\x9b2Jb\x85\xe2\x80\x9cc\xf0\x9f\x92\x9bd\xe2\x9b", "latin1"),
    "a2Jb\xe2\x80\x9cc\xf0\x9f\x92\x9bd\xe2\x9b",
  ],
  ["colours with other controls in them", "\x1b[31\x1b[2Jm\x1b[>4;2mx\x1b[31\nmx", "m" + "x" + "\nmx"],
  ["two escapes", "\x1b\x1b[31mx\x1b\x1b]0;x\x07y", "\x1b[31mxy"],
])("%s", (_what, text, expected) => {
  expect(filtered(text)).toBe(expected);
});

test("what passes does not depend on how it is cut, and has no sequences but colours", () => {
  const unit = fc.constantFrom(
    "\x1b",
    "[",
    "]",
    "m",
    "3",
    ";",
    "\x07",
    "\\",
    "\n",
    "a",
    "\xc2",
    "\x9b",
    "(",
    "?",
    "J",
    "\x90",
  );
  fc.assert(
    fc.property(fc.array(fc.string({ unit })), (pieces) => {
      const bytes = pieces.map((piece) => Buffer.from(piece, "latin1"));
      const whole = filtered(Buffer.concat(bytes));
      expect(filtered(...bytes)).toBe(whole);
      expect(whole.replace(/\x1b\[[0-9;:]*m/g, "")).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/);
    }),
  );
});
