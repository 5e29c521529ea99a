/** Sessions of the old commands: they tell more by default, and build without evaluating. */

import { resolve } from "node:path";
import { type Builder, followLinksToStore, makeBuilder } from "@firn/flake";
import { type DerivedPath, FirnError, parseStorePath, splitStorePath } from "@firn/formats";
import { openSubstituters } from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { buildLogs, type Session, type SessionIntent, withSession } from "./session.ts";

/** A session of an old command. */
export interface OldSession extends Session {
  /** Returns the builder over the store, which is made at its first use. */
  builder(): Promise<Builder>;
  /** Returns the store path that an argument is, lies in, or links to. Error `not-in-store`. */
  storePath(word: string): Promise<string>;
  /** Returns what an argument asks to build: a path, or with `!NAMES` outputs of a derivation. Errors of paths. */
  derivedPath(word: string): Promise<DerivedPath>;
}

/** Opens a session, runs `body` in it and closes what it opened, also when it fails. */
export function withOldSession(
  invocation: Invocation,
  io: Io,
  body: (session: OldSession) => Promise<number>,
  intent: SessionIntent = {},
): Promise<number> {
  return withSession(
    invocation,
    io,
    async (session) => {
      const { settings } = session;
      // Lines that were shown are not shown again with the failure.
      if (buildLogs(invocation) !== "hidden") settings.assign("log-lines", 0);
      const events = session.progress.event.bind(session.progress);
      const abort = new AbortController();
      const interrupt = (): void => abort.abort();
      let opened: Builder | undefined;
      const full: OldSession = {
        ...session,
        async builder() {
          const store = await session.store();
          if (opened !== undefined) return opened;
          process.on("SIGINT", interrupt);
          process.on("SIGTERM", interrupt);
          const { signal } = abort;
          const substituters = () => openSubstituters({ settings, environment: io.env, events });
          const logCommand = `${invocation.mainProgram} log`;
          opened = makeBuilder({
            store,
            settings,
            events,
            offline: false,
            signal,
            logCommand,
            failures: "goals",
            substituters,
          });
          return opened;
        },
        async storePath(word) {
          return storePathOf(word, io.cwd, (await session.store()).storeDir);
        },
        async derivedPath(word) {
          const { storeDir } = await session.store();
          const split = word.lastIndexOf("!");
          if (split < 0) return { kind: "opaque", path: storePathOf(word, io.cwd, storeDir) };
          const drvPath = storePathOf(word.slice(0, split), io.cwd, storeDir);
          return { kind: "built", drvPath, outputs: word.slice(split + 1).split(",") };
        },
      };
      try {
        return await body(full);
      } finally {
        process.off("SIGINT", interrupt);
        process.off("SIGTERM", interrupt);
        await opened?.close();
      }
    },
    intent,
  );
}

function storePathOf(word: string, cwd: string, storeDir: string): string {
  const path = resolve(cwd, word);
  const found = followLinksToStore(path, storeDir);
  if (found === undefined) throw new FirnError("not-in-store", `path "${path}" is not in the Nix store`);
  return parseStorePath(splitStorePath(found, storeDir).storePath, storeDir);
}
