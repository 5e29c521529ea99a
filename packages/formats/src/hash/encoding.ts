/** Bytes as base16, nix32 and base64. nix32 omits e, o, u and t, and writes the last bits first. */
import { byteString } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";

const HEX = "0123456789abcdef";
const NIX32 = "0123456789abcdfghijklmnpqrsvwxyz";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function reverse(alphabet: string): Int8Array {
  const table = new Int8Array(256).fill(-1);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}

const HEX_REVERSE = reverse(HEX);
for (let i = 10; i < 16; i++) HEX_REVERSE["A".charCodeAt(0) + i - 10] = i;
const NIX32_REVERSE = reverse(NIX32);
const BASE64_REVERSE = reverse(BASE64);

/** Lower-case hexadecimal digits of `bytes`. */
export function toBase16(bytes: Uint8Array): string {
  const codes = new Uint8Array(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = HEX.charCodeAt(bytes[i]! >> 4);
    codes[2 * i + 1] = HEX.charCodeAt(bytes[i]! & 15);
  }
  return byteString(codes);
}

/** Reads hexadecimal digits of either case; an odd length or another character is an error. */
export function fromBase16(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0) throw new FirnError("bad-encoding", `invalid length of base16 string: '${text}'`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = HEX_REVERSE[text.charCodeAt(2 * i)] ?? -1;
    const low = HEX_REVERSE[text.charCodeAt(2 * i + 1)] ?? -1;
    if (high < 0 || low < 0) {
      throw new FirnError(
        "bad-encoding",
        `invalid character in Base16 string: '${text[high < 0 ? 2 * i : 2 * i + 1]}'`,
      );
    }
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/** Number of nix32 characters for `size` bytes. */
export function nix32Length(size: number): number {
  return size === 0 ? 0 : Math.floor((size * 8 - 1) / 5) + 1;
}

/** The nix32 form of `bytes`. */
export function toNix32(bytes: Uint8Array): string {
  const length = nix32Length(bytes.length);
  const codes = new Uint8Array(length);
  for (let n = length - 1, at = 0; n >= 0; n--, at++) {
    const i = (n * 5) >> 3;
    const j = (n * 5) & 7;
    codes[at] = NIX32.charCodeAt(((bytes[i]! >> j) | ((bytes[i + 1] ?? 0) << (8 - j))) & 31);
  }
  return byteString(codes);
}

/** Tells whether every character belongs to the nix32 alphabet. */
export function isNix32(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((NIX32_REVERSE[text.charCodeAt(i)] ?? -1) < 0) return false;
  return true;
}

/** Reads nix32; non-zero bits beyond the last whole byte make it one byte longer, as in the reference. */
export function fromNix32(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((text.length * 5 + 7) / 8) + 1);
  let used = 0;
  for (let n = 0; n < text.length; n++) {
    const character = text[text.length - n - 1]!;
    const digit = NIX32_REVERSE[character.charCodeAt(0)] ?? -1;
    if (digit < 0) {
      throw new FirnError("bad-encoding", `invalid character in Nix32 (Nix's Base32 variation) string: '${character}'`);
    }
    const i = (n * 5) >> 3;
    const j = (n * 5) & 7;
    bytes[i]! |= (digit << j) & 255;
    used = Math.max(used, i + 1);
    if (digit >> (8 - j) !== 0) {
      bytes[i + 1]! |= digit >> (8 - j);
      used = i + 2;
    }
  }
  return bytes.slice(0, used);
}

/** Number of base64 characters, padding included, for `size` bytes. */
export function base64Length(size: number): number {
  return Math.floor((size + 2) / 3) * 4;
}

/** Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64[word >> 18]! + BASE64[(word >> 12) & 63]!;
    text += left > 1 ? BASE64[(word >> 6) & 63]! : "=";
    text += left > 2 ? BASE64[word & 63]! : "=";
  }
  return text;
}

/** Reads base64: stops at the first `=`, skips newlines, missing padding is accepted, other characters are errors. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let used = 0;
  let word = 0;
  let bits = 0;
  for (const character of text) {
    if (character === "=") break;
    if (character === "\n") continue;
    const digit = BASE64_REVERSE[character.charCodeAt(0)] ?? -1;
    if (digit < 0) throw new FirnError("bad-encoding", `invalid character in Base64 string: '${character}'`);
    word = ((word << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[used++] = (word >> bits) & 255;
    }
  }
  return bytes.slice(0, used);
}
