import { offered } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { freed } from "../render/quantities.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { plannedTargets } from "../targets/build-targets.ts";

/** `firn store delete`: deletes paths that nothing keeps alive. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", repeats: true }],
  flags: [
    ...installableFlags,
    stdinFlag,
    { name: "ignore-liveness", description: "Do not check whether the paths are reachable from a root." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const planned = await plannedTargets(
          session,
          await session.installables.targets(session.installables.parse(await session.words())),
        );
        const paths = planned.flatMap(({ outputs }) => [...outputs.values()]);
        const result = await offered(store, "roots").collectGarbage({
          action: "delete-specific",
          paths,
          ignoreLiveness: invocation.flags.has("ignore-liveness"),
        });
        session.progress.clear();
        io.out(`${freed(result.paths.length, result.bytesFreed)}\n`);
        return result.failures.length > 0 ? 1 : 0;
      },
    }),
};
