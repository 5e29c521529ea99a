/** Automatic calls of top-level functions, with those arguments of `--arg` that they take. */
import { EvaluationError } from "../value/evaluation-error.ts";
import { Attrs, Lambda, makeAttrs, type Slot, type Value } from "../value/value.ts";
import { call, force, formalsOf, hasEllipsis } from "./interpret.ts";
import { intern, symbolNames } from "./memory.ts";

const functor = intern("__functor");

/** Automatic arguments by name. */
export type AutoArgs = ReadonlyMap<string, Slot>;

export function autoCall(slot: Slot, args: AutoArgs): Value {
  const value = force(slot);
  if (value instanceof Attrs) {
    const found = value.get(functor);
    return found === undefined ? value : autoCall(call(force(found), value, 0), args);
  }
  if (!(value instanceof Lambda)) return value;
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
      const name = symbolNames[formal.symbol]!;
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
  return call(value, makeAttrs(symbols, values, null), 0);
}
