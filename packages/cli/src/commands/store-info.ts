import { nixVersion } from "@firn/formats";
import { isMachineStore, openStore } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { renderWarning } from "../render/error.ts";
import { printJsonResult } from "../render/output.ts";
import { withReadingSession } from "../session/session.ts";

/** `firn store info`: checks that a store can be reached, and identifies it. */
export const command: Command = {
  positionals: [],
  flags: jsonFlags,
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const {
        settings,
        io: { env },
      } = session;
      const store = await openStore(settings.get("store"), { settings, environment: env, reads: true });
      // Stores that are only files have no program of a version behind them.
      const version = isMachineStore(store) ? nixVersion : undefined;
      await store.close();
      // Servers of files and the serve protocol do not tell whether they trust their client.
      const trusted = !/^(?:https?|ssh):/.test(store.uri);
      if (invocation.flags.has("json")) {
        const facts = new Map<string, string | boolean>();
        if (trusted) facts.set("trusted", true);
        facts.set("url", store.uri);
        if (version !== undefined) facts.set("version", version);
        printJsonResult(io, facts, invocation);
      } else {
        io.err(
          `Store URL: ${store.uri}\n${version === undefined ? "" : `Version: ${version}\n`}${trusted ? "Trusted: 1\n" : ""}`,
        );
      }
      return 0;
    }),
};

/** `firn store ping`: the deprecated name of `firn store info`. */
export const ping: Command = {
  ...command,
  run(invocation, io) {
    io.err(`${renderWarning("'ping' is a deprecated alias for 'info'", undefined)}\n`);
    return command.run(invocation, io);
  },
};
