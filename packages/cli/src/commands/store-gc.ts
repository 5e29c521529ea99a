import { showSize } from "@firn/formats";
import { offered } from "@firn/store";

import type { Command } from "../grammar/command.ts";
import { parseInteger } from "../grammar/integer.ts";
import { printLine } from "../render/output.ts";
import { freed } from "../render/quantities.ts";
import { withFreeingSession } from "../session/session.ts";

/** `firn store gc`: deletes everything that no root keeps alive. */
export const command: Command = {
  positionals: [],
  flags: [
    { name: "dry-run", description: "Show what this command would do without doing it." },
    { name: "max", labels: ["n"], description: "Stop after freeing n bytes of disk space." },
    { name: "print-roots", description: "Print the roots and what they keep alive, and delete nothing." },
  ],
  run: (invocation, io) =>
    withFreeingSession(invocation, io, async (session) => {
      const store = await session.store();
      const { flags } = invocation;
      if (flags.has("print-roots")) {
        for (const [path, links] of [...(await offered(store, "roots").findRoots())].sort()) {
          for (const link of [...links].sort()) printLine(io, `${link} -> ${path}`);
        }
        return 0;
      }
      const dryRun = flags.has("dry-run");
      const max = flags.value("max");
      const maxFreed = max === undefined ? undefined : parseInteger(max);
      const result = await offered(store, "roots").collectGarbage({
        action: dryRun ? "dead" : "delete-dead",
        ...(maxFreed === undefined ? {} : { maxFreed }),
      });
      session.progress.clear();
      if (dryRun) {
        let size = 0;
        for (const path of result.paths) size += (await store.queryPathInfo(path))?.narSize ?? 0;
        printLine(io, `${result.paths.length} store paths would be deleted`);
        session.progress.event({ kind: "message", level: "notice", text: `${showSize(size)} would be freed` });
      } else io.out(`${freed(result.paths.length, result.bytesFreed)}\n`);
      return result.failures.length > 0 ? 1 : 0;
    }),
};
