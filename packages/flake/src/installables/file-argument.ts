/** Names of files with Nix expressions on a command line (manual: "nix-build", "paths"). */
import { resolve } from "node:path";
import type { Evaluator } from "../evaluator/evaluator.ts";

/** The surroundings of such a name. */
export interface FileArgumentContext {
  readonly evaluator: Evaluator;
  /** Directory from which relative paths start. */
  readonly cwd: string;
  /** Returns the path for a URL or `flake:` reference, fetched; undefined when it cannot be had. */
  fetchPath(url: string): Promise<string | undefined>;
}

const url = /^(?:https?|file|ftp|s3|channel|git|flake):/;

/** Returns the path that a path, `<name>` or URL names. Fails as the evaluator's search path does. */
export async function fileArgument(word: string, context: FileArgumentContext): Promise<string> {
  if (url.test(word)) {
    const found = await context.fetchPath(word);
    if (found !== undefined) return found;
  }
  if (word.length > 2 && word.startsWith("<") && word.endsWith(">"))
    return context.evaluator.findFile(word.slice(1, -1));
  return resolve(context.cwd, word);
}
