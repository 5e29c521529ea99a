/** Has the evaluator's thread started early, by commands that nearly always evaluate: it starts while they are loaded. */
const evaluating: ReadonlySet<string> = new Set([
  "run",
  "build",
  "shell",
  "eval",
  "repl",
  "search",
  "os",
  "nix-instantiate",
  "nix-shell",
]);

/** `program` is the name it was called by, `words` are its arguments. */
export async function startEvaluatorFor(program: string, words: readonly string[]): Promise<void> {
  const command = evaluating.has(program) ? program : words.find((word) => !word.startsWith("-"));
  if (command === undefined || !evaluating.has(command) || words.includes("--help")) return;
  (await import("@firn/flake/worker-start")).prepareWorker();
}
