/**
 * Strings: bytes in the heap. Cells: length, then 0, the number of the string's context, or the complement of its symbol, then the
 * bytes, four in a cell, the unused ones 0. A string that was put together from long ones, or that has the bytes of another, has the
 * complement of its length in its first cell, and after the second one both parts, or the string with the bytes and 0.
 */

import { type Address, allocate, emptyString, heap, heapBytes, type Slot, type Value } from "./memory.ts";
import { addTable } from "./tables.ts";

/** The number of a context; 0 is none. */
export type ContextId = number;

/** The offset of the bytes of a string, in cells. */
const firstBytes = 2;
/** Length from which a concatenation refers to its parts instead of copying them. */
const joinFrom = 512;

function valueAt(at: number): Value {
  return ((at << 2) | 4) as Value;
}

/** Reserves a string of `length` bytes, which the caller writes from byte `startOf` on. */
export function allocateString(length: number, context: ContextId): Value {
  if (length === 0 && context === 0) return emptyString;
  const at = allocate((firstBytes + ((length + 3) >> 2) + 1) & -2);
  heap[at] = length;
  heap[at + 1] = context;
  return valueAt(at);
}

export function stringLength(value: Slot): number {
  const length = heap[(value >>> 2) - 1]!;
  return length >= 0 ? length : ~length;
}

/** Returns the address of the string that has the bytes. */
export function flatString(value: Slot): Address {
  const at = (value >>> 2) - 1;
  return (heap[at]! >= 0 ? at : flatten(at)) as Address;
}

/** Returns the index of the first byte of a string. */
export function startOf(value: Slot): number {
  return (flatString(value) + firstBytes) * 4;
}

export function contextIdOf(value: Slot): ContextId {
  const found = heap[value >>> 2]!;
  return Math.max(found, 0);
}

/** Copies bytes within the heap; the ranges do not overlap. */
export function copyBytes(from: number, to: number, count: number): void {
  if (count > 256) {
    heapBytes.copyWithin(to, from, from + count);
    return;
  }
  if (((from | to) & 3) === 0) {
    const source = from / 4;
    const target = to / 4;
    const cells = count >> 2;
    for (let i = 0; i < cells; i++) heap[target + i] = heap[source + i]!;
    for (let i = cells << 2; i < count; i++) heapBytes[to + i] = heapBytes[from + i]!;
    return;
  }
  for (let i = 0; i < count; i++) heapBytes[to + i] = heapBytes[from + i]!;
}

/** Gives a string that was put together its bytes; returns the address of the string that has them. */
function flatten(start: number): number {
  const second = heap[start + 3]!;
  if (second === 0) return (heap[start + 2]! >>> 2) - 1;
  const length = ~heap[start]!;
  const flat = allocateString(length, 0);
  // From the end on: chains grow to the right, and the rest of one is what waits.
  let end = ((flat >>> 2) + firstBytes - 1) * 4 + length;
  const waiting: number[] = [];
  let part = valueAt(start) as number;
  for (;;) {
    const at = (part >>> 2) - 1;
    const size = heap[at]!;
    if (size < 0 && heap[at + 3] !== 0) {
      waiting.push(heap[at + 2]!);
      part = heap[at + 3]!;
      continue;
    }
    const bytes = size < 0 ? (heap[at + 2]! >>> 2) - 1 : at;
    const count = size < 0 ? ~size : size;
    end -= count;
    copyBytes((bytes + firstBytes) * 4, end, count);
    const next = waiting.pop();
    if (next === undefined) break;
    part = next;
  }
  heap[start + 2] = flat;
  heap[start + 3] = 0;
  return (flat >>> 2) - 1;
}

// ---- from and to JavaScript strings

/** Makes a string of a JavaScript string, one byte a char. */
export function makeString(text: string, context: ContextId = 0): Value {
  const { length } = text;
  if (length === 0 && context === 0) return emptyString;
  const at = allocate((firstBytes + ((length + 3) >> 2) + 1) & -2);
  heap[at] = length;
  heap[at + 1] = context;
  let cell = at + firstBytes;
  let i = 0;
  for (const whole = length - 3; i < whole; i += 4) {
    heap[cell++] =
      (text.charCodeAt(i) & 255) |
      ((text.charCodeAt(i + 1) & 255) << 8) |
      ((text.charCodeAt(i + 2) & 255) << 16) |
      (text.charCodeAt(i + 3) << 24);
  }
  if (i < length) {
    let rest = text.charCodeAt(i) & 255;
    if (i + 1 < length) rest |= (text.charCodeAt(i + 1) & 255) << 8;
    if (i + 2 < length) rest |= (text.charCodeAt(i + 2) & 255) << 16;
    heap[cell] = rest;
  }
  return valueAt(at);
}

/** Makes a string of some bytes. */
export function makeStringOfBytes(bytes: Uint8Array, start: number, end: number, context: ContextId = 0): Value {
  const value = allocateString(end - start, context);
  const to = ((value >>> 2) + firstBytes - 1) * 4;
  if (end - start > 256) heapBytes.set(bytes.subarray(start, end), to);
  else for (let i = start; i < end; i++) heapBytes[to + i - start] = bytes[i]!;
  return value;
}

/** Makes the decimal digits of an integer of 31 bits. */
export function makeDecimal(value: number): Value {
  const negative = value < 0;
  let rest = negative ? -value : value;
  let length = negative ? 2 : 1;
  for (let power = 10; power <= rest; power *= 10) length++;
  const string = allocateString(length, 0);
  const start = ((string >>> 2) + firstBytes - 1) * 4;
  for (let at = start + length - 1; at >= start; at--) {
    const tenth = (rest / 10) | 0;
    heapBytes[at] = 48 + rest - 10 * tenth;
    rest = tenth;
  }
  if (negative) heapBytes[start] = 45;
  return string;
}

/** A decoder of the engine's that beats a loop for long strings; only Node has one. */
interface Decoder {
  latin1Slice(start: number, end: number): string;
}
const decoder: Decoder | undefined = (
  globalThis as { Buffer?: { from(bytes: ArrayBufferLike): Decoder } }
).Buffer?.from(heapBytes.buffer);

const decodeFrom = 48;
const char = String.fromCharCode;

/** Returns a string as a JavaScript string, one char a byte. */
export function stringText(value: Slot): string {
  return bytesText(startOf(value), stringLength(value));
}

/** Returns bytes of the heap as a JavaScript string. */
export function bytesText(start: number, length: number): string {
  const b = heapBytes;
  let i = start;
  if (length >= decodeFrom && decoder !== undefined) return decoder.latin1Slice(start, start + length);
  const end = start + length;
  let text = "";
  for (; i + 8 <= end; i += 8) {
    text += char(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
  }
  switch (end - i) {
    case 0:
      return text;
    case 1:
      return text + char(b[i]!);
    case 2:
      return text + char(b[i]!, b[i + 1]!);
    case 3:
      return text + char(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4:
      return text + char(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5:
      return text + char(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6:
      return text + char(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    default:
      return text + char(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
  }
}

// ---- strings from strings

/** Returns a string with the bytes of another and a context of its own. */
export function withContext(value: Value, context: ContextId): Value {
  const known = contextIdOf(value);
  if (known === context) return value;
  const length = stringLength(value);
  if (length === 0) return allocateString(0, context);
  const at = allocate(4);
  heap[at] = ~length;
  heap[at + 1] = context;
  heap[at + 2] = valueAt(flatString(value));
  return valueAt(at);
}

/** Returns `a` followed by `b`. */
export function joinStrings(a: Value, b: Value, context: ContextId): Value {
  const x = stringLength(a);
  const y = stringLength(b);
  if (y === 0) return withContext(a, context);
  if (x === 0) return withContext(b, context);
  const length = x + y;
  if (length >= joinFrom) {
    const at = allocate(4);
    heap[at] = ~length;
    heap[at + 1] = context;
    heap[at + 2] = a;
    heap[at + 3] = b;
    return valueAt(at);
  }
  const value = allocateString(length, context);
  const to = ((value >>> 2) + firstBytes - 1) * 4;
  copyBytes(startOf(a), to, x);
  copyBytes(startOf(b), to + x, y);
  return value;
}

/** Returns the strings `parts[from … to]` one after the other; they have `length` bytes together. */
function copied(
  parts: readonly Value[],
  range: { from: number; to: number; length: number },
  context: ContextId,
): Value {
  const value = allocateString(range.length, context);
  let to = ((value >>> 2) + firstBytes - 1) * 4;
  for (let i = range.from; i < range.to; i++) {
    const part = parts[i]!;
    const count = stringLength(part);
    copyBytes(startOf(part), to, count);
    to += count;
  }
  return value;
}

/** Returns strings one after the other. */
export function joinAll(parts: readonly Value[], context: ContextId): Value {
  const count = parts.length;
  if (count === 0) return allocateString(0, context);
  if (count === 1) return withContext(parts[0]!, context);
  if (count === 2) return joinStrings(parts[0]!, parts[1]!, context);
  let length = 0;
  for (let i = 0; i < count; i++) length += stringLength(parts[i]!);
  if (length >= joinFrom) {
    // What grows by one side is not copied again each time.
    const first = stringLength(parts[0]!);
    const last = stringLength(parts[count - 1]!);
    if (2 * first > length) {
      return joinStrings(parts[0]!, copied(parts, { from: 1, to: count, length: length - first }, 0), context);
    }
    if (2 * last > length) {
      return joinStrings(
        copied(parts, { from: 0, to: count - 1, length: length - last }, 0),
        parts[count - 1]!,
        context,
      );
    }
  }
  return copied(parts, { from: 0, to: count, length }, context);
}

/** Strings of one byte. */
const bytes = new Int32Array(256);

addTable({
  mark(marker) {
    for (const value of bytes) marker.slot(value as Slot);
  },
  save: (to) => to.cells("strings of one byte", bytes),
  load: (from) => bytes.set(from.cells("strings of one byte")),
});

function oneByte(byte: number): Value {
  let value = bytes[byte]!;
  if (value === 0) {
    value = allocateString(1, 0);
    heapBytes[((value >>> 2) + firstBytes - 1) * 4] = byte;
    bytes[byte] = value;
  }
  return value as Value;
}

/** Returns the string of some bytes of the heap. */
export function copyOfBytes(from: number, length: number): Value {
  if (length === 1) return oneByte(heapBytes[from]!);
  const part = allocateString(length, 0);
  copyBytes(from, ((part >>> 2) + firstBytes - 1) * 4, length);
  return part;
}

/** Returns a part of a string; the part is inside it. */
export function partOfString(value: Value, start: number, length: number, context: ContextId): Value {
  if (length === stringLength(value)) return withContext(value, context);
  const from = startOf(value) + start;
  if (context === 0) return copyOfBytes(from, length);
  const part = allocateString(length, context);
  copyBytes(from, ((part >>> 2) + firstBytes - 1) * 4, length);
  return part;
}

// ---- comparing

export function equalStrings(a: Slot, b: Slot): boolean {
  if (a === b) return true;
  if (stringLength(a) !== stringLength(b)) return false;
  const x = flatString(a) + firstBytes;
  const y = flatString(b) + firstBytes;
  const cells = (stringLength(a) + 3) >> 2;
  for (let i = 0; i < cells; i++) if (heap[x + i] !== heap[y + i]) return false;
  return true;
}

/** Compares the bytes of strings: negative, 0 or positive. */
export function compareStrings(a: Slot, b: Slot): number {
  if (a === b) return 0;
  const m = stringLength(a);
  const n = stringLength(b);
  const x = flatString(a) + firstBytes;
  const y = flatString(b) + firstBytes;
  const common = Math.min(m, n);
  const cells = (common + 3) >> 2;
  for (let i = 0; i < cells; i++) {
    if (heap[x + i] === heap[y + i]) continue;
    const end = Math.min(common, 4 * i + 4);
    for (let k = 4 * i; k < end; k++) {
      const difference = heapBytes[4 * x + k]! - heapBytes[4 * y + k]!;
      if (difference !== 0) return difference;
    }
  }
  return m - n;
}

/** Tells whether a string is the text of a JavaScript string. */
export function isText(value: Slot, text: string): boolean {
  const { length } = text;
  if (stringLength(value) !== length) return false;
  const start = startOf(value);
  for (let i = 0; i < length; i++) if (heapBytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Tells whether the bytes of `part` stand at `at` in a string. */
export function bytesAre(at: number, part: Slot): boolean {
  const length = stringLength(part);
  const start = startOf(part);
  for (let i = 0; i < length; i++) if (heapBytes[at + i] !== heapBytes[start + i]) return false;
  return true;
}

/** Tells whether a string is some bytes of the heap. */
export function isBytes(value: Slot, at: number, length: number): boolean {
  return stringLength(value) === length && bytesAre(at, value);
}

const mix = 0x9e3779b1;

/** Returns a hash of the bytes of a string. */
export function hashOfString(value: Slot): number {
  const at = flatString(value);
  const length = heap[at]!;
  let hash = length;
  const end = at + firstBytes + ((length + 3) >> 2);
  for (let i = at + firstBytes; i < end; i++) {
    hash = Math.imul(hash ^ heap[i]!, mix);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Returns the hash of a string of some bytes of the heap. */
export function hashOfBytes(at: number, length: number): number {
  let hash = length;
  let i = at;
  for (const whole = at + length - 3; i < whole; i += 4) {
    const cell = heapBytes[i]! | (heapBytes[i + 1]! << 8) | (heapBytes[i + 2]! << 16) | (heapBytes[i + 3]! << 24);
    hash = Math.imul(hash ^ cell, mix);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (let k = at + length - 1; k >= i; k--) rest = (rest << 8) | heapBytes[k]!;
  if (i < at + length) {
    hash = Math.imul(hash ^ rest, mix);
    hash ^= hash >>> 15;
  }
  return hash;
}
