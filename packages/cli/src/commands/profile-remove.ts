import { elementIdentifier } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import { changeManifest, chosenElements, elementFlags, profileFlag } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile remove`: removes packages from a profile. */
export const command: Command = {
  positionals: [{ label: "elements", optional: true, repeats: true }],
  flags: [profileFlag, ...elementFlags, ...evaluationFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { impure: true },
      body: async (session) => {
        await changeManifest(session, async (manifest) => {
          const chosen = await chosenElements(session, manifest);
          if (chosen.size === 0) {
            const list = `${invocation.mainProgram} profile list`;
            session.progress.warn(`No packages to remove. Use '${list}' to see the current profile.`);
            return undefined;
          }
          const notice = (text: string): void => session.progress.event({ kind: "message", level: "notice", text });
          for (const [name, element] of manifest)
            if (chosen.has(name)) notice(`removing '${elementIdentifier(element)}'`);
          const kept = new Map([...manifest].filter(([name]) => !chosen.has(name)));
          notice(`removed ${chosen.size} packages, kept ${kept.size} packages`);
          return kept;
        });
        return 0;
      },
    }),
};
