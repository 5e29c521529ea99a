/** The literal sets of the code, by the number that their nodes have: the places of their members, with their shape. */

import type { Address } from "../heap/memory.ts";
import { makePlaces } from "../heap/places.ts";
import { makeShape } from "../heap/shape.ts";
import { addTable } from "../heap/tables.ts";
import { ints } from "./memory.ts";

/** Places, or the complement of the record in the code array that they are made of at their first use. */
let literals = new Int32Array(4096);
let count = 0;

function add(entry: number): number {
  if (count === literals.length) {
    const larger = new Int32Array(2 * count);
    larger.set(literals);
    literals = larger;
  }
  literals[count] = entry;
  return count++;
}

/** Adds a literal whose keys and positions are in the code array, at a record: size, position of the set, (symbol position)*. */
export function addRecordedLiteral(record: number): number {
  return add(~record);
}

addTable({
  mark(marker) {
    for (let i = 0; i < count; i++) if (literals[i]! > 0) marker.places(literals[i]!);
  },
  save: (to) => to.cells("literals", literals.subarray(0, count)),
  load(from) {
    const loaded = from.cells("literals");
    count = loaded.length;
    literals = new Int32Array(Math.max(4096, 2 * count));
    literals.set(loaded);
  },
});

/** Adds a literal of sorted keys with their positions, and the position of the set. */
export function addLiteral(keys: readonly number[], positions: readonly number[], whole: number): number {
  return add(makePlaces(makeShape(keys), positions, whole));
}

const keys: number[] = [];
const positions: number[] = [];

/** Returns the places of a literal. */
export function literalAt(index: number): Address {
  const known = literals[index]!;
  if (known > 0) return known as Address;
  const record = ~known;
  const size = ints[record + 1]!;
  for (let i = 0; i < size; i++) {
    keys[i] = ints[record + 3 + 2 * i]!;
    positions[i] = ints[record + 4 + 2 * i]!;
  }
  const places = makePlaces(makeShape(keys, size), positions, ints[record + 2]!);
  literals[index] = places;
  return places;
}
