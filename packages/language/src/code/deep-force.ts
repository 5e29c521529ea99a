/** Forces a value and everything inside it. */

import { showIdentifier } from "../syntax/print.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { Attrs, isList, type Slot, shapeOf, type Value } from "../value/value.ts";
import { callDepth, evaluation, forceAt, positionOfSlot, restoreCallDepth } from "./interpret.ts";
import { symbolNames } from "./memory.ts";

export function deepForce(slot: Slot): Value {
  const value = forceAt(slot, positionOfSlot(slot));
  visit(value, new Set());
  return value;
}

function visit(value: Value, seen: Set<object>): void {
  const depth = callDepth();
  if (depth > evaluation().host.mode.maxCallDepth) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded");
  }
  if (value === null || typeof value !== "object" || seen.has(value)) return;
  if (!(value instanceof Attrs) && !isList(value)) return;
  seen.add(value);
  restoreCallDepth(depth + 1);
  if (value instanceof Attrs) {
    const shape = shapeOf(value);
    for (let i = 0; i < shape.size; i++) {
      try {
        visit(forceAt(value[i]!, positionOfSlot(value[i]!)), seen);
      } catch (error) {
        const name = showIdentifier(symbolNames[shape.keys[i]!]!);
        throw addFrame(error, value.positionOf(shape.keys[i]!), `while evaluating the attribute '${name}'`);
      }
    }
  } else {
    for (let i = 0; i < value.length; i++) {
      try {
        visit(forceAt(value[i]!, positionOfSlot(value[i]!)), seen);
      } catch (error) {
        throw addFrame(error, 0, `while evaluating list element at index ${i}`);
      }
    }
  }
  restoreCallDepth(depth);
}
