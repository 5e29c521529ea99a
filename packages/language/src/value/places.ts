/**
 * Positions of the definitions of a set's attributes. They are needed by name and only for errors and `unsafeGetAttrPos`:
 * sets that lose names or are updated share known positions instead of copying them.
 */
import { ints } from "../code/memory.ts";
import { makeShape, type Shape } from "./shape.ts";

/** One position for each name of a shape. */
export class DefinedAt {
  readonly shape: Shape;
  readonly positions: readonly number[];
  /** For a literal that was evaluated: start of the cells in the code with the nodes of its values. */
  nodes: number;
  constructor(shape: Shape, positions: readonly number[]) {
    this.shape = shape;
    this.positions = positions;
    this.nodes = 0;
  }
}

/** Positions of an update: names of `top` are defined in `over`, the others in `under`. */
export class Overlaid {
  readonly top: Shape;
  readonly over: Places | null;
  readonly under: Places | null;
  constructor(top: Shape, over: Places | null, under: Places | null) {
    this.top = top;
    this.over = over;
    this.under = under;
  }
}

export type Places = DefinedAt | Overlaid;

/** Returns the position of a name, 0 when not known. */
export function placeOf(places: Places | null, symbol: number): number {
  let at = places;
  while (at instanceof Overlaid) at = at.top.find(symbol) >= 0 ? at.over : at.under;
  if (at === null) return 0;
  const i = at.shape.find(symbol);
  return i < 0 ? 0 : at.positions[i]!;
}

/** The literal sets of the code, by the number their nodes have. */
export const literals: (DefinedAt | undefined)[] = [];
const records = new Map<number, number>();

/** Adds a literal whose keys and positions are in the code array, at a record: size, (symbol position)*. */
export function addRecordedLiteral(record: number): number {
  literals.push(undefined);
  records.set(literals.length - 1, record);
  return literals.length - 1;
}

export function literalAt(index: number): DefinedAt {
  const known = literals[index];
  if (known !== undefined) return known;
  const record = records.get(index)!;
  records.delete(index);
  const size = ints[record + 1]!;
  const keys = new Array<number>(size);
  const positions = new Array<number>(size);
  for (let i = 0; i < size; i++) {
    keys[i] = ints[record + 2 + 2 * i]!;
    positions[i] = ints[record + 3 + 2 * i]!;
  }
  const literal = new DefinedAt(makeShape(keys), positions);
  literals[index] = literal;
  return literal;
}

export function addLiteral(keys: readonly number[], positions: readonly number[]): number {
  literals.push(new DefinedAt(makeShape(keys), positions));
  return literals.length - 1;
}
