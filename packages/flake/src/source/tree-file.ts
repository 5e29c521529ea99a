/** Reads files of a fetched tree; no link in the tree leads out of it. */

import { canonicalPath, FirnError } from "@firn/formats";
import { kindOf } from "@firn/store";
import { closeSync, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from "@firn/store/files";
import { PathGuard } from "../evaluator/path-guard.ts";
import { openInPlace } from "../evaluator/placed-trees.ts";

/** A tree: its store path, and its place on disk. */
export interface Tree {
  readonly storePath: string;
  readonly realPath: string;
  /** Tells whether what lies at a path within it (`/a/b`) belongs to it; everything does when absent. */
  has?(path: string): boolean;
}

/** Returns the absolute path of a file within its tree. */
export function pathInTree(dir: string, name: string): string {
  return canonicalPath(`/${dir}/${name}`);
}

function kindInTree(tree: Tree, path: string): ReturnType<typeof kindOf> | undefined {
  if (tree.has?.(path) === false || !statSync(tree.realPath).isDirectory()) return undefined;
  const status = lstatSync(tree.realPath + path, { throwIfNoEntry: false });
  return status === undefined ? undefined : kindOf(status);
}

/**
 * Follows links with the tree as their root; returns the file's path within the tree, or undefined when there is none. Fails
 * for a dangling link.
 */
export function fileInTree(tree: Tree, path: string): string | undefined {
  const guard = new PathGuard(
    { storeDir: "/", forbidden: undefined, allowed: [], showsParents: true },
    {
      kindOf: (place) => kindInTree(tree, place),
      targetOf: (link) => readlinkSync(tree.realPath + link, "latin1"),
    },
  );
  const place = guard.reach(path, "follow");
  if (kindInTree(tree, place) !== undefined) return place;
  if (place === path) return undefined;
  throw new FirnError("path-not-found", `path '${tree.storePath}${place}' does not exist`);
}

function textWithoutLinks(place: string): string {
  const descriptor = openInPlace(place);
  try {
    return readFileSync(descriptor, "latin1");
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the text of a file that is reached without links, or undefined when there is none. Fails when there are links on the way, and with `tree-changed` when one comes between. */
export function plainFileText(tree: Tree, path: string): string | undefined {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const part = end < 0 ? path : path.slice(0, end);
    const kind = kindInTree(tree, part);
    if (kind === undefined) return undefined;
    if (kind === "symlink") throw new FirnError("symlink-in-tree", `path '${tree.storePath}${part}' is a symlink`);
    if (end < 0 && kind !== "regular")
      throw new FirnError("system-error", `reading '${tree.storePath}${part}': Is a directory`);
    if (end < 0) return textWithoutLinks(realpathSync(tree.realPath) + path);
  }
}
