/** Paths: absolute and canonical, but for a slash at the end while they are part of an interpolation. */
import { allocate, heap, kind, type Slot, type Value } from "./memory.ts";
import { makeString, stringText } from "./string.ts";
import { hasTreeRoots, shownPath } from "./tree-root.ts";

export function makePath(path: string): Value {
  const text = makeString(path);
  const at = allocate(2);
  heap[at] = kind.path;
  heap[at + 1] = text;
  return ((at << 2) | 6) as Value;
}

/** Returns the string of a path as it is, with the stand-in of its tree. */
export function placedPathString(path: Slot): Value {
  return heap[path >>> 2]! as Value;
}

/** Returns the text of a path as it is, with the stand-in of its tree: for the host, and for other paths. */
export function placedPathText(path: Slot): string {
  return stringText(placedPathString(path));
}

/** Returns the string of a path. */
export function pathString(path: Slot): Value {
  const placed = placedPathString(path);
  if (!hasTreeRoots()) return placed;
  const text = stringText(placed);
  const shown = shownPath(text);
  return shown === text ? placed : makeString(shown);
}

/** Returns the text of a path. */
export function pathText(path: Slot): string {
  return shownPath(placedPathText(path));
}
