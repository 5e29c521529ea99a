import { requirePathInfo } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store repair`: fetches or builds damaged paths again. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [...pathFlags, ...installableFlags, stdinFlag],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const wanted = { realise: false, ...pathSelection(invocation) };
        for (const path of await pathsOf(session, await session.words(), wanted)) {
          await requirePathInfo(store, path);
          await session.builder.repair(path);
        }
        return 0;
      },
    }),
};
