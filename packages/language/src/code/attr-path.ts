/** Attribute paths from the command line (`-A a.b."c.d".0`). */

import { elementAt, listLength } from "../heap/list.ts";
import { isList, isSet, none, type Slot } from "../heap/memory.ts";
import { attribute, shapeOf } from "../heap/set.ts";
import { keysOf } from "../heap/shape.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { suggest } from "../value/suggestions.ts";
import { showType } from "../value/type.ts";
import { type AutoArgs, autoCall } from "./auto-call.ts";
import { force } from "./interpret.ts";

/** Splits a path at dots outside quotes. */
export function parseAttrPath(path: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < path.length; i++) {
    const c = path[i]!;
    if (c === ".") {
      parts.push(part);
      part = "";
    } else if (c === '"') {
      const end = path.indexOf('"', i + 1);
      if (end < 0) throw new EvaluationError("parse-error", `missing closing quote in selection path '${path}'`);
      part += path.slice(i + 1, end);
      i = end;
    } else part += c;
  }
  if (part !== "") parts.push(part);
  return parts;
}

/** Selects along a path, calling functions on the way with their automatic arguments. */
export function selectAlong(root: Slot, path: string, args: AutoArgs): Slot {
  let slot = root;
  for (const name of parseAttrPath(path)) {
    const value = autoCall(slot, args);
    const index = /^[0-9]+$/.test(name) ? Number(name) : undefined;
    if (index === undefined) {
      if (!isSet(value)) {
        throw new EvaluationError(
          "type-error",
          `the expression selected by the selection path '${path}' should be a set but is ${showType(value)}`,
        );
      }
      if (name === "") throw new EvaluationError("eval-error", `empty attribute name in selection path '${path}'`);
      const found = attribute(value, intern(name));
      if (found === none) {
        const error = new EvaluationError("eval-error", `attribute '${name}' in selection path '${path}' not found`);
        const names = keysOf(shapeOf(value)).map(nameOf);
        error.suggestions = suggest(names, name);
        throw error;
      }
      slot = found;
    } else {
      if (!isList(value)) {
        throw new EvaluationError(
          "type-error",
          `the expression selected by the selection path '${path}' should be a list but is ${showType(value)}`,
        );
      }
      if (index >= listLength(value)) {
        throw new EvaluationError("eval-error", `list index ${index} in selection path '${path}' is out of range`);
      }
      slot = elementAt(value, index);
    }
  }
  force(slot);
  return slot;
}
