/** Symbols: the names of attributes and variables, by number. Every symbol has its string, and a string may know its symbol. */

import { heap, type Value } from "./memory.ts";
import {
  copyOfBytes,
  equalStrings,
  flatString,
  hashOfBytes,
  hashOfString,
  isBytes,
  makeString,
  makeStringOfBytes,
  stringText,
} from "./string.ts";
import { addTable } from "./tables.ts";

/** The string of each symbol. */
let strings = new Int32Array(16384);
let count = 0;
const names: (string | undefined)[] = [];
/** Symbols by name, for names that came as JavaScript strings. */
const byName = new Map<string, number>();
/** Symbol + 1 by the hash of the name, as far from it as others are in the way. */
let table = new Int32Array(65536);

export function symbolCount(): number {
  return count;
}

/** Returns the string of a symbol. */
export function symbolString(symbol: number): Value {
  return strings[symbol]! as Value;
}

/** Returns the name of a symbol. */
export function nameOf(symbol: number): string {
  const known = names[symbol];
  if (known !== undefined) return known;
  const name = stringText(strings[symbol]! as Value);
  names[symbol] = name;
  return name;
}

function place(value: Value): number {
  const mask = table.length - 1;
  const hash = hashOfString(value);
  let at = (hash ^ (hash >>> 16)) & mask;
  for (;;) {
    const found = table[at]!;
    if (found === 0 || equalStrings(strings[found - 1]! as Value, value)) return at;
    at = (at + 1) & mask;
  }
}

addTable({
  mark(marker) {
    for (let symbol = 0; symbol < count; symbol++) marker.slot(strings[symbol]! as Value);
  },
  save(to) {
    to.cells("symbols", strings.subarray(0, count));
    to.cells("symbols by hash", table);
  },
  load(from) {
    const loaded = from.cells("symbols");
    table = from.cells("symbols by hash");
    strings = new Int32Array(table.length);
    strings.set(loaded);
    for (; count < loaded.length; count++) names.push(undefined);
  },
});

function grow(): void {
  table = new Int32Array(2 * table.length);
  for (let symbol = 0; symbol < count; symbol++) table[place(strings[symbol]! as Value)] = symbol + 1;
}

function add(value: Value, at: number): number {
  const symbol = count++;
  if (symbol === strings.length) {
    const larger = new Int32Array(2 * strings.length);
    larger.set(strings);
    strings = larger;
  }
  strings[symbol] = value;
  names.push(undefined);
  heap[value >>> 2] = ~symbol;
  table[at] = symbol + 1;
  if (2 * count > table.length) grow();
  return symbol;
}

/** Returns the symbol of a string without context. */
export function symbolOf(value: Value): number {
  const cell = value >>> 2;
  const known = heap[cell]!;
  if (known < 0) return ~known;
  const at = place(value);
  const found = table[at]!;
  if (found === 0) {
    const flat = flatString(value);
    return add((flat === (value >>> 2) - 1 ? value : (flat << 2) | 4) as Value, at);
  }
  heap[cell] = ~(found - 1);
  return found - 1;
}

/** Returns the symbol of a string, -1 when none has its name: no set has an attribute of any other name. */
export function knownSymbolOf(value: Value): number {
  const known = heap[value >>> 2]!;
  return known < 0 ? ~known : table[place(value)]! - 1;
}

/** Returns the symbol of a name. */
export function intern(name: string): number {
  let symbol = byName.get(name);
  if (symbol === undefined) {
    symbol = symbolOf(makeString(name));
    byName.set(name, symbol);
    names[symbol] ??= name;
  }
  return symbol;
}

/** Returns the symbol of the name that some bytes are. */
export function internBytes(bytes: Uint8Array, start: number, end: number): number {
  return symbolOf(makeStringOfBytes(bytes, start, end));
}

/** Returns the symbol of the name that some bytes of the heap are. */
export function symbolOfBytes(start: number, length: number): number {
  const mask = table.length - 1;
  const hash = hashOfBytes(start, length);
  for (let at = (hash ^ (hash >>> 16)) & mask; ; at = (at + 1) & mask) {
    const found = table[at]!;
    if (found === 0) return add(copyOfBytes(start, length), at);
    if (isBytes(strings[found - 1]! as Value, start, length)) return found - 1;
  }
}
