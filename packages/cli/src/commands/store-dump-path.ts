import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { printChunks } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store dump-path`: writes store paths as archives to standard output. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [...pathFlags, ...installableFlags, stdinFlag],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const store = await session.store();
        const wanted = { realise: true, ...pathSelection(invocation) };
        for (const path of await pathsOf(session, await session.words(), wanted)) {
          await printChunks(io, store.narFromPath(path));
        }
        return 0;
      },
    }),
};
