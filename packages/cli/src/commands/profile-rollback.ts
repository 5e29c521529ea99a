import { rollbackProfile } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { parseInteger } from "../grammar/integer.ts";
import { profileFlag, profilePath } from "../session/profile-session.ts";
import { withSession } from "../session/session.ts";

/** `firn profile rollback`: switches a profile to an earlier version. */
export const command: Command = {
  positionals: [],
  flags: [
    profileFlag,
    { name: "to", labels: ["version"], description: "The profile version to roll back to." },
    { name: "dry-run", description: "Show what this command would do without doing it." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const { flags } = invocation;
      const to = flags.value("to");
      const version = to === undefined ? {} : { to: parseInteger(to) };
      const dryRun = flags.has("dry-run");
      const path = await profilePath(session);
      const moved = await rollbackProfile(path, { dryRun, ...version });
      const text = `${dryRun ? "would switch" : "switching"} profile from version ${moved.from ?? 0} to ${moved.to}`;
      session.progress.event({ kind: "message", level: "notice", text });
      return 0;
    }),
};
