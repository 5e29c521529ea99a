import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { changeManifest, chosenElements, elementFlags, profileFlag } from "../session/profile-session.ts";
import { withSession } from "../session/session.ts";

/** `firn profile remove`: removes packages from a profile. */
export const command: Command = {
  positionals: [{ label: "elements", optional: true, repeats: true }],
  flags: [profileFlag, ...elementFlags],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      if (invocation.positionals.length === 0 && !invocation.flags.has("all") && !invocation.flags.has("regex")) {
        throw new UsageError("No packages specified.");
      }
      await changeManifest(session, async (manifest) => {
        const chosen = chosenElements(session, manifest);
        const notice = (text: string): void => session.progress.event({ kind: "message", level: "notice", text });
        for (const name of chosen) notice(`removing '${name}'`);
        const kept = new Map([...manifest].filter(([name]) => !chosen.has(name)));
        notice(`removed ${chosen.size} packages, kept ${kept.size} packages`);
        if (chosen.size > 0) return kept;
        session.progress.warn("No packages to remove. Use 'firn profile list' to see the current profile.");
        return undefined;
      });
      return 0;
    }),
};
