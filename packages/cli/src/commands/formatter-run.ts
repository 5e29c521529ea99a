import { formatterLookup } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { applicationRun, builtApplication } from "../programs/application.ts";
import { runProgram } from "../programs/run-program.ts";
import { flakeRoot } from "../session/flake-root.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn fmt`, `firn formatter run`: runs the formatter of the flake around the working directory. */
export const command: Command = {
  positionals: [{ label: "args", optional: true, repeats: true }],
  flags: [...flakeFlags, ...evaluationFlags, ...jsonFlags],
  run: (invocation, io) => {
    let start: (() => never) | undefined;
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const [installable] = session.installables.parse(["."]);
        const application = await builtApplication(session, installable!, formatterLookup(session.system));
        const args = invocation.positionals;
        const environment = { ...io.env, PRJ_ROOT: flakeRoot(io.cwd) };
        start = () => runProgram(applicationRun(application, { args, environment }));
        return 0;
      },
    }).then((status) => (start === undefined ? status : start()));
  },
};
