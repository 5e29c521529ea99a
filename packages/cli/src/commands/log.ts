import { FirnError } from "@firn/formats";
import { buildLog } from "../build-log.ts";
import { plannedTargets } from "../build-targets.ts";
import { targetsOf, withEvaluation } from "../evaluation-session.ts";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { knownDerivation } from "../store-targets.ts";

/** `firn log`: the build log of a package or path. */
export const command: Command = {
  positionals: [{ label: "installable", optional: true }],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const targets = await targetsOf(session, session.installables());
        const [planned] = await plannedTargets(session, targets);
        const [target] = targets;
        if (target === undefined || planned === undefined) throw new FirnError("usage", "more arguments are required");
        const path = target.kind === "path" ? target.path : target.drvPath;
        const drvPath =
          target.kind === "outputs" ? target.drvPath : (await knownDerivation(store, target.path))?.drvPath;
        const log = drvPath === undefined ? undefined : buildLog(store, drvPath);
        if (log !== undefined) {
          io.err(`got build log for '${path}' from '${store.uri}'\n`);
          for await (const chunk of log) {
            io.out(chunk);
            await io.drained?.();
          }
          return 0;
        }
        throw new FirnError("no-log", `build log of '${path}' is not available`);
      },
    }),
};
