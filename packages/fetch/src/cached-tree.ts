/** Trees of revisions, which never change: exported once, and found in the store afterwards. */
import { join } from "node:path";
import { withTemporaryDirectory } from "@firn/store";
import type { CacheValue } from "./cache.ts";
import type { AddedTree, AddTree, FetchContext } from "./context.ts";
import { copyToStore } from "./copy-to-store.ts";

/** A tree to find or export. */
export interface WantedTree {
  /** The fetcher cache's domain for trees of this kind, and the key that identifies this tree's files. */
  readonly domain: string;
  readonly key: CacheValue;
  /** The tree's name in the store. */
  readonly name: string;
  /** The tree's name in messages. */
  readonly shown: string;
  /** Returns the directory whose files are the tree's, when there is one. */
  find?(): Promise<Omit<AddTree, "name"> | undefined>;
  /** Tells, after a directory that was found has been read, whether its files were the tree's; they were when absent. */
  isUnchanged?(): Promise<boolean>;
  /** Writes the files to a path that does not exist yet. */
  export(target: string): Promise<void>;
}

/** Returns the store path of a tree and its NAR hash; finds or exports the files unless a valid path of it is known. */
export async function cachedTree(wanted: WantedTree, context: FetchContext): Promise<AddedTree> {
  const { cache, store } = context;
  const { domain, key: ownKey, name, shown } = wanted;
  const key = { ...ownKey, name };
  const known = cache.lookup(domain, key, Number.MAX_SAFE_INTEGER)?.value;
  if (known !== undefined && (await store.narHashOf(String(known.storePath))) === known.narHash) {
    return { storePath: String(known.storePath), narHash: String(known.narHash) };
  }
  const add = (tree: Omit<AddTree, "name">): Promise<AddedTree> =>
    copyToStore(shown, context, () => store.addTree({ name, ...tree, isNew: true }));
  const exported = (): Promise<AddedTree> =>
    withTemporaryDirectory("firn-source-", async (directory) => {
      const path = join(directory, "source");
      await wanted.export(path);
      return add({ path });
    });
  const found = await wanted.find?.();
  let added = found === undefined ? await exported() : await add(found);
  if (found !== undefined && (await wanted.isUnchanged?.()) === false) added = await exported();
  cache.insert(domain, key, { storePath: added.storePath, narHash: added.narHash });
  return added;
}
