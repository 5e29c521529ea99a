/** Taking over signatures that other stores have of the same path. */
import { equalHashes } from "@firn/formats";
import { requirePathInfo } from "../store/closure.ts";
import type { PathFacts } from "../store/paths.ts";
import type { SignatureWriter } from "../store/writing.ts";

/**
 * Adds the signatures that other stores have of a path, where its contents and references are the same; returns their number. Error
 * `invalid-path`.
 */
export async function copySignatures(
  store: PathFacts & SignatureWriter,
  path: string,
  others: readonly PathFacts[],
): Promise<number> {
  const own = await requirePathInfo(store, path);
  const found = new Set<string>();
  for (const other of others) {
    const info = await other.queryPathInfo(path);
    if (info === undefined || info.narSize !== own.narSize || !equalHashes(info.narHash, own.narHash)) continue;
    if ([...info.references].sort().join() !== [...own.references].sort().join()) continue;
    for (const signature of info.signatures) if (!own.signatures.includes(signature)) found.add(signature);
  }
  if (found.size > 0) await store.addSignatures(path, [...found]);
  return found.size;
}
