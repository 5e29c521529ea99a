/**
 * What strangers wrote (logs, names, descriptions, strings of a program) on its way to a terminal: colours pass, and everything else
 * that a terminal would obey goes. Knows no more of a stream than the sequence it is in, so output of any length can pass.
 */

const ESC = 0x1b;
const BEL = 0x07;
const MAX_COLOR = 64;

type State =
  /** Text. */
  | "text"
  /** After ESC. */
  | "escape"
  /** After ESC and intermediate bytes: one more byte belongs to it. */
  | "intermediate"
  /** After ESC `[`. */
  | "control"
  /** In a string for the terminal itself (title, clipboard, link): until BEL, ESC or the end of the line. */
  | "string";

/** Filters one stream of bytes. */
export class TerminalFilter {
  #state: State = "text";
  #parameters = "";
  /** 0xc2 was the last byte that passed and is held back: only with a byte from 0xa0 to 0xbf behind it, it begins a character that may pass. */
  #held = false;

  /** What of the next bytes a terminal may get. */
  filter(data: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(data.length + MAX_COLOR + 4);
    let length = 0;
    const put = (byte: number): void => {
      if (this.#held) {
        this.#held = false;
        if (byte >= 0x80 && byte < 0xa0) return;
        if (byte >= 0xa0 && byte < 0xc0) out[length++] = 0xc2;
      }
      if (byte === 0xc2) this.#held = true;
      else out[length++] = byte;
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
