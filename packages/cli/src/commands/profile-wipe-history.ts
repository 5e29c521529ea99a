import { FirnError } from "@firn/formats";
import { deleteGenerations, findGenerations } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { profileFlag, profilePath } from "../session/profile-session.ts";
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
      if (age !== undefined && !/^\d+d$/.test(age)) throw new FirnError("usage", `'${age}' is not an age such as 30d`);
      const path = await profilePath(session);
      const { generations, current } = findGenerations(path);
      const limit =
        age === undefined ? Number.POSITIVE_INFINITY : Date.now() / 1000 - Number(age.slice(0, -1)) * 86_400;
      const old = generations
        .filter(({ number, created }) => number !== current && created < limit)
        .map(({ number }) => number);
      const dryRun = flags.has("dry-run");
      for (const number of old) {
        session.progress.event({
          kind: "message",
          level: "notice",
          text: `${dryRun ? "would remove" : "removing"} profile version ${number}`,
        });
      }
      if (!dryRun) await deleteGenerations(path, old);
      return 0;
    }),
};
