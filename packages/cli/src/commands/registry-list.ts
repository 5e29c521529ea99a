import { inputToUrl, printUrl } from "@firn/fetch";
import { flakeRefFromAttributes, showFlakeRef } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn registry list`: every registry entry, by registry. */
export const command: Command = {
  positionals: [],
  flags: [],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const evaluation = await session.evaluation();
        for (const registry of await evaluation.context.registries.all()) {
          // No file has the program's own names, and programs that read this list know none.
          if (registry.kind === "own") continue;
          for (const entry of registry.entries) {
            const from = printUrl(inputToUrl(entry.from));
            printLine(io, `${registry.kind.padEnd(6)} ${from} ${showFlakeRef(flakeRefFromAttributes(entry.to))}`);
          }
        }
        return 0;
      },
    }),
};
