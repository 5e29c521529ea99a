/** Chains of references: how one path leads to another, and which roots keep a path. */
import { computeClosure, requirePathInfo } from "./closure.ts";
import type { PathFacts, PathGraph } from "./paths.ts";
import { rootsKeeping } from "./query.ts";
import type { Roots } from "./roots.ts";

/** A path of a closure with the references that lead to the wanted path, nearest first. */
export interface LeadingPath {
  readonly path: string;
  /** Number of references to the wanted path on the shortest way. */
  readonly distance: number;
  readonly next: readonly string[];
}

/**
 * Returns the paths of the closure of `from` that lead to `to`, with the references that do; empty when none does. References of a path
 * to itself count only where both are the same. Error `invalid-path`.
 */
export async function pathsLeadingTo(
  store: PathFacts,
  from: string,
  to: string,
): Promise<ReadonlyMap<string, LeadingPath>> {
  const references = new Map<string, readonly string[]>();
  const referrers = new Map<string, string[]>();
  for (const path of await computeClosure(store, [from])) {
    const sorted = [...(await requirePathInfo(store, path)).references].sort();
    references.set(path, sorted);
    for (const reference of sorted) referrers.set(reference, [...(referrers.get(reference) ?? []), path]);
  }
  if (!references.has(to)) return new Map();
  const distance = new Map([[to, 0]]);
  for (const [path, steps] of distance) {
    for (const referrer of referrers.get(path) ?? []) if (!distance.has(referrer)) distance.set(referrer, steps + 1);
  }
  const leading = new Map<string, LeadingPath>();
  for (const [path, steps] of distance) {
    const next = (references.get(path) ?? []).filter(
      (reference) => distance.has(reference) && (reference !== path || from === to),
    );
    next.sort((a, b) => (distance.get(a) ?? 0) - (distance.get(b) ?? 0));
    leading.set(path, { path, distance: steps, next });
  }
  return leading;
}

/** A root that keeps a path, with the shortest chain from its path to the kept one, both included. */
export interface KeepingRoot {
  readonly links: readonly string[];
  readonly chain: readonly string[];
}

/** Returns the roots that keep a path, those with the shortest chains first. Error `invalid-path`. */
export async function whyAlive(store: PathFacts & PathGraph, path: string, roots: Roots): Promise<KeepingRoot[]> {
  await requirePathInfo(store, path);
  const keeping = await rootsKeeping(store, [path], roots);
  // Backwards from the path: the first way to a root is a shortest one.
  const towards = new Map<string, string | undefined>([[path, undefined]]);
  for (const [member] of towards) {
    for (const referrer of (await store.queryReferrers(member)).sort()) {
      if (!towards.has(referrer)) towards.set(referrer, member);
    }
  }
  const found: KeepingRoot[] = [];
  for (const [root, links] of keeping) {
    const chain: string[] = [];
    for (let step: string | undefined = root; step !== undefined; step = towards.get(step)) chain.push(step);
    found.push({ links: [...links].sort(), chain });
  }
  return found.sort((a, b) => a.chain.length - b.chain.length || ((a.chain[0] ?? "") < (b.chain[0] ?? "") ? -1 : 1));
}
