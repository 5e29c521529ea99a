/**
 * Text in the reference's form for standard error: tabs become blanks, bells and carriage returns are removed, and so are
 * colours unless the terminal shows them. The columns of tabs count from the start of the whole text, not of a line.
 */
import { byteString, byteStringOf, printedBytes, textOf } from "@firn/formats/base";

const sequence = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\?)?|[@-_])?/y;
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** Converts a text for standard error; `colors` keeps colour sequences. */
export function terminalText(text: string, colors = false): string {
  return /[\x1b\t\r\x07]/.test(text) ? byteStringOf(filtered(textOf(byteString(printedBytes(text))), colors)) : text;
}

function filtered(text: string, colors: boolean): string {
  let out = "";
  let column = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.codePointAt(at)!;
    const char = String.fromCodePoint(code);
    if (char === "\x1b") {
      sequence.lastIndex = at;
      const [found] = sequence.exec(text)!;
      if (colors && found.endsWith("m")) out += found;
      at += found.length;
      continue;
    }
    at += char.length;
    if (char === "\t") {
      const blanks = 8 - (column % 8);
      out += " ".repeat(blanks);
      column += blanks;
    } else if (char !== "\r" && char !== "\x07") {
      out += char;
      if (isWide(code)) column += 2;
      else if (code < 128 ? code >= 32 : !zeroWidth.test(char)) column++;
    }
  }
  return out;
}
