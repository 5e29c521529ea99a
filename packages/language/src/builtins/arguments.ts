/** Arguments of builtins: forced, checked, and refused in the reference's words. */
import {
  coerceToString,
  forceAt,
  host,
  plainString,
  type StringValue,
  textOfString,
  typeError,
} from "../code/interpret.ts";
import { intern } from "../code/memory.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import {
  Attrs,
  Builtin,
  ContextString,
  Float,
  isFunctionValue,
  isList,
  type List,
  PartialBuiltin,
  type Slot,
  type Value,
} from "../value/value.ts";

/** One builtin: its arity, its options and its function. */
export interface BuiltinDefinition {
  readonly arity: number;
  readonly call: (a: Slot, b: Slot, c: Slot) => Value;
  /** True when it is also visible without `builtins.`. */
  readonly global?: boolean;
  /** True for builtins for the embedder's own code (`Evaluator.internalBuiltin`), which expressions cannot name. */
  readonly internal?: boolean;
  /** True when errors get no "while calling" frame. */
  readonly untraced?: boolean;
}

/** Builtins by their name without `builtins.`. */
export type BuiltinTable = { readonly [name: string]: BuiltinDefinition };

/** Makes the error of a builtin, to be thrown; `pos` is its position, 0 when unknown. */
export function fail(message: string, pos = 0): EvaluationError {
  return new EvaluationError("eval-error", message, pos);
}

/** Forces a list argument; throws a type error with `text` as its frame. */
export function listArgument(slot: Slot, text: string, pos = 0): List {
  const value = forceAt(slot, pos);
  if (isList(value)) return value;
  throw addFrame(typeError("a list", value), pos, text);
}

/** Forces an attribute set argument; throws a type error with `text` as its frame. */
export function attrsArgument(slot: Slot, text: string, pos = 0): Attrs {
  const value = forceAt(slot, pos);
  if (value instanceof Attrs) return value;
  throw addFrame(typeError("a set", value), pos, text);
}

function forced<T extends Value>(
  slot: Slot,
  at: { readonly text: string; readonly pos: number; readonly wanted: string },
  check: (value: Value) => value is T,
): T {
  try {
    const value = forceAt(slot, at.pos);
    if (check(value)) return value;
    throw typeError(at.wanted, value, at.pos);
  } catch (error) {
    throw at.text === "" ? error : addFrame(error, at.pos, at.text);
  }
}

const isInt = (value: Value): value is number | bigint => typeof value === "number" || typeof value === "bigint";
const isFloat = (value: Value): value is number | bigint | Float => isInt(value) || value instanceof Float;
const isBool = (value: Value): value is boolean => typeof value === "boolean";
const isString = (value: Value): value is StringValue => typeof value === "string" || value instanceof ContextString;
const isCallable = (value: Value): value is Value =>
  isFunctionValue(value) || (value instanceof Attrs && value.get(functor) !== undefined);
const functor = intern("__functor");

/** Forces an integer argument; throws a type error with `text` as its frame. */
export function intArgument(slot: Slot, text: string, pos = 0): number | bigint {
  return forced(slot, { text, pos, wanted: "an integer" }, isInt);
}

export function floatArgument(slot: Slot, text: string, pos = 0): number | bigint | Float {
  return forced(slot, { text, pos, wanted: "a float" }, isFloat);
}

/** Forces a boolean argument; throws a type error with `text` as its frame. */
export function boolArgument(slot: Slot, text: string, pos = 0): boolean {
  return forced(slot, { text, pos, wanted: "a Boolean" }, isBool);
}

/** Forces a function argument; throws a type error with `text` as its frame. */
export function functionArgument(slot: Slot, text: string, pos = 0): Value {
  return forced(slot, { text, pos, wanted: "a function" }, isCallable);
}

/** Forces a string argument and keeps its context; throws a type error with `text` as its frame. */
export function stringArgument(slot: Slot, text: string, pos = 0): StringValue {
  return forced(slot, { text, pos, wanted: "a string" }, isString);
}

/** Returns the text of a string argument with any context. */
export function textArgument(slot: Slot, text: string, pos = 0): string {
  return textOfString(stringArgument(slot, text, pos));
}

/** Returns a string argument that may not have context. */
export function plainArgument(slot: Slot, text: string, pos = 0): string {
  let value: Value;
  try {
    value = forceAt(slot, pos);
  } catch (error) {
    throw text === "" ? error : addFrame(error, pos, text);
  }
  return plainString(value, pos, text);
}

export function coercedArgument(slot: Slot, mode: number, text: string): StringValue {
  return coerceToString(slot, mode, text, 0);
}

/** Returns a required attribute; error when it is missing. */
export function requiredAttr(attrs: Attrs, name: string, text: string): Slot {
  const slot = attrs.get(intern(name));
  if (slot !== undefined) return slot;
  throw addFrame(new EvaluationError("type-error", `attribute '${name}' missing`), 0, text);
}

/** Fails unless an experimental feature is enabled. */
export function requireFeature(name: string, reason = ""): void {
  if (host().mode.experimentalFeatures.includes(name)) return;
  throw fail(
    `experimental Nix feature '${name}' is disabled${reason === "" ? "" : ` (${reason})`}; add '--extra-experimental-features ${name}' to enable it`,
  );
}

export function makeBuiltin(name: string, definition: BuiltinDefinition): Builtin {
  return new Builtin(name, definition.arity, definition.call, definition.untraced !== true);
}

export function isBuiltinValue(value: Value): boolean {
  return value instanceof Builtin || value instanceof PartialBuiltin;
}
