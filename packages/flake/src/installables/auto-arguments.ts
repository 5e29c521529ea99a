/** Automatic arguments of functions, as `--arg` and its companions give them (manual: "nix-build"). */

import { resolve } from "node:path";
import { readFileSync } from "@firn/store/files";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { Argument, AutoArguments } from "../evaluator/value-ref.ts";

/** An argument in the forms of the command line: the text of an expression or a string, the path of a file, or standard input. */
export interface AutoArgument {
  readonly name: string;
  readonly text: string;
  readonly kind: "expression" | "string" | "file" | "stdin";
}

/**
 * Returns the arguments for an evaluation, a later one replacing an earlier one of the same name; expressions are evaluated
 * when they are used. Relative paths start from `cwd`; `readStdin` returns standard input as a byte string.
 */
export async function evaluateAutoArguments(
  evaluator: Evaluator,
  autoArgs: readonly AutoArgument[],
  { cwd, readStdin }: { readonly cwd: string; readStdin(): Promise<string> },
): Promise<AutoArguments> {
  const result: Record<string, Argument> = {};
  for (const { name, text, kind } of autoArgs) {
    const key = name;
    switch (kind) {
      case "string":
        result[key] = text;
        break;
      case "stdin":
        result[key] = await readStdin();
        break;
      case "file":
        result[key] = readFileSync(resolve(cwd, text), "latin1");
        break;
      case "expression":
        result[key] = await evaluator.evaluate({
          kind: "string",
          text: text,
          directory: cwd,
        });
    }
  }
  return result;
}
