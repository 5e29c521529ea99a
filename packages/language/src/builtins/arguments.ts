/** Arguments of builtins: forced, checked, and refused in the reference's words. */
import { typeError } from "../code/arithmetic.ts";
import { coerceToString, forceAt, host, plainString } from "../code/interpret.ts";
import { type BuiltinFunction, type BuiltinInfo, makeBuiltinValue } from "../heap/function.ts";
import {
  isBoolean,
  isFunction,
  isList,
  isSet,
  isString,
  none,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, isInteger, isNumber } from "../heap/number.ts";
import { attribute } from "../heap/set.ts";
import { stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { peekSlot } from "../heap/thunk.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";

/** One builtin: its arity, its options and its function. */
export interface BuiltinDefinition {
  readonly arity: number;
  readonly call: BuiltinFunction;
  /** True when it is also visible without `builtins.`. */
  readonly global?: boolean;
  /** True for builtins for the embedder's own code (`Evaluator.internalBuiltin`), which expressions cannot name. */
  readonly internal?: boolean;
  /** True when errors get no "while calling" frame. */
  readonly untraced?: boolean;
  /** True for a builtin of two arguments that forces first the one, then the other, before it does anything else. */
  readonly strict?: boolean;
}

/** Builtins by their name without `builtins.`. */
export type BuiltinTable = { readonly [name: string]: BuiltinDefinition };

/** Makes the error of a builtin, to be thrown; `pos` is its position, 0 when unknown. */
export function fail(message: string, pos = 0): EvaluationError {
  return new EvaluationError("eval-error", message, pos);
}

/** Forces a list argument; throws a type error with `text` as its frame. */
export function listArgument(slot: Slot, text: string, pos = 0): Value {
  const value = forceAt(slot, pos);
  if (isList(value)) return value;
  throw addFrame(typeError("a list", value), pos, text);
}

/** Forces an attribute set argument; throws a type error with `text` as its frame. */
export function attrsArgument(slot: Slot, text: string, pos = 0): Value {
  const value = forceAt(slot, pos);
  if (isSet(value)) return value;
  throw addFrame(typeError("a set", value), pos, text);
}

function forced(
  slot: Slot,
  at: { readonly text: string; readonly pos: number; readonly wanted: string },
  check: (value: Value) => boolean,
): Value {
  try {
    const value = forceAt(slot, at.pos);
    if (check(value)) return value;
    throw typeError(at.wanted, value, at.pos);
  } catch (error) {
    throw at.text === "" ? error : addFrame(error, at.pos, at.text);
  }
}

const functor = intern("__functor");
const isCallable = (value: Value): boolean => isFunction(value) || (isSet(value) && attribute(value, functor) !== none);

/** Forces an integer argument; throws a type error with `text` as its frame. */
export function integerArgument(slot: Slot, text: string, pos = 0): Value {
  const known = peekSlot(slot);
  return isInteger(known) ? known : forced(slot, { text, pos, wanted: "an integer" }, isInteger);
}

/** Returns the number of an integer argument. */
export function intArgument(slot: Slot, text: string, pos = 0): number | bigint {
  return (slot & 1) === 1 ? slot >> 1 : integerOf(integerArgument(slot, text, pos));
}

/** Forces an argument that is an integer or a float; throws a type error with `text` as its frame. */
export function numberArgument(slot: Slot, text: string, pos = 0): Value {
  return forced(slot, { text, pos, wanted: "a float" }, isNumber);
}

/** Forces a boolean argument; throws a type error with `text` as its frame. */
export function boolArgument(slot: Slot, text: string, pos = 0): boolean {
  if (isBoolean(slot)) return slot === trueValue;
  return forced(slot, { text, pos, wanted: "a Boolean" }, isBoolean) === trueValue;
}

/** Forces a function argument; throws a type error with `text` as its frame. */
export function functionArgument(slot: Slot, text: string, pos = 0): Value {
  return forced(slot, { text, pos, wanted: "a function" }, isCallable);
}

/** Forces a string argument and keeps its context; throws a type error with `text` as its frame. */
export function stringArgument(slot: Slot, text: string, pos = 0): Value {
  if (isString(slot)) return slot as Value;
  return forced(slot, { text, pos, wanted: "a string" }, isString);
}

/** Returns the text of a string argument with any context. */
export function textArgument(slot: Slot, text: string, pos = 0): string {
  return stringText(stringArgument(slot, text, pos));
}

/** Forces a string argument that may not have context; throws a type error with `text` as its frame. */
export function nameArgument(slot: Slot, text: string, pos = 0): Value {
  let value: Value;
  try {
    value = forceAt(slot, pos);
  } catch (error) {
    throw text === "" ? error : addFrame(error, pos, text);
  }
  return plainString(value, pos, text);
}

/** Returns the text of a string argument that may not have context. */
export function plainArgument(slot: Slot, text: string, pos = 0): string {
  return stringText(nameArgument(slot, text, pos));
}

export function coercedArgument(slot: Slot, mode: number, text: string): Value {
  return coerceToString(slot, mode, text, 0);
}

/** Returns a required attribute, given by its name or symbol; error when it is missing. */
export function requiredAttr(attrs: Value, name: string | number, text: string): Slot {
  const symbol = typeof name === "string" ? intern(name) : name;
  const slot = attribute(attrs, symbol);
  if (slot !== none) return slot;
  throw addFrame(new EvaluationError("type-error", `attribute '${nameOf(symbol)}' missing`), 0, text);
}

/** Fails unless an experimental feature is enabled. */
export function requireFeature(name: string, reason = ""): void {
  if (host().mode.experimentalFeatures.includes(name)) return;
  throw fail(
    `experimental Nix feature '${name}' is disabled${reason === "" ? "" : ` (${reason})`}; add '--extra-experimental-features ${name}' to enable it`,
  );
}

/** The facts about builtins, one object for each definition: evaluators come and go, and the heap knows builtins by number. */
const known = new WeakMap<BuiltinDefinition, BuiltinInfo>();

export function makeBuiltin(name: string, definition: BuiltinDefinition): Value {
  let info = known.get(definition);
  if (info === undefined) {
    const { arity, call, untraced, strict } = definition;
    info = { name, arity, call, traced: untraced !== true, strict: strict === true };
    known.set(definition, info);
  }
  return makeBuiltinValue(info);
}
