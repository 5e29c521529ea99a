/** Calls a locked flake: its outputs with all inputs in place, as a value of the evaluator. */
import { readFileSync } from "@firn/store/files";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { Argument, ValueRef } from "../evaluator/value-ref.ts";
import { isLockedNode } from "../lock/graph.ts";
import type { LockedFlake } from "../lock/lock-flake.ts";
import { treeAttributes } from "../source/tree-attributes.ts";

/** Returns the value of a locked flake, the same as `builtins.getFlake` gives. */
export async function callFlake(evaluator: Evaluator, locked: LockedFlake): Promise<ValueRef> {
  const overrides: Record<string, Argument> = {};
  for (const [node, place] of locked.places) {
    const key = locked.keys.get(node);
    if (key === undefined) continue;
    const input = isLockedNode(node) ? node.lockedRef.input : locked.flake.lockedRef.input;
    await evaluator.allowPath(place.storePath);
    const sourceInfo: Record<string, Argument> = {
      ...treeAttributes(input, locked.isChanged && !isLockedNode(node)),
      outPath: { string: place.storePath, context: [{ kind: "opaque", path: place.storePath }] },
    };
    overrides[key] = { attrs: { dir: place.dir, sourceInfo: { attrs: sourceInfo } } };
  }
  const text = readFileSync(new URL("./call-flake.nix", import.meta.url), "latin1");
  const call = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  const fetchTree = await evaluator.internalBuiltin("fetchFinalTree");
  return call.call(locked.lockText, { attrs: overrides }, fetchTree);
}
