/**
 * Byte strings: JS strings whose chars are 0–255, one per byte. Nix strings, store paths and names are of this kind; comparing two with
 * `<` compares their bytes.
 */

const CHUNK = 8192;

/** The bytes of a byte string; a char above 255 is a programming error and loses its high bits. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * The bytes to print for a byte string; a char above 255 can only be one of the program's own signs ("…", "•") and becomes UTF-8.
 */
export function printedBytes(text: string): Uint8Array<ArrayBuffer> {
  return /[^\0-\xff]/.test(text)
    ? bytesOf(text.replace(/[^\0-\xff]+/g, (signs) => byteStringOf(signs)))
    : bytesOf(text);
}

/** The byte string of some bytes. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + CHUNK) as unknown as number[]);
  }
  return text;
}

/** A byte string holding UTF-8 → ordinary text; invalid sequences become U+FFFD. */
export function textOf(byteText: string): string {
  for (let i = 0; i < byteText.length; i++) {
    if (byteText.charCodeAt(i) > 127) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(byteText));
  }
  return byteText;
}

/** Ordinary text → the byte string of its UTF-8 form. */
export function byteStringOf(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return byteString(new TextEncoder().encode(text));
  }
  return text;
}

/** Tells whether two byte arrays are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Orders byte strings by their bytes, for `sort`. */
export function compareByteStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Sorts byte strings by their bytes and drops duplicates. Returns the list itself when it is sorted and unique already, else
 * a new one.
 */
export function sortedUnique(list: readonly string[]): readonly string[] {
  for (let i = 1; i < list.length; i++) if (list[i - 1]! >= list[i]!) return sortByteStrings([...new Set(list)]);
  return list;
}

/** Sorts byte strings by their bytes, in place; lists that are sorted already cost one pass. */
export function sortByteStrings(list: string[]): string[] {
  for (let i = 1; i < list.length; i++) if (list[i - 1]! > list[i]!) return list.sort();
  return list;
}
