import { closureDiff } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { changeLine } from "../render/closure-change.ts";
import { printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

/** `firn store diff-closures`: shows the packages and versions that differ between two closures. */
export const command: Command = {
  positionals: [
    { label: "before", kind: "installable" },
    { label: "after", kind: "installable" },
  ],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const [before = "", after = ""] = invocation.positionals;
        const [old = ""] = await pathsOf(session, [before], { realise: true });
        const [next = ""] = await pathsOf(session, [after], { realise: true });
        for (const change of await closureDiff(await session.store(), old, next)) printLine(io, changeLine(change));
        return 0;
      },
    }),
};
