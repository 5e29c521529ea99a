import { followLinksToStore } from "@firn/flake";
import { closureDiff } from "@firn/store";
import { findGenerations } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { changeLine } from "../render/closure-change.ts";
import { printLine } from "../render/output.ts";
import { profileFlag, profilePath } from "../session/profile-session.ts";
import { withReadingSession } from "../session/session.ts";

/** `firn profile diff-closures`: shows what changed from each version of a profile to the next. */
export const command: Command = {
  positionals: [],
  flags: [profileFlag],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const store = await session.store();
      const { generations } = findGenerations(await profilePath(session));
      for (const [index, next] of generations.slice(1).entries()) {
        const before = generations[index]!;
        if (index > 0) printLine(io, "");
        printLine(io, `Version ${before.number} -> ${next.number}:`);
        const old = followLinksToStore(before.link, store.storeDir) ?? "";
        const current = followLinksToStore(next.link, store.storeDir) ?? "";
        for (const change of await closureDiff(store, old, current)) printLine(io, `  ${changeLine(change)}`);
      }
      return 0;
    }),
};
