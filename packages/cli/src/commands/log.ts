import { packageLookup, showInstallable } from "@firn/flake";
import { FirnError, isDerivationPath } from "@firn/formats";
import { openSubstituters, type Store } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { plannedTargets } from "../targets/build-targets.ts";

/** `firn log`: shows the build log of a package or path. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const installables = session.installables.parse(invocation.positionals);
        const targets = await session.installables.targets(installables);
        const [planned] = await plannedTargets(session, targets);
        const [target] = targets;
        const [installable] = installables;
        if (target === undefined || planned === undefined || installable === undefined)
          throw new FirnError("usage", "more arguments are required");
        const path = target.kind === "path" ? target.path : target.drvPath;
        const shown = target.kind === "path" ? path : showInstallable(installable, packageLookup(session.system));
        const substituters = await openSubstituters({
          settings: session.settings,
          environment: io.env,
          events: (event) => session.progress.event(event),
          offline: invocation.flags.has("offline"),
        });
        try {
          for (const source of [store, ...substituters]) {
            const drvPath = isDerivationPath(path)
              ? path
              : ((await deriverOf(source, path)) ?? (await deriverOf(store, path)));
            const log = drvPath === undefined ? undefined : await source.offers.logs?.buildLog(drvPath);
            if (log === undefined) continue;
            session.progress.clear();
            io.err(`got build log for '${shown}' from '${withoutParameters(source.uri)}'\n`);
            for await (const chunk of log) {
              io.out(chunk);
              await io.drained?.();
            }
            return 0;
          }
        } finally {
          for (const substituter of substituters) await substituter.close();
        }
        throw new FirnError("no-log", `build log of '${shown}' is not available`);
      },
    }),
};

/** Returns the URL of a store without its parameters, as the reference shows it. */
function withoutParameters(uri: string): string {
  return uri.replace(/\?.*$/, "");
}

/** Returns the derivation that made a path, as a store knows it. */
async function deriverOf(store: Store, path: string): Promise<string | undefined> {
  const deriver = (await store.queryPathInfo(path))?.deriver;
  return deriver ?? (await store.offers.graph?.queryValidDerivers(path))?.[0];
}
