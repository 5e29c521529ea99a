/** Trees of revisions, which never change: exported once, and found in the store afterwards. */
import { join } from "node:path";
import { withTemporaryDirectory } from "@firn/store";
import type { CacheValue } from "./cache.ts";
import type { FetchContext } from "./context.ts";

/** A tree to find or export. */
export interface WantedTree {
  /** The fetcher cache's domain for trees of this kind, and the key that identifies this tree's files. */
  readonly domain: string;
  readonly key: CacheValue;
  /** The tree's name in the store. */
  readonly name: string;
  /** Writes the files to a path that does not exist yet. */
  export(target: string): Promise<void>;
}

/** Returns the store path of a tree and its NAR hash; exports it unless a valid path of it is known. */
export async function cachedTree(
  { domain, key: ownKey, name, export: exportTo }: WantedTree,
  { cache, store }: FetchContext,
): Promise<{ readonly storePath: string; readonly narHash: string }> {
  const key = { ...ownKey, name };
  const known = cache.lookup(domain, key, Number.MAX_SAFE_INTEGER)?.value;
  if (known !== undefined && (await store.narHashOf(String(known.storePath))) === known.narHash) {
    return { storePath: String(known.storePath), narHash: String(known.narHash) };
  }
  return withTemporaryDirectory("firn-source-", async (directory) => {
    const path = join(directory, "source");
    await exportTo(path);
    const { storePath, narHash } = await store.addTree({ name, path });
    cache.insert(domain, key, { storePath, narHash });
    return { storePath, narHash };
  });
}
