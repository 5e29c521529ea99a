import { generationSource } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";
import { withReadingSession } from "../session/session.ts";
import { profileNameFlag, systemProfile } from "../systems/profiles.ts";

/** `firn os source`: prints where the configuration lies that a generation was made of. */
export const command: Command = {
  positionals: [{ label: "generation", optional: true }],
  flags: [profileNameFlag],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const [text] = invocation.positionals;
      if (text !== undefined && !/^\d{1,9}$/.test(text))
        throw new UsageError(`'${text}' is not the number of a generation`);
      const number = text === undefined ? undefined : Number(text);
      printLine(io, generationSource(await session.store(), await systemProfile(session), number));
      return 0;
    }),
};
