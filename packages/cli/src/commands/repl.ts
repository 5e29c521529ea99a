import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { runRepl } from "../repl/run.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn repl`: evaluates expressions interactively. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [...installableFlags, stdinFlag],
  run: (invocation, io) =>
    withEvaluation(invocation, io, { needs: { impure: true, handlesInterrupts: true }, body: runRepl }),
};
