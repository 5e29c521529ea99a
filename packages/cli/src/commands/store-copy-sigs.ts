import { copySignatures, openStore, type Store } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store copy-sigs`: takes over signatures that other stores have. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    ...installableFlags,
    stdinFlag,
    {
      name: "substituter",
      short: "s",
      labels: ["store-uri"],
      kinds: ["store"],
      description: "Copy signatures from the specified store.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const { flags } = invocation;
        const uris = flags.all("substituter").map(([uri = ""]) => uri);
        if (uris.length === 0) throw new UsageError("you must specify at least one substituter using '-s'");
        const { settings } = session;
        const events = session.progress.event.bind(session.progress);
        const store = await session.store();
        const paths = await pathsOf(session, await session.words(), {
          realise: false,
          ...pathSelection(invocation),
        });
        const others: Store[] = [];
        try {
          for (const uri of uris) others.push(await openStore(uri, { settings, environment: io.env, events }));
          let count = 0;
          for (const path of paths) count += await copySignatures(store, path, others);
          const text = `imported ${count} signatures`;
          session.progress.event({ kind: "message", level: "notice", text });
          return 0;
        } finally {
          for (const other of others) await other.close();
        }
      },
    }),
};
