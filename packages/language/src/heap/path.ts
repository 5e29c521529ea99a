/** Paths: absolute and canonical, but for a slash at the end while they are part of an interpolation. */
import { allocate, heap, kind, type Slot, type Value } from "./memory.ts";
import { makeString, stringText } from "./string.ts";

export function makePath(path: string): Value {
  const text = makeString(path);
  const at = allocate(2);
  heap[at] = kind.path;
  heap[at + 1] = text;
  return ((at << 2) | 6) as Value;
}

/** Returns the string of a path. */
export function pathString(path: Slot): Value {
  return heap[path >>> 2]! as Value;
}

export function pathText(path: Slot): string {
  return stringText(pathString(path));
}
