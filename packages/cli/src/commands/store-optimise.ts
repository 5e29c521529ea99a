import { showSize } from "@firn/formats";
import { offered } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { withSession } from "../session/session.ts";

/** `firn store optimise`: replaces equal files of the store by hard links. */
export const command: Command = {
  positionals: [],
  flags: [],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const saved = await offered(await session.store(), "upkeep").optimiseStore();
      if (saved === undefined) return 0;
      const { filesLinked, bytesFreed } = saved;
      const text = `${showSize(bytesFreed)} freed by hard-linking ${filesLinked} files`;
      session.progress.event({ kind: "message", level: "notice", text });
      return 0;
    }),
};
