import { FirnError } from "@firn/formats";
import { offered, openStore, type Store } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

/** `firn store copy-log`: copies logs of builds between stores. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    stdinFlag,
    { name: "from", labels: ["store-uri"], kinds: ["store"], description: "URL of the source Nix store." },
    { name: "to", labels: ["store-uri"], kinds: ["store"], description: "URL of the destination Nix store." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const { flags } = invocation;
        const [fromUri, toUri] = [flags.value("from"), flags.value("to")];
        if (fromUri === undefined && toUri === undefined) throw new UsageError("you must pass '--from' and/or '--to'");
        const local = await session.store();
        const { settings } = session;
        const events = session.progress.event.bind(session.progress);
        const open = (uri: string): Promise<Store> =>
          openStore(uri, { settings, environment: io.env, offline: flags.has("offline"), events });
        const from = fromUri === undefined ? local : await open(fromUri);
        const to = toUri === undefined ? local : await open(toUri);
        try {
          const wanted = { realise: false, derivations: true };
          for (const drvPath of await pathsOf(session, await session.words(), wanted)) {
            const log = await offered(from, "logs").buildLog(drvPath);
            if (log === undefined) throw new FirnError("no-log", `build log for '${drvPath}' is not available`);
            await offered(to, "logWriting").addBuildLog(drvPath, log);
          }
          return 0;
        } finally {
          if (from !== local) await from.close();
          if (to !== local) await to.close();
        }
      },
    }),
};
