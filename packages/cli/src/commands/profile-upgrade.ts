import { isLockedInput } from "@firn/fetch";
import { type OutputsSpec, parseFlakeRef } from "@firn/flake";
import type { ProfileElement } from "@firn/formats";
import { elementIdentifier } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import {
  buildElements,
  changeManifest,
  chosenElements,
  elementFlags,
  profileFlag,
  type WantedElement,
} from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile upgrade`: builds packages anew from the flakes they came from. */
export const command: Command = {
  positionals: [{ label: "elements", optional: true, repeats: true }],
  flags: [profileFlag, ...elementFlags, ...evaluationFlags, ...flakeFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        session.settings.assign("tarball-ttl", 0);
        const { progress } = session;
        await changeManifest(session, async (present) => {
          const manifest = new Map(present);
          const chosen = await chosenElements(session, present);
          if (chosen.size === 0) {
            const list = `${invocation.mainProgram} profile list`;
            progress.warn(`No packages to upgrade. Use '${list}' to see the current profile.`);
            return undefined;
          }
          const upgradable: { readonly name: string; readonly old: ProfileElement; readonly wanted: WantedElement }[] =
            [];
          for (const name of [...chosen].sort()) {
            const old = manifest.get(name);
            if (old === undefined) continue;
            const found = `Found package '${elementIdentifier(old)}', but it was`;
            if (old.originalUrl === undefined) {
              progress.warn(`${found} not added from a flake, so it can't be checked for upgrades!`);
              continue;
            }
            const ref = parseFlakeRef(old.originalUrl, { baseDirectory: io.cwd });
            if (isLockedInput(ref.input)) {
              progress.warn(`${found} added from a locked flake reference so it can't be upgraded!`);
              continue;
            }
            const { originalUrl: text, attrPath = "", priority } = old;
            const installable = {
              kind: "flake",
              ref,
              fragment: `.${attrPath}`,
              outputs: outputsOf(old),
              text,
            } as const;
            upgradable.push({ name, old, wanted: { installable, priority } });
          }
          const built = await buildElements(
            session,
            upgradable.map(({ wanted }) => wanted),
          );
          for (const [index, { name, old }] of upgradable.entries()) {
            const { element } = built[index]!;
            if (element.url === old.url && element.storePaths.join() === old.storePaths.join()) continue;
            progress.event({
              kind: "message",
              level: "notice",
              text: `upgrading '${old.attrPath ?? name}' from flake '${old.url ?? ""}' to '${element.url ?? ""}'`,
            });
            manifest.set(name, element);
          }
          if (upgradable.length > 0) return manifest;
          progress.warn("Found some packages but none of them could be upgraded.");
          return undefined;
        });
        return 0;
      },
    }),
};

function outputsOf({ outputs }: ProfileElement): OutputsSpec {
  if (outputs === undefined) return { kind: "default" };
  return outputs.includes("*") ? { kind: "all" } : { kind: "names", names: outputs };
}
