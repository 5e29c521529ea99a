/** The builtins that force, fail, catch and report. */

import { deepForce } from "../code/deep-force.ts";
import { callDepth, coerceCopy, coerceToString, evaluation, force, host, restoreCallDepth } from "../code/interpret.ts";
import { bool, falseValue, isList, isSet, isString, type Slot, type Value } from "../heap/memory.ts";
import { makeSet } from "../heap/set.ts";
import { stringText } from "../heap/string.ts";
import { intern } from "../heap/symbol.ts";
import { addFrame, EvaluationError, wrapError } from "../value/evaluation-error.ts";
import { plainPrint, printValue } from "../value/print.ts";
import { type BuiltinTable, coercedArgument, stringArgument } from "./arguments.ts";

const success = intern("success");
const valueSymbol = intern("value");

function tryEval(a: Slot): Value {
  const depth = callDepth();
  let value = falseValue;
  let ok = true;
  evaluation().debugger?.enterTry();
  try {
    value = force(a);
  } catch (error) {
    const wrapped = wrapError(error);
    if (!(wrapped instanceof EvaluationError && (wrapped.kind === "thrown" || wrapped.kind === "assertion-failed"))) {
      throw wrapped;
    }
    const { applications } = evaluation();
    if (wrapped.ordered && applications !== undefined) applications.isVisible = true;
    restoreCallDepth(depth);
    ok = false;
  } finally {
    evaluation().debugger?.leaveTry();
  }
  return makeSet([success, valueSymbol], [bool(ok), value], null);
}

function trace(a: Slot, b: Slot): Value {
  const message = force(a);
  const { applications } = evaluation();
  // What is not forced is shown so, and with an image more is.
  if (applications !== undefined && (isSet(message) || isList(message))) applications.isVisible = true;
  const text = isString(message) ? stringText(message) : printValue(message, plainPrint);
  host().report({ kind: "trace", text: text });
  evaluation().debugger?.traced("trace");
  return force(b);
}

function warn(a: Slot, b: Slot): Value {
  const text = stringText(
    stringArgument(a, "while evaluating the first argument; the message passed to builtins.warn"),
  );
  host().report({ kind: "evaluation-warning", text: text });
  evaluation().debugger?.traced("warning");
  if (host().mode.abortOnWarn) {
    throw new EvaluationError("eval-error", "aborting to reveal stack trace of warning, as abort-on-warn is set");
  }
  return force(b);
}

function addErrorContext(a: Slot, b: Slot): Value {
  try {
    return force(b);
  } catch (error) {
    const message = coerceToString(a, 0, "while evaluating the error message passed to builtins.addErrorContext", 0);
    throw addFrame(error, 0, stringText(message), true);
  }
}

export const controlBuiltins: BuiltinTable = {
  throw: {
    arity: 1,
    global: true,
    call: (a) => {
      const text = "while evaluating the error message passed to builtin.throw";
      throw new EvaluationError("thrown", stringText(coercedArgument(a, coerceCopy, text)));
    },
  },
  abort: {
    arity: 1,
    global: true,
    call: (a) => {
      const text = "while evaluating the error message passed to builtins.abort";
      const message = stringText(coercedArgument(a, coerceCopy, text));
      throw new EvaluationError("aborted", `evaluation aborted with the following error message: '${message}'`);
    },
  },
  tryEval: { arity: 1, call: tryEval },
  seq: {
    arity: 2,
    call: (a, b) => {
      force(a);
      return force(b);
    },
  },
  deepSeq: {
    arity: 2,
    call: (a, b) => {
      deepForce(a);
      return force(b);
    },
  },
  trace: { arity: 2, call: trace },
  traceVerbose: { arity: 2, call: (a, b) => (host().mode.traceVerbose ? trace(a, b) : force(b)) },
  warn: { arity: 2, call: warn },
  break: {
    arity: 1,
    global: true,
    call: (a) => {
      evaluation().debugger?.breakpoint();
      return force(a);
    },
  },
  addErrorContext: { arity: 2, untraced: true, call: addErrorContext },
};
