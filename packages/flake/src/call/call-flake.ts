/** Calls a locked flake: its outputs with all inputs in place, as a value of the evaluator. */
import { readFileSync } from "@firn/store/files";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { Argument, ValueRef } from "../evaluator/value-ref.ts";
import { isLockedNode } from "../lock/graph.ts";
import type { LockedFlake } from "../lock/lock-flake.ts";
import type { LocatedTrees } from "../source/located-trees.ts";
import { treeAttributes } from "../source/tree-attributes.ts";

/** Returns the value of a locked flake, the same as `builtins.getFlake` gives; `located` are the trees that are read where they lie. */
export async function callFlake(evaluator: Evaluator, locked: LockedFlake, located: LocatedTrees): Promise<ValueRef> {
  const overrides: Record<string, Argument> = {};
  for (const [node, place] of locked.places) {
    const key = locked.keys.get(node);
    if (key === undefined) continue;
    const input = isLockedNode(node) ? node.lockedRef.input : locked.flake.lockedRef.input;
    await evaluator.allowPath(place.storePath);
    const attributes = treeAttributes(input, locked.isChanged && !isLockedNode(node));
    const { storePath, dir } = place;
    if (located.find(storePath) === undefined) {
      const outPath = { string: storePath, context: [{ kind: "opaque", path: storePath }] } as const;
      overrides[key] = { attrs: { dir, sourceInfo: { attrs: { ...attributes, outPath } } } };
      continue;
    }
    const facts: Record<string, Argument> = { outPath: { fact: "outPath", of: storePath } };
    if (!isLockedNode(node)) {
      facts.narHash = { fact: "narHash", of: storePath };
      for (const name of ["lastModified", "lastModifiedDate"] as const) {
        if (attributes[name] === undefined) facts[name] = { fact: name, of: storePath };
      }
    }
    const sourceInfo = { attrs: { ...attributes, ...facts } };
    overrides[key] = { attrs: { dir, sourceInfo, root: { path: storePath } } };
  }
  const text = readFileSync(new URL("./call-flake.nix", import.meta.url), "latin1");
  const call = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  const fetchTree = await evaluator.internalBuiltin("fetchFinalTree");
  const flakeOfTree = await evaluator.internalBuiltin("flakeOfTree");
  return call.call(locked.lockText, { attrs: overrides }, fetchTree, flakeOfTree);
}
