/** The loop that reads and runs commands until the end of input. */
import { FirnError } from "@firn/formats";
import { machineError } from "@firn/store";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import type { LoopEnd, ReplCommands } from "./commands.ts";
import type { LineReader } from "./input.ts";

const prompt = "nix-repl> ";
const continuation = "        > ";

/** Reads and runs lines. An error in one of them is printed and changes nothing. */
export async function readLoop(options: {
  readonly session: EvaluationSession;
  readonly lines: LineReader;
  readonly commands: ReplCommands;
}): Promise<LoopEnd> {
  const { session, lines, commands } = options;
  const { io } = session;
  let input = "";
  for (;;) {
    session.progress.clear();
    const line = await lines.read(input === "" ? prompt : continuation);
    if (line.kind === "end") {
      io.out("\n");
      return "quit";
    }
    if (line.kind === "cleared") {
      input = "";
      continue;
    }
    input += `${line.text}\n`;
    try {
      const outcome = await commands.run(input);
      if (outcome !== "again") return outcome;
    } catch (thrown) {
      const error = machineError(thrown) ?? thrown;
      if (!(error instanceof FirnError)) throw error;
      if (error.code === "incomplete-input") continue;
      // Without its evaluator there is nothing to go on with.
      if (error.code === "evaluator-stopped") throw error;
      commands.printError(error);
    }
    input = "";
    io.out("\n");
  }
}
