/**
 * The heap: one array of 32-bit cells in which all values of the process live. It is filled from its start to its end; between two
 * requests what is no longer reached can be freed (collect.ts), and what was free is filled first. Nothing moves. A value is a number of 32 bits; its low bits tell what it is:
 *
 *   …1    an integer of 31 bits, itself            …000  a delayed value (a thunk)
 *   …010  an attribute set                         …100  a string
 *   …110  a record; the low four bits of its first cell are its kind (see `kind`)
 *
 * Of a thunk or set, the number without its low two bits is the address of the object: the index of its first cell, which is even. Of
 * strings and records it is the index of the second cell. The objects, cell by cell ("…" stands for as many cells as the size says):
 *
 *   thunk             state or code, environment or value (thunk.ts)
 *   environment       enclosing environment, slots …
 *   string            length in bytes, context or complement of the symbol, bytes … (string.ts)
 *   set               shape, places, values …; or a negative mark and what a layered or mapped set holds (set.ts)
 *   shape             size, order, right and plan of the last update, next of the same hash, 0, symbols … (shape.ts)
 *   places            shape, positions …, position of the set; or -1, shape, places above, places below (places.ts)
 *   list              length * 16 + kind, elements …
 *   function          node * 32 + fresh * 16 + kind, environment
 *   partial function  number of arguments * 16 + kind, function, arguments …
 *   builtin           number * 16 + kind, 0
 *   partial builtin   number of arguments * 16 + kind, builtin, arguments …
 *   path              kind, string
 *   float, integer    kind, 0, two cells with the 64 bits
 *   Boolean, null     kind, 0
 */
import { FirnError } from "@firn/formats";
import { checkedView, isHeapChecked } from "./checked.ts";

declare const slotMark: unique symbol;
declare const valueMark: unique symbol;
declare const addressMark: unique symbol;

/** A value or a thunk, as it stands in a cell. */
export type Slot = number & { readonly [slotMark]: true };

/** A forced value. */
export type Value = Slot & { readonly [valueMark]: true };

/** The index of the first cell of an object that is no value: an environment, a shape, places. 0 is none. */
export type Address = number & { readonly [addressMark]: true };

/** The kinds of records. */
export const kind = {
  list: 1,
  lambda: 2,
  partialLambda: 3,
  builtin: 4,
  partialBuiltin: 5,
  path: 6,
  float: 7,
  integer: 8,
  boolean: 9,
  null: 10,
} as const;

const largest = 2 ** 32;
const smallest = 2 ** 26;

/** Reserves address space; pages of it take memory only when they are written. Where less is to be had, takes less. */
function reserve(): ArrayBufferLike {
  for (let size = largest; ; size /= 2) {
    try {
      // The engine's collector counts what is not shared as garbage to come.
      return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(size) : new SharedArrayBuffer(size);
    } catch (error) {
      if (!(error instanceof RangeError) || size <= smallest) throw error;
    }
  }
}

const buffer = reserve();
const whole = new Int32Array(buffer);

/** Returns a view of the heap with elements of some bytes, checked where the program asks for it. */
function view<T extends Int32Array | Uint8Array | Float64Array>(array: T): T {
  const each = array.BYTES_PER_ELEMENT;
  if (!isHeapChecked()) return array;
  return checkedView(array, (start, end) => isInUse(Math.floor((start * each) / 4), Math.ceil((end * each) / 4)));
}

/** The cells of the heap. */
export const heap: Int32Array = view(whole);
/** The bytes of the heap. */
export const heapBytes: Uint8Array = view(new Uint8Array(buffer));
/** The heap as floating-point numbers. */
export const heapFloats: Float64Array = view(new Float64Array(buffer));

/** Cells that stay free: what is written in passing behind the last object never reaches the end. */
const reserved = 1024;
const last = whole.length - reserved;
let end = last;
/** The first cell behind the constants. */
export const firstCell = 16;
let top: number = firstCell;

/** No value: the content of a slot that is not set, and the result of looking for what is not there. */
export const none = 0 as Slot;

/** The constants, which lie at the start of the heap. */
export const nullValue = 14 as Value;
export const falseValue = 22 as Value;
export const trueValue = 30 as Value;
export const emptyList = 38 as Value;
export const emptyString = 44 as Value;

const blackHoleCode = -2;
// What is not set is never forced; if it were, it would be an endless recursion.
whole[0] = blackHoleCode;
whole[2] = kind.null;
whole[4] = kind.boolean;
whole[6] = kind.boolean;
whole[8] = kind.list;

/** Returns the Boolean value of a condition. */
export function bool(condition: boolean): Value {
  return condition ? trueValue : falseValue;
}

/** The bounds of what an evaluation adds to the heap, which starts at a size in cells; 0 bytes stand for all that is free. */
export interface HeapLimit {
  readonly start: number;
  readonly bytes: number;
}

/** No other bound than the heap's own. */
const noLimit: HeapLimit = { start: 0, bytes: 0 };

let limit = noLimit;

/** The free ranges after the one that is being filled, and the first of them that was not taken yet. Behind the last one nothing lies. */
let free: { start: number; readonly end: number }[] = [];
let nextFree = 0;
/** The end of the range that is being filled. */
let rangeEnd = last;
/** The free cells before `top`. */
let skipped = firstCell;
/** From here on no cell was ever used while another range was being filled. */
let clean = firstCell;

/** Returns the number of cells in use. */
export function heapSize(): number {
  return top - skipped;
}

/** Returns the size that the bounds allow. */
function largestSize(): number {
  return limit.bytes === 0 ? last : limit.start + Math.floor(limit.bytes / 4);
}

function setEnd(): void {
  end = Math.min(rangeEnd, largestSize() + skipped);
}

/** Bounds what is added to the heap from now on; returns the bounds until now. */
export function limitHeap(next: HeapLimit): HeapLimit {
  const previous = limit;
  limit = next;
  setEnd();
  return previous;
}

function full(): never {
  const own = largestSize() < last;
  const size = Math.round(own ? limit.bytes / 1048576 : last / 262144);
  throw new FirnError("out-of-memory", `the evaluated values exceed the ${size} MiB that they may take`, {
    hint: own ? "evaluate less at once, or allow more with the setting max-memory" : "evaluate less at once",
  });
}

/** Reserves an even number of cells, which are 0, and returns the address of the first one. Fails when the heap is full. */
export function allocate(cells: number): Address {
  const at = top;
  const next = at + cells;
  if (next > end) return allocateFurther(cells);
  top = next;
  return at as Address;
}

/** The end of what a large object may refer to that was put elsewhere. */
let settled = 0;

/** Gives back the cells of an object that nothing made before it refers to, if nothing was made after it. */
export function giveBack(at: number, cells: number): void {
  if (top !== at + cells || at < settled) return;
  for (let i = at; i < top; i++) heap[i] = 0;
  top = at;
}

/** Returns the address of what is made next, unless that is large or does not fit. */
export function nextAddress(): number {
  return top;
}

/** From this number of cells on, an object is put where there is room, and the range that is being filled stays. */
const large = 1024;

function allocateFurther(cells: number): Address {
  if (heapSize() + cells > largestSize()) full();
  if (cells >= large) {
    for (let i = nextFree; i < free.length; i++) {
      const range = free[i]!;
      if (range.end - range.start < cells) continue;
      const at = range.start;
      range.start += cells;
      skipped -= cells;
      setEnd();
      wipe(at, range.start);
      settled = top;
      return at as Address;
    }
    full();
  }
  while (nextFree < free.length) {
    const range = free[nextFree++]!;
    if (range.end - range.start < cells) continue;
    fill(range);
    return allocate(cells);
  }
  full();
}

/** Makes a free range the one that is being filled. */
function fill(range: { readonly start: number; readonly end: number }): void {
  const size = heapSize();
  wipe(range.start, range.end);
  top = range.start;
  skipped = top - size;
  rangeEnd = range.end;
  settled = 0;
  setEnd();
}

/** Sets cells to 0 that may have been used. */
function wipe(from: number, to: number): void {
  if (from < clean) whole.fill(0, from, Math.min(to, clean));
}

/** Tells whether cells are in use, or lie within what may be written in passing behind the last object. */
function isInUse(from: number, to: number): boolean {
  if (to > (rangeEnd === last ? top + reserved : free.at(-1)!.start)) return false;
  if (rangeEnd !== last && from < rangeEnd && to > top + reserved) return false;
  return !free.slice(nextFree).some(({ start, end: behind }) => from < behind && to > start);
}

/** Returns the end of all cells that were ever used. */
export function usedEnd(): number {
  return rangeEnd === last ? top : free.at(-1)!.start;
}

/** Frees ranges of cells, in their order; `size` cells stay in use. All that are not in use are given. */
export function freeRanges(ranges: readonly { readonly start: number; readonly end: number }[], size: number): void {
  clean = Math.max(clean, usedEnd());
  free = [...ranges, { start: clean, end: last }];
  nextFree = 1;
  const first = free[0]!;
  wipe(first.start, first.end);
  top = first.start;
  skipped = top - size;
  rangeEnd = first.end;
  settled = 0;
  setEnd();
}

/** The cells in use as an image has them: what is free, and the end of all that were ever used. */
export interface HeapLayout {
  readonly free: readonly { readonly start: number; readonly end: number }[];
  readonly end: number;
  /** The number of cells in use. */
  readonly size: number;
}

/** Returns the layout of the heap right after a collection. */
export function heapLayout(): HeapLayout {
  const ranges = [{ start: top, end: rangeEnd }, ...free.slice(nextFree)];
  const beyond = ranges.pop()!;
  return { free: ranges, end: beyond.start, size: heapSize() };
}

/** Tells whether the bounds allow a heap of this layout. */
export function fits({ end: used, size }: HeapLayout): boolean {
  return used <= last && size <= largestSize();
}

/** Takes the layout of an image, whose cells are written then. */
export function takeLayout(layout: HeapLayout): void {
  clean = Math.max(clean, usedEnd());
  free = [...layout.free, { start: Math.max(layout.end, clean), end: last }];
  nextFree = 1;
  const first = free[0]!;
  wipe(first.start, first.end);
  top = first.start;
  skipped = top - layout.size;
  rangeEnd = first.end;
  settled = 0;
  setEnd();
}

export function isThunk(slot: Slot): boolean {
  return (slot & 7) === 0;
}

export function isSet(slot: Slot): boolean {
  return (slot & 7) === 2;
}

export function isString(slot: Slot): boolean {
  return (slot & 7) === 4;
}

/** Returns the kind of a record, 0 for anything else. */
export function kindOf(slot: Slot): number {
  return (slot & 7) === 6 ? heap[(slot >>> 2) - 1]! & 15 : 0;
}

export function isList(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 1;
}

export function isLambda(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 2;
}

export function isBuiltin(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 4;
}

export function isPath(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 6;
}

export function isFloat(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 15) === 7;
}

export function isBoolean(slot: Slot): boolean {
  return slot === falseValue || slot === trueValue;
}

/** Tells whether a value is a function of any kind; sets with `__functor` are none. */
export function isFunction(slot: Slot): boolean {
  if ((slot & 7) !== 6) return false;
  const found = heap[(slot >>> 2) - 1]! & 15;
  return found >= 2 && found <= 5;
}
