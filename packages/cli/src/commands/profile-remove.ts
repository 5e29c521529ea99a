import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/parse.ts";
import { chosenElements, elementFlags, openProfile, profileFlag, switchProfile } from "../profile-session.ts";
import { withSession } from "../session.ts";

/** `firn profile remove`: removes packages from a profile. */
export const command: Command = {
  positionals: [{ label: "elements", optional: true, repeats: true }],
  flags: [profileFlag, ...elementFlags],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      if (invocation.positionals.length === 0 && !invocation.flags.has("all") && !invocation.flags.has("regex")) {
        throw new UsageError("No packages specified.");
      }
      const profile = await openProfile(session);
      const chosen = chosenElements(session, profile.manifest);
      for (const name of chosen)
        session.progress.event({ kind: "message", level: "notice", text: `removing '${name}'` });
      const kept = new Map([...profile.manifest].filter(([name]) => !chosen.has(name)));
      session.progress.event({
        kind: "message",
        level: "notice",
        text: `removed ${chosen.size} packages, kept ${kept.size} packages`,
      });
      if (chosen.size > 0) await switchProfile(session, profile.path, kept);
      else session.progress.warn("No packages to remove. Use 'firn profile list' to see the current profile.");
      return 0;
    }),
};
