/** Starts the evaluator's thread early for commands that nearly always evaluate: it starts while they are loaded. */
import { FirnError } from "@firn/formats";
import { findCommand } from "./grammar/find-command.ts";
import { mayWantHelp } from "./grammar/parse.ts";
import { settingFlagsFor } from "./grammar/setting-flags.ts";

/** Starts the thread if the command evaluates; `program` is the name by which the program was called, `words` are its arguments. */
export async function startEvaluatorFor(program: string, words: readonly string[]): Promise<void> {
  if (mayWantHelp(words) || !(await evaluates(program, words))) return;
  (await import("@firn/flake/worker-start")).prepareWorker();
}

async function evaluates(program: string, words: readonly string[]): Promise<boolean> {
  try {
    return findCommand(program, words, await settingFlagsFor(words)).entry?.evaluates === true;
  } catch (error) {
    // The mistake is told when the command line is run.
    if (error instanceof FirnError) return false;
    throw error;
  }
}
