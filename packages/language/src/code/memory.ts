/**
 * The flat code: one array of integers for all code of the process, a table of constants and the table of symbols. A
 * node is an opcode followed by operands (offsets of other nodes, symbols, positions, constants).
 */
import { FirnError } from "@firn/formats";

const capacity = 48 * 1024 * 1024;

/** The code array. The pages of the reserved range take memory only when written. */
export const ints: Int32Array = new Int32Array(capacity);

/** The first offset of real code; lower ones are pseudo code of thunks that are not expressions. */
const firstCode = 16;
let used = firstCode;

/** Reserves `length` cells and returns their offset. */
export function allocate(length: number): number {
  const at = used;
  used += length;
  if (used > capacity) throw new FirnError("out-of-code-space", "the evaluated code exceeds the code array");
  return at;
}

/** Returns the number of cells in use. */
export function codeSize(): number {
  return used;
}

/** Constants that code refers to by index. */
export const constants: unknown[] = [];
const stringConstants = new Map<string, number>();

/**
 * Length up to which texts are shared: only names and other short texts are likely to come again; hashing the rest would cost
 * more than it saves.
 */
const sharedLength = 16;

export function stringConstant(value: string): number {
  if (value.length > sharedLength) return addConstant(value);
  let index = stringConstants.get(value);
  if (index === undefined) {
    index = constants.length;
    constants.push(value);
    stringConstants.set(value, index);
  }
  return index;
}

/** A source of texts for constants that are made at their first use. */
export interface TextSource {
  string(number: number): string;
}

/** The source of each constant's text, by number, as far as there are pending ones; 0 is none. */
const pendingSources: number[] = [];
const pendingNumbers: number[] = [];
const textSources: TextSource[] = [];

/** Adds a text that is made at its first use. */
export function addPendingConstant(source: TextSource, number: number): number {
  const index = addConstant(undefined);
  for (let i = pendingSources.length; i < index; i++) {
    pendingSources.push(0);
    pendingNumbers.push(0);
  }
  if (textSources.at(-1) !== source) textSources.push(source);
  pendingSources.push(textSources.length);
  pendingNumbers.push(number);
  return index;
}

export function constantAt(index: number): unknown {
  const known = constants[index];
  if (known !== undefined) return known;
  const source = pendingSources[index];
  if (source === undefined || source === 0) return undefined;
  const value = textSources[source - 1]!.string(pendingNumbers[index]!);
  constants[index] = value;
  return value;
}

export function addConstant(value: unknown): number {
  constants.push(value);
  return constants.length - 1;
}

/** The texts of path literals as written, by constant: in another directory the same text is another path. */
export const pathLiterals = new Map<number, string>();

export function addPathConstant(path: unknown, literal: string): number {
  const index = addConstant(path);
  pathLiterals.set(index, literal);
  return index;
}

/** Names of attributes and variables, by number. */
export const symbolNames: string[] = [];
const symbols = new Map<string, number>();

/** Returns the symbol of a name that has one: no set has an attribute of any other name. */
export function knownSymbol(name: string): number | undefined {
  return symbols.get(name);
}

export function intern(name: string): number {
  let symbol = symbols.get(name);
  if (symbol === undefined) {
    symbol = symbolNames.length;
    symbolNames.push(name);
    symbols.set(name, symbol);
  }
  return symbol;
}
