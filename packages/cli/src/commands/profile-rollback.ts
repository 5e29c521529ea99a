import { FirnError } from "@firn/formats";
import { rollbackProfile } from "@firn/system";
import type { Command } from "../grammar/command.ts";
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
      if (to !== undefined && !/^\d+$/.test(to)) throw new FirnError("usage", `'${to}' is not a version number`);
      const dryRun = flags.has("dry-run");
      const path = await profilePath(session);
      const moved = await rollbackProfile(path, { dryRun, ...(to === undefined ? {} : { to: Number(to) }) });
      const text = `${dryRun ? "would switch" : "switching"} profile from version ${moved.from ?? 0} to ${moved.to}`;
      session.progress.event({ kind: "message", level: "notice", text });
      return 0;
    }),
};
