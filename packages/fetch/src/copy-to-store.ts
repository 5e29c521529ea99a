/** Copies of trees to the store, with the messages of the reference about them. */
import type { AddedTree, AddTree, FetchContext } from "./context.ts";

/** Adds a tree; `shown` names it in messages. Errors are those of the store. */
export async function copyToStore(
  request: AddTree,
  shown: string,
  context: Pick<FetchContext, "store" | "emit">,
): Promise<AddedTree> {
  context.emit({ kind: "detail", level: "talkative", text: `copying '${shown}' to the store...` });
  const added = await context.store.addTree(request);
  const text = `copied '${shown}' to '${added.storePath}' (hash '${added.narHash}')`;
  context.emit({ kind: "detail", level: "chatty", text });
  return added;
}
