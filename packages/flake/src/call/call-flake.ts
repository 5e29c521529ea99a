/** Calls a locked flake: its outputs with all inputs in place, as a value of the evaluator. */
import { readFileSync } from "node:fs";
import type { EvaluatorClient } from "../evaluator/client.ts";
import type { Handle, PlainData } from "../evaluator/protocol.ts";
import { isLockedNode } from "../lock/graph.ts";
import type { LockedFlake } from "../lock/lock-flake.ts";
import { treeAttributes } from "../source/tree-attributes.ts";

/** The value of a locked flake: what `builtins.getFlake` gives. */
export async function callFlake(client: EvaluatorClient, locked: LockedFlake, forceDirty = false): Promise<Handle> {
  const overrides: Record<string, PlainData> = {};
  for (const [node, place] of locked.places) {
    const key = locked.keys.get(node);
    if (key === undefined) continue;
    const input = isLockedNode(node) ? node.lockedRef.input : locked.flake.lockedRef.input;
    await client.request({ op: "allowPath", path: place.storePath });
    const sourceInfo: Record<string, PlainData> = {
      ...treeAttributes(input, forceDirty && !isLockedNode(node)),
      outPath: { string: place.storePath, context: [{ kind: "opaque", path: place.storePath }] },
    };
    overrides[key] = { attrs: { dir: place.dir, sourceInfo: { attrs: sourceInfo } } };
  }
  const text = readFileSync(new URL("./call-flake.nix", import.meta.url), "latin1");
  const call = await client.request({ op: "evaluate", source: { kind: "string", text, directory: "/" } });
  const fetchTree = await client.request({ op: "internalBuiltin", name: "fetchFinalTree" });
  return client.request({
    op: "call",
    callee: call,
    args: [locked.lockText, { attrs: overrides }, { handle: fetchTree }],
  });
}
