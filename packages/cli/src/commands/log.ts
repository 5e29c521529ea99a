import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { plannedTargets } from "../targets/build-targets.ts";
import { knownDerivation } from "../targets/store-targets.ts";

/** `firn log`: shows the build log of a package or path. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const targets = await session.installables.targets(session.installables.parse(invocation.positionals));
        const [planned] = await plannedTargets(session, targets);
        const [target] = targets;
        if (target === undefined || planned === undefined) throw new FirnError("usage", "more arguments are required");
        const path = target.kind === "path" ? target.path : target.drvPath;
        const drvPath =
          target.kind === "outputs" ? target.drvPath : (await knownDerivation(store, target.path))?.drvPath;
        const log = drvPath === undefined ? undefined : await store.buildLog(drvPath);
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
