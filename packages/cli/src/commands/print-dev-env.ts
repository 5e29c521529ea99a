import { printShellEnvironment } from "@firn/build";
import { parseJson } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { environmentText, obtainEnvironment, shellEnvironmentFlags } from "../session/shell-environment.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn print-dev-env`: prints the development environment of a derivation, as text for bash or as JSON. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: [...shellEnvironmentFlags, ...jsonFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { environment } = await obtainEnvironment(session);
        session.progress.clear();
        if (invocation.flags.has("json"))
          printJsonResult(io, parseJson(printShellEnvironment(environment)), invocation);
        else printLine(io, await environmentText(session, environment));
        return 0;
      },
    }),
};
