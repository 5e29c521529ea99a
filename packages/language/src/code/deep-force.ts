/** Forces a value and everything inside it. */

import { elementAt, listLength } from "../heap/list.ts";
import { isList, isSet, type Slot, type Value } from "../heap/memory.ts";
import { positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, shapeSize } from "../heap/shape.ts";
import { nameOf } from "../heap/symbol.ts";
import { showIdentifier } from "../syntax/print.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { callDepth, evaluation, forceAt, inOrder, positionOfSlot, restoreCallDepth } from "./interpret.ts";

export function deepForce(slot: Slot): Value {
  return visit(slot, new Set());
}

function visit(slot: Slot, seen: Set<Value>): Value {
  const pos = positionOfSlot(slot);
  const depth = callDepth();
  if (depth > evaluation().host.mode.maxCallDepth) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
  restoreCallDepth(depth + 1);
  const value = forceAt(slot, pos);
  if ((isSet(value) || isList(value)) && !seen.has(value)) {
    seen.add(value);
    visitMembers(value, seen);
  }
  restoreCallDepth(depth);
  return value;
}

function visitMembers(value: Value, seen: Set<Value>): void {
  if (isSet(value)) {
    const shape = shapeOf(value);
    inOrder(() => {
      for (let i = 0; i < shapeSize(shape); i++) {
        try {
          visit(valueAt(value, i), seen);
        } catch (error) {
          const name = showIdentifier(nameOf(keyAt(shape, i)));
          throw addFrame(error, positionOf(value, keyAt(shape, i)), `while evaluating the attribute '${name}'`);
        }
      }
    });
  } else {
    for (let i = 0; i < listLength(value); i++) {
      try {
        visit(elementAt(value, i), seen);
      } catch (error) {
        throw addFrame(error, 0, `while evaluating list element at index ${i}`);
      }
    }
  }
}
