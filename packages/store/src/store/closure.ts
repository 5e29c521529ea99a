/** Walking the reference graph of a store. */
import { FirnError, isDerivationPath, type PathInfo } from "@firn/formats";
import type { PathFacts, PathGraph } from "./paths.ts";

/** Options of `computeClosure`. */
export interface ClosureOptions {
  /** Graph by which to follow referrers instead of references. */
  readonly referrers?: PathGraph;
  /** Graph by which to include the valid outputs of derivations. */
  readonly outputs?: PathGraph;
  /** True to include the valid derivers of paths. */
  readonly derivers?: boolean;
}

/** Returns the facts about a path; error `invalid-path` when it is not valid. */
export async function requirePathInfo(store: PathFacts, path: string): Promise<PathInfo> {
  const info = await store.queryPathInfo(path);
  if (info === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
  return info;
}

/** The error of a path that must be there and that no store offers. */
export function cannotSubstitute(path: string): FirnError {
  const text = `path '${path}' is required, but there is no substituter that can build it`;
  return new FirnError("cannot-substitute", text);
}

/** Returns all paths reachable from `roots`, themselves included, sorted. Error `invalid-path` when one is missing. */
export async function computeClosure(
  store: PathFacts,
  roots: Iterable<string>,
  options: ClosureOptions = {},
): Promise<string[]> {
  const seen = new Set<string>(roots);
  const todo = [...seen];
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    todo.push(path);
  };
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const info = await requirePathInfo(store, path);
    if (options.referrers !== undefined) for (const next of await options.referrers.queryReferrers(path)) visit(next);
    else for (const next of info.references) visit(next);
    if (options.outputs !== undefined && isDerivationPath(path)) {
      for (const output of (await options.outputs.queryDerivationOutputs(path)).values())
        if (await store.isValidPath(output)) visit(output);
    }
    if (options.derivers === true && info.deriver !== undefined && (await store.isValidPath(info.deriver))) {
      visit(info.deriver);
    }
  }
  return [...seen].sort();
}

/** Two paths of a circle: error `cycle`. */
export class CycleError extends FirnError {
  /** The path that `parent` refers to and that leads back to it. */
  readonly path: string;
  readonly parent: string;

  constructor(path: string, parent: string) {
    super("cycle", `cycle detected in the references of '${path}' from '${parent}'`);
    this.path = path;
    this.parent = parent;
  }
}

/** Sorts so that each path comes after everything it refers to; error `cycle`. Edges to paths outside are ignored. */
export function sortTopologically(paths: Iterable<string>, referencesOf: (path: string) => Iterable<string>): string[] {
  const all = new Set(paths);
  const state = new Map<string, "open" | "done">();
  const result: string[] = [];
  for (const root of [...all].sort()) {
    const stack: { path: string; edges: Iterator<string>; parent: string }[] = [];
    const enter = (path: string, parent: string): void => {
      if (state.get(path) === "done" || !all.has(path)) return;
      if (state.get(path) === "open") {
        throw new CycleError(path, parent);
      }
      state.set(path, "open");
      stack.push({ path, edges: referencesOf(path)[Symbol.iterator](), parent });
    };
    enter(root, root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = top.edges.next();
      if (edge.done === true) {
        state.set(top.path, "done");
        result.push(top.path);
        stack.pop();
      } else if (edge.value !== top.path) enter(edge.value, top.path);
    }
  }
  return result;
}
