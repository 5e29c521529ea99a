/** `firn store roots-daemon`: tells the collector of another user's process which store paths running programs use. */
import { answerClients } from "@firn/build";
import { openStore, servedRoots } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { makeProgress } from "../render/progress.ts";
import { commandSettings, verbosityOf } from "../session/session.ts";
import { servedStore, socketsOf } from "./daemon.ts";

/** `firn store roots-daemon`. */
export const command: Command = {
  positionals: [],
  flags: [],
  async run(invocation, io) {
    const settings = commandSettings(invocation, io);
    const verbosity = verbosityOf(invocation, { ...io, terminal: false });
    const events = makeProgress({ io, verbosity, buildLogs: "hidden" }).event;
    const store = await openStore(servedStore(settings, io.env), {
      settings,
      environment: io.env,
      events,
      reads: true,
    });
    try {
      const { socket: usual, answer } = servedRoots(store);
      const ending = new AbortController();
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
      await Promise.all(
        socketsOf(io.env, usual).map((socket) => answerClients({ socket, answer, events, signal: ending.signal })),
      );
      return 0;
    } finally {
      await store.close();
    }
  },
};
