/**
 * The shape of an attribute set: its names as sorted symbols. Shapes of up to 64 names are unique, so that comparing two is
 * comparing numbers and select sites can remember an index. Cells: size, order of the names' bytes, right side and plan of the last
 * update, the next shape of the same hash, 0, symbols.
 */
import { type Address, allocate, heap } from "./memory.ts";
import { compareStrings } from "./string.ts";
import { symbolString } from "./symbol.ts";
import { addTable } from "./tables.ts";

const uniqueUpTo = 64;
/** The offset of the first symbol of a shape. */
export const firstKey = 6;
const lastRight = 2;
const lastPlan = 3;
const next = 4;

const buckets = new Int32Array(131072);

export function shapeSize(shape: Address): number {
  return heap[shape]!;
}

/** Returns the symbol at an index of a shape. */
export function keyAt(shape: Address, index: number): number {
  return heap[shape + firstKey + index]!;
}

/** Returns the index of a symbol in a shape, or -1. */
export function findKey(shape: number, symbol: number): number {
  const size = heap[shape]!;
  const keys = shape + firstKey;
  if (size <= 8) {
    for (let i = 0; i < size; i++) if (heap[keys + i] === symbol) return i;
    return -1;
  }
  let low = 0;
  let high = size - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const key = heap[keys + middle]!;
    if (key === symbol) return middle;
    if (key < symbol) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function newShape(keys: ArrayLike<number>, size: number): Address {
  const shape = allocate((firstKey + size + 1) & -2);
  heap[shape] = size;
  for (let i = 0; i < size; i++) heap[shape + firstKey + i] = keys[i]!;
  return shape;
}

/** Returns the shape of the first `size` of these sorted symbols. */
export function makeShape(keys: ArrayLike<number>, size = keys.length): Address {
  if (size > uniqueUpTo) return newShape(keys, size);
  let hash = size;
  for (let i = 0; i < size; i++) hash = (Math.imul(hash, 31) + keys[i]!) | 0;
  const bucket = (hash ^ (hash >>> 15) ^ (hash >>> 7)) & 131071;
  const first = buckets[bucket]!;
  search: for (let shape = first; shape !== 0; shape = heap[shape + next]!) {
    if (heap[shape] !== size) continue;
    for (let i = 0; i < size; i++) if (heap[shape + firstKey + i] !== keys[i]) continue search;
    return shape as Address;
  }
  const shape = newShape(keys, size);
  heap[shape + next] = first;
  buckets[bucket] = shape;
  return shape;
}

export const emptyShape: Address = makeShape([]);

/** Returns the address of the indices of a shape, in the order of the names' bytes. */
export function orderOf(shape: Address): Address {
  const known = heap[shape + 1]!;
  if (known !== 0) return known as Address;
  const size = heap[shape]!;
  const order = new Array<number>(size);
  for (let i = 0; i < size; i++) order[i] = i;
  order.sort((a, b) => compareStrings(symbolString(keyAt(shape, a)), symbolString(keyAt(shape, b))));
  const at = allocate(Math.max(2, (size + 1) & -2));
  for (let i = 0; i < size; i++) heap[at + i] = order[i]!;
  heap[shape + 1] = at;
  return at;
}

/** Returns the symbols of a shape as an array. */
export function keysOf(shape: Address): number[] {
  const size = heap[shape]!;
  const keys = new Array<number>(size);
  for (let i = 0; i < size; i++) keys[i] = heap[shape + firstKey + i]!;
  return keys;
}

/** Returns the symbols of a shape in the order of the names' bytes. */
export function orderedKeys(shape: Address): number[] {
  return orderedIndices(shape).map((index) => keyAt(shape, index));
}

/** Returns the indices of a shape in the order of the names' bytes. */
export function orderedIndices(shape: Address): number[] {
  const order = orderOf(shape);
  const size = heap[shape]!;
  const indices = new Array<number>(size);
  for (let i = 0; i < size; i++) indices[i] = heap[order + i]!;
  return indices;
}

// ---- plans of updates

/** Forgets the last plan of a shape. */
export function clearPlan(shape: Address): void {
  heap[shape + lastRight] = 0;
  heap[shape + lastPlan] = 0;
}

/**
 * A plan makes `a // b` from the values of both, for one pair of shapes. Cells: shape, size, then the places that it combined last (of
 * the left, of the right) and the result, then for each value its index on the left, or the complement of the one on the right.
 */
export const firstSource = 5;

/** Plans by pairs of shapes: left, right, plan. */
let plans = new Int32Array(3 << 14);
let planCount = 0;

function planPlace(a: number, b: number): number {
  const mask = plans.length / 3 - 1;
  let hash = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b);
  hash = (hash ^ (hash >>> 15)) & mask;
  for (;;) {
    const left = plans[3 * hash]!;
    if (left === 0 || (left === a && plans[3 * hash + 1] === b)) return 3 * hash;
    hash = (hash + 1) & mask;
  }
}

function growPlans(): void {
  const old = plans;
  plans = new Int32Array(2 * old.length);
  for (let i = 0; i < old.length; i += 3) {
    if (old[i] === 0) continue;
    const at = planPlace(old[i]!, old[i + 1]!);
    plans[at] = old[i]!;
    plans[at + 1] = old[i + 1]!;
    plans[at + 2] = old[i + 2]!;
  }
}

/** Returns the plan for an update of two shapes. */
export function planOf(a: Address, b: Address): Address {
  if (heap[a + lastRight] === b) return heap[a + lastPlan]! as Address;
  let at = planPlace(a, b);
  let plan = plans[at + 2]! as Address;
  if (plans[at] === 0) {
    plan = makePlan(a, b);
    if (6 * ++planCount > plans.length) {
      growPlans();
      at = planPlace(a, b);
    }
    plans[at] = a;
    plans[at + 1] = b;
    plans[at + 2] = plan;
  }
  heap[a + lastRight] = b;
  heap[a + lastPlan] = plan;
  return plan;
}

addTable({
  mark(marker) {
    marker.shape(emptyShape);
  },
  sweep(kept) {
    plans = new Int32Array(3 << 14);
    planCount = 0;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      let shape = buckets[bucket]!;
      let before = 0;
      buckets[bucket] = 0;
      while (shape !== 0) {
        const after = heap[shape + next]!;
        if (kept.has(shape)) {
          if (before === 0) buckets[bucket] = shape;
          else heap[before + next] = shape;
          heap[shape + next] = 0;
          before = shape;
        }
        shape = after;
      }
    }
  },
  save: (to) => to.cells("shapes by hash", buckets),
  load: (from) => buckets.set(from.cells("shapes by hash")),
});

const mergedKeys: number[] = [];
const mergedSources: number[] = [];

function makePlan(a: Address, b: Address): Address {
  const left = heap[a]!;
  const right = heap[b]!;
  let size = 0;
  let i = 0;
  let j = 0;
  while (i < left || j < right) {
    if (j >= right || (i < left && heap[a + firstKey + i]! < heap[b + firstKey + j]!)) {
      mergedKeys[size] = heap[a + firstKey + i]!;
      mergedSources[size++] = i;
      i++;
    } else {
      if (i < left && heap[a + firstKey + i] === heap[b + firstKey + j]) i++;
      mergedKeys[size] = heap[b + firstKey + j]!;
      mergedSources[size++] = ~j;
      j++;
    }
  }
  const shape = makeShape(mergedKeys, size);
  const plan = allocate((firstSource + size + 1) & -2);
  heap[plan] = shape;
  heap[plan + 1] = size;
  for (let k = 0; k < size; k++) heap[plan + firstSource + k] = mergedSources[k]!;
  return plan;
}
