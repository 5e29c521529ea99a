/** The attributes of a fetched tree in Nix code, besides `outPath` (manual: `builtins.fetchTree`). */
import { booleanAttribute, type Input, integerAttribute, stringAttribute } from "@firn/fetch";

/** Attribute values in the form of the evaluator. */
export type TreeAttributes = Record<string, string | bigint | boolean>;

/** Returns the attributes of a locked input. With `dirty` its lock file was changed in memory only, so no revision describes it. */
export function treeAttributes(locked: Input, dirty = false): TreeAttributes {
  const result: TreeAttributes = {};
  const narHash = stringAttribute(locked, "narHash");
  if (narHash !== undefined) result.narHash = narHash;
  if (locked.get("type") === "git") result.submodules = booleanAttribute(locked, "submodules");
  if (!dirty) {
    const rev = stringAttribute(locked, "rev");
    if (rev !== undefined) {
      result.rev = rev;
      result.shortRev = rev.slice(0, 7);
    }
    const revCount = integerAttribute(locked, "revCount");
    if (revCount !== undefined) result.revCount = revCount;
  }
  for (const name of ["dirtyRev", "dirtyShortRev"]) {
    const value = stringAttribute(locked, name);
    if (value !== undefined) result[name] = value;
  }
  const lastModified = integerAttribute(locked, "lastModified");
  if (lastModified !== undefined) {
    result.lastModified = lastModified;
    result.lastModifiedDate = dateText(lastModified);
  }
  return result;
}

/** Returns a time in seconds since 1970 as the text of `lastModifiedDate`. */
export function dateText(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
}

/** Returns the attributes of a tree from `builtins.fetchMercurial`; a work tree with changes has a revision of zeros. */
export function mercurialAttributes(locked: Input): TreeAttributes {
  const result: TreeAttributes = {};
  const branch = stringAttribute(locked, "ref");
  if (branch !== undefined) result.branch = branch;
  const rev = stringAttribute(locked, "rev") ?? "0".repeat(40);
  result.rev = rev;
  result.shortRev = rev.slice(0, 12);
  const revCount = integerAttribute(locked, "revCount");
  if (revCount !== undefined) result.revCount = revCount;
  return result;
}
