/**
 * Trees that an evaluation reads where they lie, by the stand-ins of their store paths. Once something needs the store path the tree is
 * copied to the store, and read there.
 */
import type { Stats } from "node:fs";
import { FirnError } from "@firn/formats";
import { type entriesIn, entriesWithoutLinks, openWithoutLinks } from "@firn/store";
import * as fs from "@firn/store/files";
import type { TreeRead } from "./reads.ts";

/** A tree as the main thread describes it. */
export interface PlacedTree {
  /** Path of its root on this machine, free of links. */
  readonly directory: string;
  /** True when its files are those of a revision that the stand-in is made of. */
  readonly isRevision: boolean;
  /** The time in milliseconds since 1970 before which its files had the contents that the stand-in is made of. */
  readonly since: number;
  /** The files that belong to it, relative to the root, with zeros between them; everything when absent. */
  readonly fileList?: string;
}

/** The facts about a tree that are known once it is in the store. */
export interface TreeFacts {
  readonly storePath: string;
  readonly narHash: string;
  /** In seconds since 1970. */
  readonly lastModified: bigint;
  /** The tree as it was read, where it can be compared with a later one. */
  readonly read?: TreeRead;
}

interface Tree extends PlacedTree {
  readonly standIn: string;
  readonly kept: ReadonlySet<string> | undefined;
  /** The number of entries of its directories, counted when it is asked for first. */
  sizes: Map<string, number> | undefined;
  /** True when something was not there that belongs to it, or was another thing later. */
  isChanged: boolean;
  /** The places that were looked at since the last check for changes. */
  unchecked: string[];
  /** States of the files that were looked at, by place. */
  readonly seen: Map<string, string>;
  facts: TreeFacts | undefined;
}

/** The place of a path below a stand-in. */
export type Placed =
  /** It lies at `place`, and its contents count only where it belongs to no revision. */
  | { readonly kind: "local"; readonly place: string; readonly isRevision: boolean; readonly isListed: boolean }
  /** The tree has nothing there. */
  | { readonly kind: "absent" }
  | { readonly kind: "stored"; readonly place: string };

/** Returns the files of a list, and the directories above them. */
export function keptPaths(files: Iterable<string>): ReadonlySet<string> {
  const kept = new Set<string>();
  for (const file of files) {
    kept.add(file);
    for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1)) {
      const above = file.slice(0, slash);
      if (kept.has(above)) break;
      kept.add(above);
    }
  }
  return kept;
}

/** Returns the number of entries of each directory, by its path with a slash at the end. */
function directorySizes(paths: Iterable<string>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const path of paths) {
    const directory = path.slice(0, path.lastIndexOf("/") + 1);
    sizes.set(directory, (sizes.get(directory) ?? 0) + 1);
  }
  return sizes;
}

function stateOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs}`;
}

function treeChanged(place: string): FirnError {
  return new FirnError("tree-changed", `'${place}' changed while it was being evaluated`, {
    hint: "run the command again",
  });
}

/** Opens a file of a tree by its place, which is free of links. Fails with `tree-changed` when it leads through one by now, and as opening does. */
export function openInPlace(place: string): number {
  const descriptor = openWithoutLinks(place, "regular");
  if (descriptor === undefined) throw treeChanged(place);
  return descriptor;
}

/** Lists a directory of a tree by its place. Fails as `openInPlace` does. */
export function entriesInPlace(place: string): ReturnType<typeof entriesIn> {
  const entries = entriesWithoutLinks(place);
  if (entries === undefined) throw treeChanged(place);
  return entries;
}

/** The trees of one evaluation. */
export class PlacedTrees {
  readonly #trees = new Map<string, Tree>();
  readonly #obtain: (standIn: string) => TreeFacts;
  #isAnyPending = false;
  /** Called when a tree is in the store. */
  onStored: (standIn: string, storePath: string) => void = () => undefined;

  /** Takes what copies the tree of a stand-in to the store. */
  constructor(obtain: (standIn: string) => TreeFacts) {
    this.#obtain = obtain;
  }

  add(standIn: string, tree: PlacedTree): void {
    if (this.#trees.has(standIn)) return;
    const { fileList } = tree;
    const kept = fileList === undefined ? undefined : keptPaths(fileList === "" ? [] : fileList.split("\0"));
    this.#trees.set(standIn, {
      ...tree,
      standIn,
      kept,
      sizes: undefined,
      isChanged: false,
      unchecked: [],
      seen: new Map(),
      facts: undefined,
    });
    this.#isAnyPending = true;
  }

  #find(path: string): { readonly tree: Tree; readonly relative: string } | undefined {
    for (const tree of this.#trees.values()) {
      if (!path.startsWith(tree.standIn)) continue;
      const relative = path.slice(tree.standIn.length);
      if (relative === "" || relative.startsWith("/")) return { tree, relative };
    }
    return undefined;
  }

  /** Returns the place of a path; undefined when it is below no stand-in. */
  placeOf(path: string): Placed | undefined {
    if (this.#trees.size === 0) return undefined;
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const { tree, relative } = found;
    if (tree.facts !== undefined) return { kind: "stored", place: tree.facts.storePath + relative };
    const isListed = tree.kept !== undefined;
    if (relative !== "" && tree.kept?.has(relative.slice(1)) === false) return { kind: "absent" };
    return { kind: "local", place: tree.directory + relative, isRevision: tree.isRevision, isListed };
  }

  /** Returns the paths below a path (`/a`, `/a/b`), parents first; undefined when all that lies there belongs to the tree. */
  pathsBelow(path: string): string[] | undefined {
    const found = this.#find(path);
    const kept = found?.tree.kept;
    if (found === undefined || kept === undefined) return undefined;
    const prefix = found.relative === "" ? "" : `${found.relative.slice(1)}/`;
    const below: string[] = [];
    for (const file of kept) if (file.startsWith(prefix)) below.push(`/${file.slice(prefix.length)}`);
    return below.sort();
  }

  /** Keeps the state of a file that was looked at; undefined when it is not there. */
  look(path: string, status: Stats | undefined): void {
    const found = this.#trees.size === 0 ? undefined : this.#find(path);
    if (found === undefined || found.tree.facts !== undefined) return;
    if (status === undefined) found.tree.isChanged ||= found.tree.kept?.has(found.relative.slice(1)) === true;
    if (status === undefined || status.isDirectory()) return;
    const { directory, seen, unchecked } = found.tree;
    const place = directory + found.relative;
    const known = seen.get(place);
    if (known === undefined) {
      seen.set(place, stateOf(status));
      unchecked.push(place);
    } else if (known !== stateOf(status)) found.tree.isChanged = true;
  }

  /** Returns the names in a listing of a directory that belong to the tree. */
  shown<Entry extends { readonly name: string }>(path: string, listing: readonly Entry[]): readonly Entry[] {
    const found = this.#trees.size === 0 ? undefined : this.#find(path);
    if (found?.tree.kept === undefined || found.tree.facts !== undefined) return listing;
    const { tree, relative } = found;
    const prefix = relative === "" ? "" : `${relative.slice(1)}/`;
    const shown = listing.filter(({ name }) => tree.kept?.has(prefix + name) === true);
    tree.sizes ??= directorySizes(tree.kept ?? []);
    if (shown.length !== (tree.sizes.get(prefix) ?? 0)) tree.isChanged = true;
    return shown;
  }

  /**
   * Tells whether files of revisions may have other contents than the revision has: they were changed after the work tree was looked at. What
   * was evaluated then is not what the stand-in tells.
   */
  hasChanged(): boolean {
    for (const tree of this.#trees.values()) {
      if (!tree.isRevision) continue;
      for (const place of tree.unchecked) {
        const now = fs.lstatSync(place, { throwIfNoEntry: false });
        const isSame = now !== undefined && now.ctimeMs < tree.since && stateOf(now) === tree.seen.get(place);
        if (!isSame) tree.isChanged = true;
      }
      tree.unchecked = [];
      if (tree.isChanged) return true;
    }
    return false;
  }

  /** True when there is a tree whose store path is not known yet. */
  get isAnyPending(): boolean {
    return this.#isAnyPending;
  }

  /** Returns the facts about a tree, which is copied to the store first. Fails with `tree-changed` when what was read is not what was copied. */
  facts(standIn: string): TreeFacts {
    const tree = this.#trees.get(standIn);
    if (tree === undefined) throw new FirnError("internal", `no tree has the stand-in '${standIn}'`);
    if (tree.facts !== undefined) return tree.facts;
    const facts = this.#obtain(standIn);
    for (const [place, state] of tree.seen) {
      const now = fs.lstatSync(place, { throwIfNoEntry: false });
      if (now !== undefined && stateOf(now) === state) continue;
      throw treeChanged(place);
    }
    tree.facts = facts;
    this.#isAnyPending = [...this.#trees.values()].some((other) => other.facts === undefined);
    this.onStored(standIn, facts.storePath);
    return facts;
  }

  /**
   * Tells whether a path in the store may be that of a tree whose store path is not known yet, and copies those trees then: a program may
   * have its store path from elsewhere.
   */
  settles(path: string): boolean {
    if (!this.#isAnyPending) return false;
    const name = /\/[0-9a-z]{32}(-[^/]+)/.exec(path)?.[1];
    const candidates = [...this.#trees.values()].filter(
      ({ facts, standIn }) => facts === undefined && name !== undefined && standIn.endsWith(name),
    );
    for (const { standIn } of candidates) this.facts(standIn);
    return candidates.length > 0;
  }
}
