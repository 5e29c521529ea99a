/** Names of the arguments of functions, which are not kept at run time. */

import type { Value } from "../heap/memory.ts";
import { parseExpressionAt } from "../syntax/parser.ts";
import { evaluation, positionOfValue } from "./interpret.ts";
import { sourceAt } from "./source.ts";

/**
 * Returns the name of a function's argument, read from its source again; undefined for a set pattern without one. `level` counts the
 * arguments that the function has taken already.
 */
export function argumentName(lambda: Value, level = 0): string | undefined {
  const pos = positionOfValue(lambda);
  const source = sourceAt(pos);
  if (source === undefined) return undefined;
  let expr = parseExpressionAt(source, evaluation().parser, pos - source.base);
  for (let i = 0; i < level && expr.kind === "lambda"; i++) expr = expr.body;
  return expr.kind === "lambda" ? expr.argument : undefined;
}
