/** `path:`: a directory of this machine, copied whole. */

import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { lstatSync, readdirSync } from "@firn/store/files";
import type { FetchContext } from "../context.ts";
import { type FetchedTree, type Input, type LocalTree, requireString, withAttributes } from "../input.ts";

/** Copies the directory into the store. */
export async function fetchPath(input: Input, context: FetchContext): Promise<FetchedTree> {
  const path = requireString(input, "path");
  if (!path.startsWith("/")) {
    throw new FirnError("bad-input", `cannot fetch input 'path:${path}' because it uses a relative path`);
  }
  let lastModified: number;
  try {
    lastModified = newestChange(path);
  } catch (cause) {
    throw new FirnError("not-found", `path '${path}' does not exist`, { cause });
  }
  context.emit({ kind: "detail", level: "talkative", text: `copying "${path}" to the store...` });
  const { storePath, narHash } = await context.store.addTree({ name: "source", path });
  const known = input.get("lastModified");
  return {
    storePath,
    locked: withAttributes(input, { narHash, lastModified: known ?? BigInt(lastModified) }),
  };
}

/** Finds the directory; one that is in the store, or is none, is fetched. */
export async function locatePath(input: Input, context: FetchContext): Promise<FetchedTree | LocalTree> {
  const directory = requireString(input, "path");
  const isDirectory =
    directory.startsWith("/") && lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory || `${directory}/`.startsWith(`${context.store.storeDir}/`)) return fetchPath(input, context);
  return {
    directory,
    name: "source",
    since: Date.now(),
    isRevision: false,
    locked: input,
    store: () => fetchPath(input, context),
  };
}

/** Returns the newest modification time below a path, in seconds. */
function newestChange(path: string): number {
  let newest = 0;
  const pending = [path];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stats = lstatSync(next);
    newest = Math.max(newest, Math.floor(stats.mtimeMs / 1000));
    if (stats.isDirectory()) for (const name of readdirSync(next)) pending.push(join(next, name));
  }
  return newest;
}
