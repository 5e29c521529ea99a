import { nixVersion } from "@firn/formats";
import { isMachineStore, type Store } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { deprecatedAlias } from "../grammar/deprecated-alias.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { withReadingSession } from "../session/session.ts";

/** The facts that a store tells of its server. */
export interface ServerFacts {
  readonly version: string | undefined;
  readonly trusted: boolean | undefined;
}

/** Asks the server of a store about itself and this client; a store in a directory of this machine answers for itself. */
export async function serverFacts(store: Store): Promise<ServerFacts> {
  const { server } = store.offers;
  if (server !== undefined) {
    const { nixVersion: version, trusted } = await server.queryServer();
    return { version, trusted };
  }
  // Asking for a path that is not there tests the connection.
  if (store.uri.startsWith("ssh:")) await store.isValidPath(`${store.storeDir}/${"0".repeat(32)}-none`);
  // Stores that are only files have no program of a version behind them.
  const version = isMachineStore(store) ? nixVersion : undefined;
  // Servers of files and the serve protocol do not tell whether they trust their client.
  return { version, trusted: /^(?:https?|ssh):/.test(store.uri) ? undefined : true };
}

/** `firn store info`: checks that a store can be reached, and identifies it. */
export const command: Command = {
  positionals: [],
  flags: jsonFlags,
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const store = await openQueriedStore(session);
      let facts: ServerFacts;
      try {
        facts = await serverFacts(store);
      } finally {
        await store.close();
      }
      const { version, trusted } = facts;
      if (invocation.flags.has("json")) {
        const told = new Map<string, string | boolean>();
        if (trusted !== undefined) told.set("trusted", trusted);
        told.set("url", store.uri);
        if (version !== undefined) told.set("version", version);
        printJsonResult(io, told, invocation);
      } else {
        const lines = [`Store URL: ${store.uri}`];
        if (version !== undefined) lines.push(`Version: ${version}`);
        if (trusted !== undefined) lines.push(`Trusted: ${trusted ? 1 : 0}`);
        io.err(`${lines.join("\n")}\n`);
      }
      return 0;
    }),
};

/** `firn store ping`: the deprecated name of `firn store info`. */
export const ping = deprecatedAlias(command, () => ["ping", "info"]);
