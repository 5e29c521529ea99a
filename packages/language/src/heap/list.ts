/** Lists: their elements are slots. */
import { allocate, emptyList, heap, kind, type Slot, type Value } from "./memory.ts";

const maxLength = 0xfffffff;

/** Reserves a list, whose elements the caller sets from cell `firstElement` on. */
export function allocateList(length: number): Value {
  if (length === 0) return emptyList;
  // More than fits is refused by the allocation.
  const at = allocate(length > maxLength ? Number.POSITIVE_INFINITY : (length + 2) & -2);
  heap[at] = (length << 4) | kind.list;
  return ((at << 2) | 6) as Value;
}

export function listLength(list: Slot): number {
  return heap[(list >>> 2) - 1]! >>> 4;
}

/** Returns the index of the cell of a list's first element. */
export function firstElement(list: Slot): number {
  return list >>> 2;
}

/** Returns an element; the index is inside the list. */
export function elementAt(list: Slot, index: number): Slot {
  return heap[(list >>> 2) + index]! as Slot;
}

export function makeList(elements: ArrayLike<Slot>): Value {
  const { length } = elements;
  if (length === 0) return emptyList;
  const list = allocateList(length);
  const at = firstElement(list);
  for (let i = 0; i < length; i++) heap[at + i] = elements[i]!;
  return list;
}

/** Returns the elements of a list as an array. */
export function elementsOf(list: Slot): Slot[] {
  const length = listLength(list);
  const at = firstElement(list);
  const elements = new Array<Slot>(length);
  for (let i = 0; i < length; i++) elements[i] = heap[at + i]! as Slot;
  return elements;
}

/** Copies the elements of a list to cells of the heap. */
export function copyElements(list: Slot, to: number): number {
  const length = listLength(list);
  const from = firstElement(list);
  if (length > 64) heap.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) heap[to + i] = heap[from + i]!;
  return to + length;
}

/** Returns the elements of `a`, then those of `b`. */
export function joinLists(a: Value, b: Value): Value {
  const list = allocateList(listLength(a) + listLength(b));
  copyElements(b, copyElements(a, firstElement(list)));
  return list;
}
