/** Starts the evaluator's thread early for commands that nearly always evaluate: it starts while they are loaded. */
import { FirnError } from "@firn/formats/base";
import { processEnvironment, workingDirectory } from "@firn/store/surroundings";
import { findCommand } from "./grammar/find-command.ts";
import { mayNameBuilt, mayWantHelp } from "./grammar/parse.ts";
import { settingFlagsFor } from "./grammar/setting-flags.ts";

/** Starts the thread if the command evaluates; `program` is the name by which the program was called, `words` are its arguments. */
export async function startEvaluatorFor(program: string, words: readonly string[]): Promise<void> {
  if (mayWantHelp(words) || mayNameBuilt(words) || !isSomewhere() || !(await evaluates(program, words))) return;
  const { codeDirectory, prepareWorker } = await import("@firn/flake/worker-start");
  prepareWorker(codeDirectory(processEnvironment()), [program, ...words], workingDirectory());
}

/** A thread cannot start where the working directory was removed; the command tells it. */
function isSomewhere(): boolean {
  try {
    workingDirectory();
    return true;
  } catch (error) {
    if (error instanceof FirnError) return false;
    throw error;
  }
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
