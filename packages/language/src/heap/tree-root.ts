/**
 * Trees that are read where they lie. The store path of such a tree is its hash, which takes long to compute, so that paths below it have
 * a stand-in in the place of the store path, of the same length. The store path is computed when something shows it: every text that
 * is made of a path passes `shownPath` or `shownText`. Other code leaves paths as they are and hands them to the host, which knows the
 * stand-ins.
 */
import { heap, none, type Slot, type Value } from "./memory.ts";
import { done, forgetNative, makeNativeThunk, nativeCode, nativeOf } from "./thunk.ts";

/** A tree of an evaluation. */
export interface TreeRoot {
  /** Path that stands for the store path; no store path begins with it. */
  readonly standIn: string;
  /** Computes the store path. */
  readonly compute: () => string;
  storePath: string | undefined;
}

/** The trees of the running evaluation. */
let roots: readonly TreeRoot[] = [];
/** The computations of thunks that are facts about trees. */
const facts = new WeakSet<() => Value>();

/** Makes the trees of another evaluation those of the running one. */
export function useTreeRoots(others: readonly TreeRoot[]): void {
  roots = others;
}

/** Tells whether there are stand-ins. */
export function hasTreeRoots(): boolean {
  return roots.length > 0;
}

function storePathOf(root: TreeRoot): string {
  root.storePath ??= root.compute();
  return root.storePath;
}

/** Returns a path with the store path of its tree. */
export function shownPath(path: string): string {
  if (roots.length === 0) return path;
  for (const root of roots) {
    if (path.startsWith(root.standIn)) return storePathOf(root) + path.slice(root.standIn.length);
  }
  return path;
}

/** Returns a text with the store paths of trees wherever their stand-ins occur. */
export function shownText(text: string): string {
  let shown = text;
  for (const root of roots) if (shown.includes(root.standIn)) shown = shown.replaceAll(root.standIn, storePathOf(root));
  return shown;
}

/** Returns the path with which files of a tree are known: the one with the stand-in, also where the store path is known by now. */
export function placedPath(path: string): string {
  for (const { standIn, storePath } of roots) {
    if (storePath === undefined || !path.startsWith(storePath)) continue;
    if (path.length === storePath.length || path[storePath.length] === "/")
      return standIn + path.slice(storePath.length);
  }
  return path;
}

/** Returns a path of which only the part below its tree is to be shown, or, for the tree itself, the store path. */
export function shownBelowTree(path: string): string {
  for (const { standIn } of roots) if (path.startsWith(`${standIn}/`)) return path;
  return shownPath(path);
}

/** Compares two paths, for equality or by bytes; store paths are computed when the result depends on them. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  for (const { standIn } of roots) {
    if (a.startsWith(standIn) && b.startsWith(standIn)) return a < b ? -1 : 1;
  }
  const x = shownPath(a);
  const y = shownPath(b);
  return x === y ? 0 : x < y ? -1 : 1;
}

/** Tells whether two paths are equal. */
export function samePaths(a: string, b: string): boolean {
  return a.length === b.length && mayBeSame(a, b) && comparePaths(a, b) === 0;
}

/** Tells whether two paths of one length are the same below their trees, if one has a stand-in. */
function mayBeSame(a: string, b: string): boolean {
  for (const { standIn } of roots) {
    if (a.startsWith(standIn) || b.startsWith(standIn)) return a.slice(standIn.length) === b.slice(standIn.length);
  }
  return a === b;
}

/** Delays a fact about a tree that comes with its store path; it is printed as if it were known. */
export function treeFact(compute: () => Value): Slot {
  facts.add(compute);
  return makeNativeThunk(compute);
}

/** Returns the value of a thunk that is a fact about a tree; `none` for all others. */
export function factValue(thunk: Slot): Value {
  const at = thunk >>> 2;
  if (roots.length === 0 || heap[at] !== nativeCode) return none as Value;
  const number = heap[at + 1]!;
  const compute = nativeOf(number);
  if (!facts.has(compute)) return none as Value;
  const value = compute();
  heap[at] = done;
  heap[at + 1] = value;
  forgetNative(number);
  return value;
}
