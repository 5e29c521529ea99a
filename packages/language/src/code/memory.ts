/**
 * The flat code: one array of integers for all code of the process. A node is an opcode followed by operands (offsets of other
 * nodes, symbols, positions, constants).
 */

import { FirnError } from "@firn/formats";
import type { Value } from "../heap/memory.ts";
import { makeFloat } from "../heap/number.ts";
import { makePath } from "../heap/path.ts";
import { makeString, makeStringOfBytes } from "../heap/string.ts";
import { addTable, ImageMismatch } from "../heap/tables.ts";

const capacity = 48 * 1024 * 1024;

/** The code array. The pages of the reserved range take memory only when written. */
export const ints: Int32Array = new Int32Array(
  typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(4 * capacity) : new SharedArrayBuffer(4 * capacity),
);

/** The first offset of real code; lower ones are pseudo code of thunks that are not expressions. */
export const firstCode = 16;
let used = firstCode;

/** Reserves `length` cells and returns their offset. */
export function allocateCode(length: number): number {
  const at = used;
  used += length;
  if (used > capacity) throw new FirnError("out-of-code-space", "the evaluated code exceeds the code array");
  return at;
}

/** Returns the number of cells in use. */
export function codeSize(): number {
  return used;
}

// ---- constants: their cells hold the value itself, or 8 times the number of one that is made at its first use

const stringConstants = new Map<string, Value>();

/**
 * Length up to which texts are shared: only names and other short texts are likely to come again; hashing the rest would cost
 * more than it saves.
 */
const sharedLength = 16;

addTable({
  mark(marker) {
    for (const value of stringConstants.values()) marker.slot(value);
    for (const value of pendingValues) marker.slot(value as Value);
    for (const value of pathLiterals.keys()) marker.slot(value);
  },
  save(to) {
    to.cells("code", ints.subarray(firstCode, used));
    to.cells("constants", pendingValues);
    // Of those that are strings already no text is needed.
    const ends = new Int32Array(pendingTexts.length);
    let end = 0;
    pendingTexts.forEach((number, index) => {
      const source = pendingValues[index] === 0 ? textSourceOf(index) : undefined;
      if (source !== undefined) end += source.endOf(number) - source.startOf(number);
      ends[index] = end;
    });
    const bytes = new Uint8Array((end + 3) & ~3);
    pendingTexts.forEach((number, index) => {
      if (pendingValues[index] !== 0) return;
      const source = textSourceOf(index);
      const text = source.bytes.subarray(source.startOf(number), source.endOf(number));
      bytes.set(text, ends[index]! - text.length);
    });
    to.cells("texts of constants: ends", ends);
    to.cells("texts of constants: bytes", new Int32Array(bytes.buffer));
  },
  load(from) {
    if (used !== firstCode) throw new ImageMismatch("there is code already");
    const code = from.cells("code");
    ints.set(code, allocateCode(code.length));
    const values = from.cells("constants");
    for (let index = 0; index < values.length; index++) {
      pendingValues.push(values[index]!);
      pendingTexts.push(index);
    }
    const ends = from.cells("texts of constants: ends");
    const bytes = from.cells("texts of constants: bytes");
    textSources.push({
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      startOf: (number) => (number === 0 ? 0 : ends[number - 1]!),
      endOf: (number) => ends[number]!,
    });
    firstOfSource.push(0);
  },
});

/** Returns the cell of a string. */
export function stringConstant(text: string): Value {
  if (text.length > sharedLength) return makeString(text);
  let value = stringConstants.get(text);
  if (value === undefined) {
    value = makeString(text);
    stringConstants.set(text, value);
  }
  return value;
}

export function floatConstant(value: number): Value {
  return makeFloat(value);
}

/** A source of texts for constants that are made at their first use. */
export interface TextSource {
  /** Bytes of all texts, and where the text with a number starts and ends in them. */
  readonly bytes: Uint8Array;
  startOf(number: number): number;
  endOf(number: number): number;
}

/** By the number of a pending constant: its text, and its value or 0. */
const pendingTexts: number[] = [];
const pendingValues: number[] = [];
/** The sources of texts, and the number of the first constant of each. */
const textSources: TextSource[] = [];
const firstOfSource: number[] = [];

/** Adds a text that is made at its first use; returns its cell. */
export function addPendingConstant(source: TextSource, number: number): number {
  if (textSources.at(-1) !== source) {
    textSources.push(source);
    firstOfSource.push(pendingTexts.length);
  }
  pendingValues.push(0);
  return (pendingTexts.push(number) - 1) << 3;
}

/** Returns the source of a pending constant's text. */
function textSourceOf(index: number): TextSource {
  let from = textSources.length - 1;
  while (firstOfSource[from]! > index) from--;
  return textSources[from]!;
}

/** Returns the value of a constant's cell. */
export function constantAt(cell: number): Value {
  if ((cell & 7) !== 0) return cell as Value;
  const index = cell >>> 3;
  const known = pendingValues[index]!;
  if (known !== 0) return known as Value;
  const source = textSourceOf(index);
  const number = pendingTexts[index]!;
  const value = makeStringOfBytes(source.bytes, source.startOf(number), source.endOf(number));
  pendingValues[index] = value;
  return value;
}

/** The texts of path literals as written, by constant: in another directory the same text is another path. */
export const pathLiterals = new Map<Value, string>();

export function pathConstant(path: string, literal: string): Value {
  const value = makePath(path);
  pathLiterals.set(value, literal);
  return value;
}
