/** Automatic calls of top-level functions, with those arguments of `--arg` that they take. */

import { isLambda, isSet, none, type Slot, type Value } from "../heap/memory.ts";
import { attribute, makeSet } from "../heap/set.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { call, force, formalsOf, hasEllipsis } from "./interpret.ts";

const functor = intern("__functor");

/** Automatic arguments by name. */
export type AutoArgs = ReadonlyMap<string, Slot>;

export function autoCall(slot: Slot, args: AutoArgs): Value {
  const value = force(slot);
  if (isSet(value)) {
    const found = attribute(value, functor);
    return found === none ? value : autoCall(call(force(found), value, 0), args);
  }
  if (!isLambda(value)) return value;
  const formals = formalsOf(value);
  if (formals === undefined) return value;
  const symbols: number[] = [];
  const values: Slot[] = [];
  if (hasEllipsis(value)) {
    for (const [name, arg] of args) {
      symbols.push(intern(name));
      values.push(arg);
    }
  } else {
    for (const formal of formals) {
      const name = nameOf(formal.symbol);
      const arg = args.get(name);
      if (arg !== undefined) {
        symbols.push(formal.symbol);
        values.push(arg);
      } else if (!formal.optional) {
        throw new EvaluationError(
          "missing-argument",
          `cannot evaluate a function that has an argument without a value ('${name}')\nNix attempted to evaluate a function as a top level expression; in\nthis case it must have its arguments supplied either by default\nvalues, or passed explicitly with '--arg' or '--argstr'. See\nhttps://nix.dev/manual/nix/stable/language/syntax.html#functions.`,
          formal.pos,
        );
      }
    }
  }
  return call(value, makeSet(symbols, values, null), 0);
}
