/**
 * Text in the reference's form for standard error: tabs become blanks, bells and carriage returns are removed, and so are
 * colours unless the terminal shows them. The columns of tabs count from the start of the whole text, not of a line.
 */
import { byteString, printedBytes, textOf } from "@firn/formats/base";

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

/** Converts a text for standard error; `colors` keeps colour sequences. Bytes that are no UTF-8 stay as they are. */
export function terminalText(text: string, colors = false): string {
  return /[\x1b\t\r\x07]/.test(text) ? filtered(byteString(printedBytes(text)), colors) : text;
}

/** A sign of more than one byte in UTF-8. */
const longSign = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/y;

function filtered(bytes: string, colors: boolean): string {
  let out = "";
  let column = 0;
  let at = 0;
  while (at < bytes.length) {
    const code = bytes.charCodeAt(at);
    if (code === 0x1b) {
      sequence.lastIndex = at;
      const [found] = sequence.exec(bytes)!;
      if (colors && found.endsWith("m")) out += found;
      at += found.length;
      continue;
    }
    longSign.lastIndex = at;
    const sign = code < 0x80 ? bytes[at]! : (longSign.exec(bytes)?.[0] ?? bytes[at]!);
    at += sign.length;
    if (code === 0x09) {
      const blanks = 8 - (column % 8);
      out += " ".repeat(blanks);
      column += blanks;
    } else if (code !== 0x0d && code !== 0x07) {
      out += sign;
      column += code < 0x80 ? Number(code >= 32) : widthOf(textOf(sign));
    }
  }
  return out;
}

/** Returns how many columns a sign takes. */
function widthOf(sign: string): number {
  if (isWide(sign.codePointAt(0)!)) return 2;
  return zeroWidth.test(sign) ? 0 : 1;
}
