/** Numbers: integers of 31 bits are values themselves, those of 64 bits and floats are records. */
import { allocate, heap, heapFloats, kind, type Slot, type Value } from "./memory.ts";

const smallLimit = 1073741824;
const high = 4294967296;

const smallest = -9223372036854775808n;
const largest = 9223372036854775807n;

export function isInteger(slot: Slot): boolean {
  return (slot & 1) === 1 || ((slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 8);
}

/** Tells whether a slot is an integer of 31 bits, which is a value itself; those are ordered as the values are. */
export function isSmallInteger(slot: Slot): boolean {
  return (slot & 1) === 1;
}

export function isNumber(slot: Slot): boolean {
  if ((slot & 1) === 1) return true;
  if ((slot & 7) !== 6) return false;
  const found = heap[(slot >>> 2) - 1]! & 15;
  return found === 7 || found === 8;
}

/** Makes an integer from a JavaScript number, which must be whole and safe. */
export function makeInteger(value: number): Value {
  if (value >= -smallLimit && value < smallLimit) return ((value << 1) | 1) as Value;
  const at = allocate(4);
  heap[at] = kind.integer;
  heap[at + 2] = value | 0;
  heap[at + 3] = Math.floor(value / high);
  return ((at << 2) | 6) as Value;
}

/** Makes an integer from a BigInt; undefined when it does not fit into 64 bits. */
export function makeLargeInteger(value: bigint): Value | undefined {
  if (value < smallest || value > largest) return undefined;
  const small = Number(value);
  if (Number.isSafeInteger(small)) return makeInteger(small);
  const at = allocate(4);
  heap[at] = kind.integer;
  heap[at + 2] = Number(BigInt.asIntN(32, value));
  heap[at + 3] = Number(value >> 32n);
  return ((at << 2) | 6) as Value;
}

/** Returns an integer as a JavaScript number while that is exact, else as a BigInt. */
export function integerOf(value: Slot): number | bigint {
  if ((value & 1) === 1) return value >> 1;
  const at = (value >>> 2) - 1;
  const low = heap[at + 2]! >>> 0;
  const upper = heap[at + 3]!;
  const number = upper * high + low;
  return Number.isSafeInteger(number) ? number : (BigInt(upper) << 32n) | BigInt(low);
}

/** Returns the lower 32 bits of an integer. */
export function lowBits(value: Slot): number {
  return (value & 1) === 1 ? value >> 1 : heap[(value >>> 2) + 1]!;
}

/** Returns the upper 32 bits of an integer. */
export function highBits(value: Slot): number {
  return (value & 1) === 1 ? value >> 31 : heap[(value >>> 2) + 2]!;
}

/** Makes an integer of its lower and upper 32 bits. */
export function integerOfBits(low: number, upper: number): Value {
  const number = upper * high + (low >>> 0);
  if (Number.isSafeInteger(number)) return makeInteger(number);
  const at = allocate(4);
  heap[at] = kind.integer;
  heap[at + 2] = low;
  heap[at + 3] = upper;
  return ((at << 2) | 6) as Value;
}

/** Returns the sum of two integers; undefined when it does not fit into 64 bits. */
export function sumOf(a: Slot, b: Slot): Value | undefined {
  const x = integerOf(a);
  const y = integerOf(b);
  if (typeof x === "number" && typeof y === "number" && Number.isSafeInteger(x + y)) return makeInteger(x + y);
  return makeLargeInteger(BigInt(x) + BigInt(y));
}

/** Returns the difference of two integers; undefined when it does not fit into 64 bits. */
export function differenceOf(a: Slot, b: Slot): Value | undefined {
  const x = integerOf(a);
  const y = integerOf(b);
  if (typeof x === "number" && typeof y === "number" && Number.isSafeInteger(x - y)) return makeInteger(x - y);
  return makeLargeInteger(BigInt(x) - BigInt(y));
}

/** Returns the product of two integers; undefined when it does not fit into 64 bits. */
export function productOf(a: Slot, b: Slot): Value | undefined {
  const x = integerOf(a);
  const y = integerOf(b);
  // There is no negative zero among integers.
  if (typeof x === "number" && typeof y === "number" && Number.isSafeInteger(x * y)) return makeInteger(x * y + 0);
  return makeLargeInteger(BigInt(x) * BigInt(y));
}

/** Makes an integer that is known to fit. */
export function makeInt64(value: number | bigint): Value {
  return typeof value === "number" ? makeInteger(value) : makeLargeInteger(BigInt.asIntN(64, value))!;
}

export function makeFloat(value: number): Value {
  const at = allocate(4);
  heap[at] = kind.float;
  heapFloats[(at + 2) >> 1] = value;
  return ((at << 2) | 6) as Value;
}

export function floatOf(value: Slot): number {
  return heapFloats[((value >>> 2) + 1) >> 1]!;
}

/** Returns an integer or float as a floating-point number. */
export function numberOf(value: Slot): number {
  if ((value & 1) === 1) return value >> 1;
  return (heap[(value >>> 2) - 1]! & 15) === 7 ? floatOf(value) : Number(integerOf(value));
}
