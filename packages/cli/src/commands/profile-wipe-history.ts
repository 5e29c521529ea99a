import { deleteGenerations } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { tidyBootMenu } from "../session/boot-menu.ts";
import { timeOfAge } from "../session/generation-age.ts";
import { generationReport, profileFlag, profilePath } from "../session/profile-session.ts";
import { withSession } from "../session/session.ts";

/** `firn profile wipe-history`: deletes the versions of a profile that are not current. */
export const command: Command = {
  positionals: [],
  flags: [
    profileFlag,
    {
      name: "older-than",
      labels: ["age"],
      description: "Delete versions older than the specified age, a number of days followed by 'd'.",
    },
    { name: "dry-run", description: "Show what this command would do without doing it." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const { flags } = invocation;
      const age = flags.value("older-than");
      const choice =
        age === undefined ? ({ kind: "old" } as const) : ({ kind: "older-than", time: timeOfAge(age) } as const);
      const dryRun = flags.has("dry-run");
      await deleteGenerations(await profilePath(session), choice, {
        dryRun,
        report: generationReport(session, dryRun),
      });
      if (!dryRun) await tidyBootMenu(session);
      return 0;
    }),
};
