import { resolve } from "node:path";
import { formatterLookup } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import { mainProgramOf } from "../programs/application.ts";
import { printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildTargets, makeOutLinks } from "../targets/build-targets.ts";

/** `firn formatter build`: builds the formatter of a flake and prints the path of its program. */
export const command: Command = {
  positionals: [],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    { name: "no-link", description: "Do not create symlinks to the build results." },
    {
      name: "out-link",
      short: "o",
      labels: ["path"],
      kinds: ["path"],
      description: "Use path as prefix for the symlinks to the build results. It defaults to result.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const lookup = formatterLookup(session.system);
        const targets = await session.installables.targets(session.installables.parse(["."]), lookup);
        const built = await buildTargets(session, targets);
        session.progress.clear();
        if (!flags.has("no-link")) {
          await makeOutLinks(session, resolve(io.cwd, flags.value("out-link") ?? "result"), built);
        }
        for (const one of built) printLine(io, mainProgramOf(one));
        return 0;
      },
    }),
};
