import type { ProfileElement } from "@firn/formats";
import { profileLink } from "@firn/store";
import { freeName } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { deprecatedAlias } from "../grammar/deprecated-alias.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { parseInteger } from "../grammar/integer.ts";
import { buildElements, changeManifest, profileFlag, profilePath, profilePlaces } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { tellOfMovedStore } from "../targets/build-targets.ts";

/** `firn profile add`: builds packages and adds them to a profile. An existing package is replaced. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    stdinFlag,
    profileFlag,
    { name: "priority", labels: ["priority"], description: "The priority of the package to add." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const word = invocation.flags.value("priority");
        const priority = word === undefined ? undefined : parseInteger(word);
        const wanted = session.installables.parse(await session.words()).map((installable) => ({
          installable,
          priority,
        }));
        const elements = await buildElements(session, wanted);
        const notice = (text: string): void => session.progress.event({ kind: "message", level: "notice", text });
        await changeManifest(session, async (present) => {
          const manifest = new Map(present);
          for (const { name, element } of elements) {
            const [known, old] = [...manifest].find(([, other]) => isSame(other, element)) ?? [];
            if (known !== undefined && old?.storePaths.join() === element.storePaths.join())
              session.progress.warn(`'${known}' is already added`);
            else if (known !== undefined)
              notice(`upgrading '${known}' from flake '${old?.url ?? ""}' to '${element.url ?? ""}'`);
            manifest.set(known ?? freeName(manifest, name), element);
          }
          return manifest;
        });
        const places = await profilePlaces(session);
        const link = invocation.flags.has("profile") ? await profilePath(session) : profileLink(places);
        tellOfMovedStore(session, places.location, link);
        return 0;
      },
    }),
};

/** `firn profile install`: the old name of `firn profile add`. */
export const install = deprecatedAlias(command, () => ["install", "add"]);

/** Tells whether elements come from the same place: then the new one replaces the old. */
function isSame(a: ProfileElement, b: ProfileElement): boolean {
  return a.originalUrl !== undefined && a.originalUrl === b.originalUrl && a.attrPath === b.attrPath;
}
