/**
 * Attribute sets. A flat set: shape, places of the definitions (0 when not known), values. Others start with a mark:
 *
 *   layered    -11, upper set, lower set, number of layers: an update of a large set that did not copy it
 *   mapped     -12, set, function, shape or complement of the number of the values found, values …: each value is mapped at its first use
 *   forwarded  -13, set: what a layered or mapped set has become
 */
import { type Address, allocate, heap, none, type Slot, type Value } from "./memory.ts";
import { makePlaces, overlayPlaces, placeOf, placeOfWhole } from "./places.ts";
import {
  emptyShape,
  findKey,
  firstKey,
  firstSource,
  keyAt,
  makeShape,
  orderedIndices,
  planOf,
  shapeSize,
} from "./shape.ts";
import { intern, nameOf, symbolString } from "./symbol.ts";
import { addTable } from "./tables.ts";

// None of them is -1, with which select sites start that remember no shape.
const layered = -11;
const mapped = -12;
const forwarded = -13;

/** The offset of the first value of a flat set. */
export const firstValue = 2;
/** The offset of the first value of a mapped set. */
const firstMapped = 4;

const mapLazilyFrom = 48;
const layerFrom = 256;
const maxLayers = 12;
const maxPlanSize = 400;

/** Reserves a flat set of a shape, whose values the caller sets from cell `firstValue` on. */
export function allocateSet(shape: Address, places: number): Value {
  const set = allocate((shapeSize(shape) + firstValue + 1) & -2);
  heap[set] = shape;
  heap[set + 1] = places;
  return ((set << 2) | 2) as Value;
}

export const emptySet: Value = allocateSet(emptyShape, 0);

/** Returns the set that a layered or mapped set has become, if it has. */
function resolved(set: Slot): Value {
  let found = set;
  while (heap[found >>> 2] === forwarded) found = heap[(found >>> 2) + 1]! as Slot;
  return found as Value;
}

// ---- values

/** Returns an attribute, or `none`. */
export function attribute(set: Slot, symbol: number): Slot {
  let at = set >>> 2;
  for (;;) {
    const shape = heap[at]!;
    if (shape > 0) {
      const i = findKey(shape, symbol);
      return (i < 0 ? 0 : heap[at + firstValue + i]!) as Slot;
    }
    if (shape === layered) {
      const slot = attribute(heap[at + 1]! as Slot, symbol);
      if (slot !== none) return slot;
      at = heap[at + 2]! >>> 2;
    } else if (shape === forwarded) at = heap[at + 1]! >>> 2;
    else return mappedAttribute(at, symbol);
  }
}

/** Returns the position of the definition of an attribute; 0 when unknown or absent. */
export function positionOf(set: Slot, symbol: number): number {
  let at = set >>> 2;
  for (;;) {
    const shape = heap[at]!;
    if (shape > 0) return placeOf(heap[at + 1]!, symbol);
    if (shape === layered) {
      const top = heap[at + 1]! as Slot;
      if (attribute(top, symbol) !== none) at = top >>> 2;
      else at = heap[at + 2]! >>> 2;
    } else if (shape === forwarded) at = heap[at + 1]! >>> 2;
    else return 0;
  }
}

/** Returns the position of the literal that a set is; 0 for one that was made of others. */
export function positionOfSet(set: Value): number {
  let at = set >>> 2;
  while (heap[at] === forwarded) at = heap[at + 1]! >>> 2;
  const shape = heap[at]!;
  return shape > 0 ? placeOfWhole(heap[at + 1]!, shape as Address) : 0;
}

/** Returns the address of the set with the values of this one in the order of its shape; makes it first if need be. */
export function flatSet(set: Slot): Address {
  const at = set >>> 2;
  return (heap[at]! > 0 ? at : flatten(set)) as Address;
}

/** Returns the shape of a set. */
export function shapeOf(set: Slot): Address {
  return heap[flatSet(set)]! as Address;
}

/** Returns the value at an index of the shape of a set that is flat by now. */
export function valueAt(set: Slot, index: number): Slot {
  return heap[flatSet(set) + firstValue + index]! as Slot;
}

/** Returns the shape of a set for its names alone; values that are yet to be mapped stay so. */
export function namesOf(set: Slot): Address {
  let at = resolved(set) >>> 2;
  while (heap[at] === mapped) at = resolved(heap[at + 1]! as Slot) >>> 2;
  return (heap[at]! > 0 ? heap[at]! : heap[flatten(((at << 2) | 2) as Slot)]!) as Address;
}

/** Returns the address of a set that is flat, 0 for one that is not. */
export function flatOrNone(set: Slot): number {
  const at = set >>> 2;
  if (heap[at]! > 0) return at;
  const found = resolved(set) >>> 2;
  return heap[found]! > 0 ? found : 0;
}

function flatten(set: Slot): number {
  const start = resolved(set);
  const at = start >>> 2;
  if (heap[at]! > 0) return at;
  let flat: Value;
  if (heap[at] === mapped) flat = allMapped(at);
  else {
    const layers = parts(start);
    for (let i = 0; i < layers.length; i++) layers[i] = ((flatSet(layers[i]!) << 2) | 2) as Value;
    mergeNeighbours(layers);
    flat = layers[0]!;
  }
  forward(at, flat);
  return flat >>> 2;
}

function forward(at: number, to: Value): void {
  heap[at] = forwarded;
  heap[at + 1] = to;
}

// ---- mapped sets

let delayMember: (callee: Slot, name: Slot, slot: Slot) => Slot;

/** Sets the function that delays the call of a mapped set's function. */
export function setMemberCall(call: typeof delayMember): void {
  delayMember = call;
}

/** Values found so far in mapped sets over sets that were not flat, by symbol. */
const foundBySymbol: Map<number, Slot>[] = [];

/** The kind of a set that is not flat. */
export function setMark(at: number): "layered" | "mapped" | "forwarded" {
  return heap[at] === layered ? "layered" : heap[at] === mapped ? "mapped" : "forwarded";
}

/** Returns the values found so far in a mapped set over one that was not flat; `number` is the complement of its fourth cell. */
export function valuesFound(number: number): Iterable<Slot> {
  usedFinds.add(number);
  return foundBySymbol[number]!.values();
}

/** The finds of the mapped sets that the collector has met. */
const usedFinds = new Set<number>();

addTable({
  mark(marker) {
    usedFinds.clear();
    marker.slot(emptySet);
  },
  sweep() {
    foundBySymbol.forEach((found, number) => {
      if (!usedFinds.has(number)) found.clear();
    });
  },
  save: (to) =>
    to.cells(
      "values found",
      foundBySymbol.flatMap((found) => [found.size, ...[...found].flat()]),
    ),
  load(from) {
    const cells = from.cells("values found");
    for (let at = 0; at < cells.length; ) {
      const found = new Map<number, Slot>();
      for (let left = cells[at++]!; left > 0; left--, at += 2) found.set(cells[at]!, cells[at + 1]! as Slot);
      foundBySymbol.push(found);
    }
  },
});

/** Returns a set with every value mapped by a function of name and value; in large sets each value is mapped at its first use. */
export function mapSet(set: Value, callee: Slot): Value {
  const flat = flatOrNone(set);
  const shape = flat === 0 ? 0 : heap[flat]!;
  if (shape === 0 || heap[shape]! >= mapLazilyFrom) {
    const size = shape === 0 ? 0 : heap[shape]!;
    const at = allocate((firstMapped + size + 1) & -2);
    heap[at] = mapped;
    heap[at + 1] = shape === 0 ? set : (flat << 2) | 2;
    heap[at + 2] = callee;
    heap[at + 3] = shape === 0 ? ~(foundBySymbol.push(new Map()) - 1) : shape;
    return ((at << 2) | 2) as Value;
  }
  const result = allocateSet(shape as Address, 0);
  const size = heap[shape]!;
  const to = (result >>> 2) + firstValue;
  for (let i = 0; i < size; i++) {
    heap[to + i] = delayMember(callee, symbolString(heap[shape + firstKey + i]!), heap[flat + firstValue + i]! as Slot);
  }
  return result;
}

function mappedAttribute(at: number, symbol: number): Slot {
  const shape = heap[at + 3]!;
  const base = heap[at + 1]!;
  const callee = heap[at + 2]! as Slot;
  if (shape > 0) {
    const i = findKey(shape, symbol);
    if (i < 0) return none;
    const known = heap[at + firstMapped + i]!;
    if (known !== 0) return known as Slot;
    const slot = heap[(base >>> 2) + firstValue + i]! as Slot;
    return (heap[at + firstMapped + i] = delayMember(callee, symbolString(symbol), slot)) as Slot;
  }
  const found = foundBySymbol[~shape]!;
  const known = found.get(symbol);
  if (known !== undefined) return known;
  const slot = attribute(base as Slot, symbol);
  if (slot === none) return none;
  const made = delayMember(callee, symbolString(symbol), slot);
  found.set(symbol, made);
  return made;
}

/** Makes the flat set of a mapped one. */
function allMapped(at: number): Value {
  const base = flatSet(heap[at + 1]! as Slot);
  const shape = heap[base]! as Address;
  const size = heap[shape]!;
  const callee = heap[at + 2]! as Slot;
  const found = heap[at + 3]! < 0 ? foundBySymbol[~heap[at + 3]!] : undefined;
  const result = allocateSet(shape, 0);
  const to = (result >>> 2) + firstValue;
  for (let i = 0; i < size; i++) {
    const symbol = heap[shape + firstKey + i]!;
    const known = found === undefined ? heap[at + firstMapped + i]! : (found.get(symbol) ?? 0);
    heap[to + i] =
      known === 0 ? delayMember(callee, symbolString(symbol), heap[base + firstValue + i]! as Slot) : known;
  }
  found?.clear();
  return result;
}

// ---- updates

/** Returns the flat sets and mappings of a layered set, the lowest first. */
function parts(set: Slot, found: Value[] = []): Value[] {
  const start = resolved(set);
  const at = start >>> 2;
  if (heap[at] === layered) {
    parts(heap[at + 2]! as Slot, found);
    parts(heap[at + 1]! as Slot, found);
  } else found.push(start);
  return found;
}

function sizeIfFlat(set: Value): number {
  const shape = heap[set >>> 2]!;
  return shape > 0 ? heap[shape]! : -1;
}

/** Merges adjacent flat layers, the smallest first, so that large ones are copied once. */
function mergeNeighbours(layers: Value[]): void {
  for (;;) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 1; i < layers.length; i++) {
      const below = sizeIfFlat(layers[i - 1]!);
      const above = sizeIfFlat(layers[i]!);
      if (below < 0 || above < 0 || below + above >= least) continue;
      least = below + above;
      best = i;
    }
    if (best < 0) return;
    layers.splice(best - 1, 2, mergeFlat(layers[best - 1]!, layers[best]!));
  }
}

function layersOf(set: Value): number {
  const at = set >>> 2;
  return heap[at] === layered ? heap[at + 3]! : 0;
}

function layer(top: Value, base: Value, layers: number): Value {
  const at = allocate(4);
  heap[at] = layered;
  heap[at + 1] = top;
  heap[at + 2] = base;
  heap[at + 3] = layers;
  return ((at << 2) | 2) as Value;
}

/** Copies adjacent flat layers into one; values that are yet to be mapped stay so. */
function compact(set: Value): void {
  if (heap[set >>> 2] !== layered) return;
  const layers = parts(set);
  mergeNeighbours(layers);
  let base = layers[0]!;
  for (let i = 1; i < layers.length; i++) base = layer(layers[i]!, base, i);
  forward(set >>> 2, base);
}

/** Computes `left // right`. Large sets are not copied, and values that are yet to be mapped stay so. */
export function update(left: Value, right: Value): Value {
  let a = resolved(left);
  let b = resolved(right);
  let x = sizeIfFlat(a);
  let y = sizeIfFlat(b);
  if (y === 0) return left;
  if (x === 0) return right;
  if (layersOf(a) + layersOf(b) >= maxLayers) {
    compact(a);
    compact(b);
    a = resolved(a);
    b = resolved(b);
    x = sizeIfFlat(a);
    y = sizeIfFlat(b);
  }
  const layers = layersOf(a) + layersOf(b) + 1;
  const large = x < 0 || y < 0 || x >= layerFrom || y >= layerFrom;
  if (large && layers <= maxLayers) return layer(b, a, layers);
  return mergeFlat(((flatSet(a) << 2) | 2) as Value, ((flatSet(b) << 2) | 2) as Value);
}

/** Merges two flat sets. */
function mergeFlat(left: Value, right: Value): Value {
  const x = left >>> 2;
  const y = right >>> 2;
  const a = heap[x]! as Address;
  const b = heap[y]! as Address;
  if (heap[b] === 0) return left;
  if (heap[a] === 0) return right;
  if (heap[a]! + heap[b]! >= maxPlanSize) return mergeLarge(x, y);
  const plan = planOf(a, b);
  const size = heap[plan + 1]!;
  const merged = allocate((size + firstValue + 1) & -2);
  heap[merged] = heap[plan]!;
  heap[merged + 1] = overlay(plan, x, y);
  const sources = plan + firstSource;
  const to = merged + firstValue;
  for (let i = 0; i < size; i++) {
    const from = heap[sources + i]!;
    heap[to + i] = from >= 0 ? heap[x + firstValue + from]! : heap[y + firstValue + ~from]!;
  }
  return ((merged << 2) | 2) as Value;
}

/** Returns the places of an update; the last result is kept, because the same literals meet repeatedly. */
function overlay(plan: number, left: number, right: number): number {
  const under = heap[left + 1]!;
  const over = heap[right + 1]!;
  if (under === 0 && over === 0) return 0;
  if (heap[plan + 2] === under && heap[plan + 3] === over) return heap[plan + 4]!;
  const places = overlayPlaces(heap[right]! as Address, over, under);
  heap[plan + 2] = under;
  heap[plan + 3] = over;
  heap[plan + 4] = places;
  return places;
}

function mergeLarge(left: number, right: number): Value {
  const a = heap[left]! as Address;
  const b = heap[right]! as Address;
  const aSize = heap[a]!;
  const bSize = heap[b]!;
  const aKeys = a + firstKey;
  const bKeys = b + firstKey;
  let size = 0;
  for (let i = 0, j = 0; i < aSize || j < bSize; size++) {
    if (j >= bSize) {
      size += aSize - i;
      break;
    }
    if (i >= aSize) {
      size += bSize - j;
      break;
    }
    const x = heap[aKeys + i]!;
    const y = heap[bKeys + j]!;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  // Of the same names as one side: its shape serves again.
  const shared = size === aSize ? a : size === bSize ? b : 0;
  const keys = shared === 0 ? new Int32Array(size) : null;
  const merged = allocate((size + firstValue + 1) & -2);
  const to = merged + firstValue;
  for (let i = 0, j = 0, k = 0; k < size; k++) {
    if (j >= bSize || (i < aSize && heap[aKeys + i]! < heap[bKeys + j]!)) {
      if (keys !== null) keys[k] = heap[aKeys + i]!;
      heap[to + k] = heap[left + firstValue + i]!;
      i++;
    } else {
      if (i < aSize && heap[aKeys + i] === heap[bKeys + j]) i++;
      if (keys !== null) keys[k] = heap[bKeys + j]!;
      heap[to + k] = heap[right + firstValue + j]!;
      j++;
    }
  }
  const under = heap[left + 1]!;
  const over = heap[right + 1]!;
  heap[merged] = keys === null ? shared : makeShape(keys);
  heap[merged + 1] = under === 0 && over === 0 ? 0 : overlayPlaces(b, over, under);
  return ((merged << 2) | 2) as Value;
}

// ---- making sets

/** Makes a set from unsorted symbols without repetition. The arrays are taken over; `whole` is the position of the set, 0 for none. */
export function makeSet(symbols: number[], values: Slot[], positions: number[] | null, whole = 0): Value {
  const size = symbols.length;
  if (size === 0) return emptySet;
  if (size <= 24) insertionSort(symbols, values, positions);
  else if (!isSorted(symbols)) return makeLargeSet(symbols, values, positions, whole);
  const shape = makeShape(symbols);
  return filledSet(shape, values, positions === null ? 0 : makePlaces(shape, positions, whole));
}

/** Makes a set with these values. */
export function filledSet(shape: Address, values: ArrayLike<Slot>, places: number): Value {
  const set = allocateSet(shape, places);
  const at = (set >>> 2) + firstValue;
  const size = shapeSize(shape);
  for (let i = 0; i < size; i++) heap[at + i] = values[i]!;
  return set;
}

function isSorted(symbols: readonly number[]): boolean {
  for (let i = 1; i < symbols.length; i++) if (symbols[i - 1]! > symbols[i]!) return false;
  return true;
}

function insertionSort(symbols: number[], values: Slot[], positions: number[] | null): void {
  for (let i = 1; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    if (symbols[i - 1]! < symbol) continue;
    const value = values[i]!;
    const position = positions === null ? 0 : positions[i]!;
    let j = i - 1;
    for (; j >= 0 && symbols[j]! > symbol; j--) {
      symbols[j + 1] = symbols[j]!;
      values[j + 1] = values[j]!;
      if (positions !== null) positions[j + 1] = positions[j]!;
    }
    symbols[j + 1] = symbol;
    values[j + 1] = value;
    if (positions !== null) positions[j + 1] = position;
  }
}

function makeLargeSet(
  symbols: readonly number[],
  values: readonly Slot[],
  positions: number[] | null,
  whole: number,
): Value {
  const size = symbols.length;
  const order = new Float64Array(size);
  for (let i = 0; i < size; i++) order[i] = symbols[i]! * 67108864 + i;
  order.sort();
  const keys = new Int32Array(size);
  const sortedValues = new Array<Slot>(size);
  const sortedPositions = positions === null ? null : new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const key = Math.floor(order[i]! / 67108864);
    const from = order[i]! - key * 67108864;
    keys[i] = key;
    sortedValues[i] = values[from]!;
    if (sortedPositions !== null) sortedPositions[i] = positions![from]!;
  }
  const shape = makeShape(keys);
  return filledSet(shape, sortedValues, sortedPositions === null ? 0 : makePlaces(shape, sortedPositions, whole));
}

/** Makes a set from names and slots. */
export function setOf(members: Readonly<Record<string, Slot>>): Value {
  const names = Object.keys(members);
  return makeSet(
    names.map(intern),
    names.map((name) => members[name]!),
    null,
  );
}

/** Returns names and slots of a set, in byte order of the names. */
export function membersOf(set: Slot): [string, Slot][] {
  const shape = shapeOf(set);
  return orderedIndices(shape).map((index) => [nameOf(keyAt(shape, index)), valueAt(set, index)]);
}
