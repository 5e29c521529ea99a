import { parseFlakeRef } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { buildElement, changeManifest, chosenElements, elementFlags, profileFlag } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile upgrade`: builds packages anew from the flakes they came from. */
export const command: Command = {
  positionals: [{ label: "elements", optional: true, repeats: true }],
  flags: [profileFlag, ...elementFlags, ...evaluationFlags, ...flakeFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        if (invocation.positionals.length === 0 && !invocation.flags.has("all") && !invocation.flags.has("regex")) {
          throw new UsageError("No packages specified.");
        }
        session.settings.assign("tarball-ttl", 0);
        await changeManifest(session, async (present) => {
          const manifest = new Map(present);
          let upgraded = 0;
          for (const name of chosenElements(session, present)) {
            const old = manifest.get(name);
            if (old?.originalUrl === undefined) {
              session.progress.warn(
                `Found package '${name}', but it was not added from a flake, so it can't be checked for upgrades!`,
              );
              continue;
            }
            const { element } = await buildElement(
              session,
              {
                kind: "flake",
                ref: parseFlakeRef(old.originalUrl, { baseDirectory: io.cwd }),
                fragment: `.${old.attrPath ?? ""}`,
                outputs:
                  old.outputs === undefined
                    ? { kind: "default" }
                    : old.outputs.includes("*")
                      ? { kind: "all" }
                      : { kind: "names", names: old.outputs },
                text: old.originalUrl,
              },
              old.priority,
            );
            if (element.url === old.url && element.storePaths.join() === old.storePaths.join()) continue;
            session.progress.event({
              kind: "message",
              level: "notice",
              text: `upgrading '${old.attrPath ?? name}' from flake '${old.url ?? ""}' to '${element.url ?? ""}'`,
            });
            manifest.set(name, element);
            upgraded++;
          }
          return upgraded > 0 ? manifest : undefined;
        });
        return 0;
      },
    }),
};
