import { parseJson, printProfileManifest } from "@firn/formats";
import { currentManifest } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { profileFlag, profilePath, profileReader } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile list`: lists the elements of a profile. */
export const command: Command = {
  positionals: [],
  flags: [profileFlag, ...evaluationFlags, ...jsonFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true, reads: true, impure: true },
      body: async (session) => {
        const manifest = await currentManifest(await profileReader(session), await profilePath(session));
        if (invocation.flags.has("json")) {
          printJsonResult(io, parseJson(printProfileManifest(manifest)), invocation);
          return 0;
        }
        const bold = (text: string): string => (process.stdout.isTTY === true ? `\x1b[1m${text}\x1b[0m` : text);
        let first = true;
        for (const [name, element] of [...manifest].sort(([a], [b]) => (a < b ? -1 : 1))) {
          if (!first) io.out("\n");
          first = false;
          printLine(io, `Name:               ${bold(name)}${element.active ? "" : " (inactive)"}`);
          if (element.originalUrl !== undefined) {
            const outputs = element.outputs === undefined ? "" : `^${element.outputs.join(",")}`;
            printLine(io, `Flake attribute:    ${element.attrPath ?? ""}${outputs}`);
            printLine(io, `Original flake URL: ${element.originalUrl}`);
            printLine(io, `Locked flake URL:   ${element.url ?? ""}`);
          }
          printLine(io, `Store paths:        ${element.storePaths.join(" ")}`);
        }
        return 0;
      },
    }),
};
