/** The builtins that run programs and load libraries; only with `allow-unsafe-native-code-during-evaluation`. */
import { host } from "../code/interpret.ts";
import { evaluateSource } from "../code/load.ts";
import { addSource } from "../code/source.ts";
import { elementsOf } from "../heap/list.ts";
import type { Slot, Value } from "../heap/memory.ts";
import { type ContextId, contextIdOf, stringText } from "../heap/string.ts";
import { contextElements, mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { type BuiltinTable, coercedArgument, fail, listArgument, plainArgument } from "./arguments.ts";
import { realise, realisedPath } from "./paths.ts";

function exec(a: Slot): Value {
  const list = elementsOf(listArgument(a, "while evaluating the first argument passed to builtins.exec"));
  if (list.length === 0) throw fail("at least one argument to 'exec' required");
  let context: ContextId = 0;
  const words = list.map((slot, index) => {
    const which = index === 0 ? "the first element of the argument" : "an element of the argument";
    const word = coercedArgument(slot, 0, `while evaluating ${which} passed to builtins.exec`);
    context = mergeContexts(context, contextIdOf(word));
    return stringText(word);
  });
  const program = words[0]!;
  if (contextElements(context).length > 0) realise("", context);
  const output = host().runProgram(words);
  try {
    return evaluateSource(addSource("string", "\xc2\xabstring\xc2\xbb", "/", output));
  } catch (error) {
    const step = error instanceof EvaluationError && error.kind === "parse-error" ? "parsing" : "evaluating";
    throw addFrame(error, 0, `while ${step} the output from '${program}'`);
  }
}

function importNative(a: Slot, b: Slot): Value {
  const path = realisedPath(a);
  plainArgument(b, "while evaluating the second argument passed to builtins.importNative");
  throw fail(`could not open '${path}': plugins are made for the C++ implementation and cannot be loaded by this one`);
}

export const nativeBuiltins: BuiltinTable = {
  exec: { arity: 1, call: exec },
  importNative: { arity: 2, call: importNative },
};
