import { resolve } from "node:path";
import { FirnError, splitStorePath } from "@firn/formats";
import { type Store, type TreeAccess, withPathTree } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { listingFlags, printListing } from "../render/tree-listing.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { withReadingSession } from "../session/session.ts";

/** A file in a store that may be of any kind. */
interface FileOfStore {
  readonly tree: TreeAccess;
  /** Place in the tree, `""` for its root. */
  readonly place: string;
  /** The whole path. */
  readonly path: string;
}

/** Runs `body` with access to the file of the store that the first argument names. Errors `not-in-store`, `invalid-path`. */
export function withFileOfStore(
  invocation: Invocation,
  io: Io,
  body: (file: FileOfStore) => Promise<number>,
): Promise<number> {
  return withReadingSession(invocation, io, async ({ settings, progress }) => {
    const [word = ""] = invocation.positionals;
    const path = resolve(io.cwd, word);
    const store: Store = await openQueriedStore({ settings, progress, io });
    try {
      if (!path.startsWith(`${store.storeDir}/`)) {
        throw new FirnError("not-in-store", `path '${word}' is not in the Nix store`);
      }
      const { storePath, rest } = splitStorePath(path, store.storeDir);
      return await withPathTree(store, storePath, (tree) => body({ tree, place: rest, path }));
    } finally {
      await store.close();
    }
  });
}

/** `firn store ls`: lists a directory in the store. */
export const command: Command = {
  positionals: [{ label: "path", kind: "path" }],
  flags: listingFlags,
  run: (invocation, io) =>
    withFileOfStore(invocation, io, async ({ tree, place, path }) => {
      printListing(io, invocation, { tree, path: place, shown: path });
      return 0;
    }),
};
