import { FirnError } from "@firn/formats";
import { offered } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { withReadingSession } from "../session/session.ts";

/** `firn store path-from-hash-part`: prints the store path with a hash part. */
export const command: Command = {
  positionals: [{ label: "hash-part" }],
  flags: [],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async ({ settings, progress }) => {
      const [part = ""] = invocation.positionals;
      const store = await openQueriedStore({ settings, progress, io });
      try {
        const path = await offered(store, "hashParts").queryPathFromHashPart(part);
        if (path === undefined) {
          throw new FirnError("invalid-path", `there is no store path corresponding to '${part}'`);
        }
        printLine(io, path);
        return 0;
      } finally {
        await store.close();
      }
    }),
};
