/** Has the evaluator's thread started early, by commands that nearly always evaluate: it starts while they are loaded. */
import { prepareWorker } from "@firn/flake/worker-start";

const evaluating: ReadonlySet<string> = new Set([
  "run",
  "build",
  "shell",
  "eval",
  "repl",
  "search",
  "os",
  "nix-instantiate",
]);

/** `program` is the name it was called by, `words` are its arguments. */
export function startEvaluatorFor(program: string, words: readonly string[]): void {
  const command = evaluating.has(program) ? program : words.find((word) => !word.startsWith("-"));
  if (command !== undefined && evaluating.has(command) && !words.includes("--help")) prepareWorker();
}
