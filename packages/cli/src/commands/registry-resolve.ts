import { parseFlakeRef, resolveFlakeRef, showFlakeRef } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn registry resolve`: resolves references through the registries. */
export const command: Command = {
  positionals: [{ label: "flake-refs", optional: true, repeats: true }],
  flags: [],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { context } = await session.evaluation();
        for (const word of invocation.positionals) {
          printLine(
            io,
            showFlakeRef(await resolveFlakeRef(context, parseFlakeRef(word, { baseDirectory: io.cwd }), "all")),
          );
        }
        return 0;
      },
    }),
};
