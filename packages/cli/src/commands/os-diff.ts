import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { diffSystems, findGenerations, openSystem } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printJsonResult } from "../render/output.ts";
import { systemDiffJson, systemDiffLines, systemDiffMarkdown } from "../render/system-diff.ts";
import { withReadingSession } from "../session/session.ts";
import { profileNameFlag, storePathOf, systemProfile } from "../systems/profiles.ts";

/** `firn os diff`: shows the differences between two systems. */
export const command: Command = {
  positionals: [
    { label: "before", optional: true },
    { label: "after", optional: true },
  ],
  flags: [
    ...jsonFlags,
    { name: "markdown", description: "Print a Markdown section for a pull request." },
    profileNameFlag,
  ],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const { flags, positionals } = invocation;
      if (flags.has("json") && flags.has("markdown")) throw new UsageError("--json and --markdown are exclusive");
      const store = await session.store();
      const profile = await systemProfile(session);
      const path = (word: string): string => {
        if (!/^[0-9]+$/.test(word)) return storePathOf(store, resolve(io.cwd, word));
        const found = findGenerations(profile).generations.find(({ number }) => number === Number(word));
        if (found === undefined) throw new FirnError("no-generation", `profile version ${word} does not exist`);
        return storePathOf(store, found.link);
      };
      const [before = "/run/current-system", after = profile] = positionals;
      const diff = await diffSystems(
        store,
        openSystem(store.location, path(before)),
        openSystem(store.location, path(after)),
      );
      if (flags.has("json")) printJsonResult(io, systemDiffJson(diff), invocation);
      else if (flags.has("markdown")) io.out(systemDiffMarkdown(diff, "Changes of the system"));
      else for (const line of systemDiffLines(diff)) io.out(`${line}\n`);
      return 0;
    }),
};
