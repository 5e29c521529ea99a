import { describeManifestChange, findGenerations, generationManifest, type Manifest } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import { profileFlag, profilePath, profileReader } from "../session/profile-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn profile history`: shows every version of a profile and its changes. */
export const command: Command = {
  positionals: [],
  flags: [profileFlag, ...evaluationFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true, reads: true, impure: true },
      body: async (session) => {
        const reader = await profileReader(session);
        const path = await profilePath(session);
        const { generations, current } = findGenerations(path);
        const terminal = process.stdout.isTTY === true;
        let before: Manifest = new Map();
        let previous: number | undefined;
        for (const generation of generations) {
          const mark = generation.number === current ? "\x1b[32;1m" : "\x1b[1m";
          const number = terminal ? `${mark}${generation.number}\x1b[0m` : String(generation.number);
          const date = new Date(generation.created * 1000).toISOString().slice(0, 10);
          if (previous !== undefined) io.out("\n");
          io.out(`Version ${number} (${date})${previous === undefined ? "" : ` <- ${previous}`}:\n`);
          const manifest = await generationManifest(reader, generation);
          const changes = describeManifestChange(before, manifest);
          io.out(`${(changes.length === 0 ? ["No changes."] : changes).map((line) => `  ${line}`).join("\n")}\n`);
          before = manifest;
          previous = generation.number;
        }
        return 0;
      },
    }),
};
