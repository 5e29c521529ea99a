import { FirnError, type ProfileElement } from "@firn/formats";
import { freeName } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { buildElement, changeManifest, profileFlag } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile add`: builds packages and adds them to a profile. An existing package is replaced. */
export const command: Command = {
  positionals: [{ label: "installables", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    stdinFlag,
    profileFlag,
    { name: "priority", labels: ["priority"], description: "The priority of the package to add." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const priority = invocation.flags.value("priority");
        if (priority !== undefined && !/^-?\d+$/.test(priority))
          throw new FirnError("usage", `'${priority}' is not an integer`);
        const elements: Awaited<ReturnType<typeof buildElement>>[] = [];
        for (const installable of session.installables.parse(await session.words())) {
          elements.push(
            await buildElement(session, installable, priority === undefined ? undefined : Number(priority)),
          );
        }
        await changeManifest(session, async (present) => {
          const manifest = new Map(present);
          for (const { name, element } of elements) {
            const same = [...manifest].find(([, old]) => isSame(old, element));
            if (same !== undefined) {
              session.progress.warn(`'${same[0]}' is already added`);
              manifest.set(same[0], element);
            } else manifest.set(freeName(manifest, name), element);
          }
          return manifest;
        });
        return 0;
      },
    }),
};

function isSame(a: ProfileElement, b: ProfileElement): boolean {
  if (a.originalUrl !== undefined) return a.originalUrl === b.originalUrl && a.attrPath === b.attrPath;
  return b.originalUrl === undefined && a.storePaths.join() === b.storePaths.join();
}
