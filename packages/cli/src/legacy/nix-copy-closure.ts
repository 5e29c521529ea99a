/** `nix-copy-closure`: copies closures to or from another machine over ssh. */
import { computeClosure, copyPaths, offered, openStore } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withOldSession } from "../session/old-session.ts";

/** `nix-copy-closure`. */
export const command: Command = {
  style: "old",
  positionals: [
    { label: "host", optional: true },
    { label: "paths", kind: "store-path", optional: true, repeats: true },
  ],
  flags: [
    { name: "to", description: "Copy to the host (default)." },
    { name: "from", description: "Copy from the host." },
    { name: "gzip", description: "Compress what ssh sends." },
    { name: "include-outputs", description: "Copy the outputs of derivations too." },
    { name: "use-substitutes", short: "s", description: "Let the host fetch from its caches what it can." },
    { name: "show-progress", description: "Has no effect." },
  ],
  run: (invocation, io) =>
    withOldSession(invocation, io, async (session) => {
      const { flags, positionals } = invocation;
      const [host, ...words] = positionals;
      if (host === undefined) throw new UsageError("no host name specified");
      const { settings } = session;
      const events = session.progress.event.bind(session.progress);
      const parameters = flags.has("gzip") ? "?compress=true" : "";
      const remote = await openStore(`ssh://${host}${parameters}`, { settings, environment: io.env, events });
      try {
        const local = await session.store();
        const paths: string[] = [];
        for (const word of words) paths.push(await session.storePath(word));
        const [from, to] = flags.last("to", "from") === "from" ? [remote, local] : [local, remote];
        const outputs = flags.has("include-outputs") ? { outputs: offered(from, "graph") } : {};
        const closure = await computeClosure(from, paths, outputs);
        await copyPaths(closure, {
          from,
          to,
          checkSignatures: false,
          substitute: flags.has("use-substitutes"),
          events,
        });
        return 0;
      } finally {
        await remote.close();
      }
    }),
};
