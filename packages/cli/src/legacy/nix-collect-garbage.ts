/** `nix-collect-garbage`: deletes old generations of profiles, then what nothing keeps alive. */
import { dirname } from "node:path";
import { defaultProfile, offered, profilesDirectory } from "@firn/store";
import { cleanProfiles, type GenerationChoice } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { parseInteger } from "../grammar/integer.ts";
import { printLine } from "../render/output.ts";
import { tidyBootMenu } from "../session/boot-menu.ts";
import { timeOfAge } from "../session/generation-age.ts";
import { type OldSession, withOldSession } from "../session/old-session.ts";
import { generationReport, profilePlaces } from "../session/profile-session.ts";
import { deleteGarbage } from "./nix-store/gc.ts";

/** Deletes generations of all profiles that this user may change. */
async function clean(session: OldSession, choice: GenerationChoice, dryRun: boolean): Promise<void> {
  const places = await profilePlaces(session);
  const directories = new Set([
    profilesDirectory(places),
    `${places.location.stateDir}/profiles`,
    dirname(defaultProfile(places)),
  ]);
  const profile = (path: string): void =>
    session.progress.event({ kind: "message", level: "info", text: `removing old generations of profile ${path}` });
  const report = { profile, generation: generationReport(session, dryRun) };
  for (const directory of [...directories].sort()) await cleanProfiles(directory, choice, { dryRun, report });
}

/** `nix-collect-garbage`. */
export const command: Command = {
  style: "old",
  positionals: [],
  flags: [
    { name: "delete-old", short: "d", description: "Delete all old generations of all profiles first." },
    {
      name: "delete-older-than",
      labels: ["age"],
      description: "Delete generations that are older than the age first, a number of days followed by 'd'.",
    },
    { name: "dry-run", description: "Show what this command would do without doing it." },
    { name: "max-freed", labels: ["bytes"], description: "Stop after so many bytes; K, M, G and T may follow." },
  ],
  run: (invocation, io) =>
    withOldSession(
      invocation,
      io,
      async (session) => {
        const { flags } = invocation;
        const max = flags.value("max-freed");
        const limit = max === undefined ? {} : { maxFreed: Math.max(0, parseInteger(max)) };
        const dryRun = flags.has("dry-run");
        const age = flags.value("delete-older-than");
        if (age !== undefined) await clean(session, { kind: "older-than", time: timeOfAge(age) }, dryRun);
        else if (flags.has("delete-old")) await clean(session, { kind: "old" }, dryRun);
        if (!dryRun && (age !== undefined || flags.has("delete-old"))) await tidyBootMenu(session);
        if (!dryRun) return deleteGarbage(session, { action: "delete-dead", ...limit });
        const { paths } = await offered(await session.store(), "roots").collectGarbage({ action: "dead" });
        session.progress.clear();
        printLine(io, `${paths.length} store paths would be deleted`);
        return 0;
      },
      { frees: true },
    ),
};
