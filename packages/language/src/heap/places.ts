/**
 * Positions of the definitions of a set's attributes. They are needed by name and only for errors and `unsafeGetAttrPos`:
 * sets that lose names or are updated share known positions instead of copying them. Cells: the shape, a position for each of its
 * names, and that of the whole set; or -1, a shape, and the places of its names and of all others.
 */
import { type Address, allocate, heap } from "./memory.ts";
import { findKey, shapeSize } from "./shape.ts";

const overlaid = -1;

/** Makes places of one position for each name of a shape, and the position of the whole set (0 when it has none of its own). */
export function makePlaces(shape: Address, positions: ArrayLike<number>, whole = 0): Address {
  const size = shapeSize(shape);
  const places = allocate((size + 3) & -2);
  heap[places] = shape;
  for (let i = 0; i < size; i++) heap[places + 1 + i] = positions[i]!;
  heap[places + 1 + size] = whole;
  return places;
}

/** Returns the position of a whole set of a shape; 0 for one that was made of others. */
export function placeOfWhole(places: number, shape: Address): number {
  return places !== 0 && heap[places] === shape ? heap[places + 1 + shapeSize(shape)]! : 0;
}

/** Makes the places of an update: names of `top` are defined in `over`, the others in `under`. */
export function overlayPlaces(top: Address, over: number, under: number): Address {
  const places = allocate(4);
  heap[places] = overlaid;
  heap[places + 1] = top;
  heap[places + 2] = over;
  heap[places + 3] = under;
  return places;
}

/** Returns the position of a name, 0 when not known. */
export function placeOf(places: number, symbol: number): number {
  let at = places;
  while (at !== 0 && heap[at] === overlaid) at = findKey(heap[at + 1]!, symbol) >= 0 ? heap[at + 2]! : heap[at + 3]!;
  if (at === 0) return 0;
  const index = findKey(heap[at]!, symbol);
  return index < 0 ? 0 : heap[at + 1 + index]!;
}
