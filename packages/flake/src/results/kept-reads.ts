/** Reads as they are kept: with the states that files had, so that an unchanged file need not be read to be compared. */

import type { Reads, TreeRead } from "../evaluator/reads.ts";
import type { FileState, FileStates, TreeState } from "./file-states.ts";

/** Reads with the states of their files. */
export interface KeptReads extends Omit<Reads, "unrepeatable" | "files" | "directories" | "trees"> {
  readonly files: readonly [path: string, digest: string, state: FileState][];
  readonly directories: readonly [path: string, digest: string, state: FileState][];
  readonly trees: readonly (TreeRead & { readonly state: TreeState })[];
}

/** The store and the environment that reads are compared with. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Keeps a store path from being collected, and tells whether it is valid. */
  holds(storePath: string): Promise<boolean>;
  /** Returns the store path that a tree has now, without writing it. */
  pathOf(tree: TreeRead): Promise<string>;
}

/** Adds the states of files. Returns the reason when the reads cannot be compared with later ones. */
export function keepReads(reads: Reads, states: FileStates): KeptReads | string {
  const { unrepeatable, ...rest } = reads;
  if (unrepeatable !== undefined) return unrepeatable;
  const trees: (TreeRead & { readonly state: TreeState })[] = [];
  for (const tree of reads.trees) {
    const state = states.tree(tree);
    if (state === undefined) return `'${tree.path}' cannot be read`;
    trees.push({ ...tree, state });
  }
  return {
    ...rest,
    files: reads.files.map(([path, digest]) => [path, digest, states.state(path)]),
    directories: reads.directories.map(([path, digest]) => [path, digest, states.state(path)]),
    trees,
  };
}

/** Returns what differs from what was read, in words; undefined when nothing does. */
export async function differenceFrom(
  reads: KeptReads,
  { states, surroundings }: { readonly states: FileStates; readonly surroundings: Surroundings },
): Promise<string | undefined> {
  for (const [name, value] of reads.variables) {
    if ((surroundings.environment[name] ?? "") !== value) return `the variable '${name}' has changed`;
  }
  for (const [path, type] of reads.types) if (states.type(path) !== type) return `'${path}' has changed`;
  for (const [path, place] of reads.resolved) if (!states.leadsTo(path, place)) return `'${path}' has changed`;
  for (const [path, digest, state] of reads.files) {
    if (state !== undefined && states.state(path) === state) continue;
    if (states.contents(path) !== digest) return `'${path}' has changed`;
  }
  for (const [path, digest, state] of reads.directories) {
    if (state !== undefined && states.state(path) === state) continue;
    if (states.listing(path) !== digest) return `'${path}' has changed`;
  }
  for (const tree of reads.trees) {
    const now = states.tree(tree);
    if (now === undefined || now.names !== tree.state.names) return `'${tree.path}' has changed`;
    if (now.states !== undefined && now.states === tree.state.states) continue;
    if ((await surroundings.pathOf(tree)) !== tree.storePath) return `'${tree.path}' has changed`;
  }
  for (const path of reads.storePaths) {
    if (!(await surroundings.holds(path))) return `'${path}' is not in the store`;
  }
  return undefined;
}
