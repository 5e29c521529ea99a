/**
 * The shape of an attribute set: its names as sorted symbols. Shapes of up to 64 names are unique, so that comparing two is
 * comparing pointers and select sites can remember an index.
 */
import { symbolNames } from "../code/memory.ts";

const uniqueUpTo = 64;
let nextId = 1;

/** A plan for making `a // b` from the values of both, for one pair of shapes. */
export interface UpdatePlan {
  readonly shape: Shape;
  /** Index into the left values, or the complement of one into the right values. */
  readonly source: readonly number[];
  /** The places that this plan combined last (of the right, of the left), and the result. */
  over: object | null;
  under: object | null;
  places: object | null;
}

export class Shape {
  readonly keys: readonly number[];
  readonly size: number;
  readonly id: number;
  private lexical: readonly number[] | null;
  lastRight: Shape | null;
  lastPlan: UpdatePlan | null;
  plans: Map<Shape, UpdatePlan> | null;

  constructor(keys: readonly number[]) {
    this.keys = keys;
    this.size = keys.length;
    this.id = nextId++;
    this.lexical = null;
    this.lastRight = null;
    this.lastPlan = null;
    this.plans = null;
  }

  /** Returns the index of a symbol, or -1. */
  find(symbol: number): number {
    const keys = this.keys;
    const size = this.size;
    if (size <= 8) {
      for (let i = 0; i < size; i++) if (keys[i] === symbol) return i;
      return -1;
    }
    let low = 0;
    let high = size - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const key = keys[middle]!;
      if (key === symbol) return middle;
      if (key < symbol) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Returns indices in the order of the names' bytes. */
  order(): readonly number[] {
    if (this.lexical === null) {
      const order = new Array<number>(this.size);
      for (let i = 0; i < this.size; i++) order[i] = i;
      const keys = this.keys;
      order.sort((a, b) => {
        const x = symbolNames[keys[a]!]!;
        const y = symbolNames[keys[b]!]!;
        return x < y ? -1 : x > y ? 1 : 0;
      });
      this.lexical = order;
    }
    return this.lexical;
  }
}

const unique = new Map<number, Shape[]>();

/** Returns the shape with these sorted keys. The array must not be changed afterwards. */
export function makeShape(keys: readonly number[]): Shape {
  const size = keys.length;
  if (size > uniqueUpTo) return new Shape(keys);
  let hash = size;
  for (let i = 0; i < size; i++) hash = (Math.imul(hash, 31) + keys[i]!) | 0;
  const bucket = unique.get(hash);
  if (bucket === undefined) {
    const shape = new Shape(keys);
    unique.set(hash, [shape]);
    return shape;
  }
  search: for (let b = 0; b < bucket.length; b++) {
    const shape = bucket[b]!;
    if (shape.size !== size) continue;
    const known = shape.keys;
    for (let i = 0; i < size; i++) if (known[i] !== keys[i]) continue search;
    return shape;
  }
  const shape = new Shape(keys);
  bucket.push(shape);
  return shape;
}

export const emptyShape: Shape = makeShape([]);
