/**
 * Filters foreign text (logs, names, descriptions, strings of a program) on its way to a terminal: colours pass, all other
 * control sequences are removed. It keeps only the state of the current sequence, so output of any length can pass.
 */

const ESC = 0x1b;
const BEL = 0x07;
const MAX_COLOR = 64;

type State =
  /** In ordinary text. */
  | "text"
  /** After ESC. */
  | "escape"
  /** After ESC and intermediate bytes: one more byte belongs to the sequence. */
  | "intermediate"
  /** After ESC `[`. */
  | "control"
  /** In a string for the terminal itself (title, clipboard, link), until BEL, ESC or the end of the line. */
  | "string";

/** Filters one stream of bytes. */
export class TerminalFilter {
  #state: State = "text";
  #parameters = "";
  /**
   * True when the last byte was 0xc2, which is held back: only followed by a byte from 0xa0 to 0xbf does it begin a character
   * that may pass.
   */
  #held = false;
  /** The number of bytes that still belong to a character of UTF-8; another byte of 0x80 to 0x9f would be a control of 8 bits. */
  #following = 0;

  /** Returns the part of the next bytes that a terminal may get. */
  filter(data: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(data.length + MAX_COLOR + 4);
    let length = 0;
    const put = (byte: number): void => {
      if (this.#held) {
        this.#held = false;
        if (byte >= 0x80 && byte < 0xa0) return;
        if (byte >= 0xa0 && byte < 0xc0) out[length++] = 0xc2;
      } else if (byte >= 0x80 && byte < 0xc0 && this.#following > 0) {
        this.#following--;
        out[length++] = byte;
        return;
      }
      this.#following = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte > 0xc2 ? 1 : 0;
      if (byte === 0xc2) this.#held = true;
      else if (byte < 0x80 || byte >= 0xa0) out[length++] = byte;
    };
    for (const byte of data) {
      const state = this.#state;
      if (byte === ESC) this.#state = "escape";
      else if (byte === 0x0a) {
        this.#state = "text";
        put(byte);
      } else if (state === "text") {
        if (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f)) put(byte);
      } else if (state === "escape") {
        this.#parameters = "";
        this.#state = afterEscape(byte);
      } else if (state === "intermediate") {
        if (byte < 0x20 || byte > 0x2f) this.#state = "text";
      } else if (state === "string") {
        if (byte === BEL) this.#state = "text";
      } else if (byte >= 0x20 && byte < 0x40) {
        if (this.#parameters.length < MAX_COLOR) this.#parameters += String.fromCharCode(byte);
      } else {
        this.#state = "text";
        if (byte !== 0x6d || this.#parameters.length >= MAX_COLOR || !/^[0-9;:]*$/.test(this.#parameters)) continue;
        for (const part of Buffer.from(`\x1b[${this.#parameters}m`)) put(part);
      }
    }
    return out.subarray(0, length);
  }
}

function afterEscape(byte: number): State {
  if (byte === 0x5b) return "control";
  if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte)) return "string";
  if (byte >= 0x20 && byte <= 0x2f) return "intermediate";
  return "text";
}
