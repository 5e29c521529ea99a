import { dirname } from "node:path";
import { mkdirSync, writeFileSync } from "@firn/store/files";
import { recoverSwitch } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { withSession } from "../session/session.ts";
import { profileNameFlag } from "../systems/profiles.ts";
import { confirmationFile, switchContext } from "../systems/switch.ts";

/** `firn os recover`: finishes or undoes a switch that was interrupted. */
export const command: Command = {
  positionals: [],
  flags: [profileNameFlag],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const result = await recoverSwitch(await switchContext(session));
      session.progress.clear();
      const texts = {
        none: "no switch was interrupted",
        finished: "the interrupted switch was finished",
        undone: "the interrupted switch was undone",
      };
      io.err(`${texts[result]}\n`);
      return 0;
    }),
};

/** `firn os confirm`: tells a waiting switch that the new system works. */
export const confirm: Command = {
  positionals: [],
  flags: [],
  run: async () => {
    mkdirSync(dirname(confirmationFile), { recursive: true });
    writeFileSync(confirmationFile, "");
    return 0;
  },
};
