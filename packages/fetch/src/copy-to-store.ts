/** Copies of trees to the store, with the messages of the reference about them. */
import type { AddedTree, FetchContext } from "./context.ts";

/** Adds a tree by `add`, and tells of it; `shown` names it in messages. Fails as `add` does. */
export async function copyToStore(
  shown: string,
  { emit }: Pick<FetchContext, "emit">,
  add: () => Promise<AddedTree>,
): Promise<AddedTree> {
  emit({ kind: "detail", level: "talkative", text: `copying '${shown}' to the store...` });
  const added = await add();
  const text = `copied '${shown}' to '${added.storePath}' (hash '${added.narHash}')`;
  emit({ kind: "detail", level: "chatty", text });
  return added;
}
