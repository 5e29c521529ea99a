/** The words for the types of values. */
import { builtinOf, partialCallee } from "../heap/function.ts";
import { falseValue, kind, kindOf, nullValue, trueValue, type Value } from "../heap/memory.ts";
import { contextIdOf } from "../heap/string.ts";

/** Returns the words for a value's type in messages ("a string", "the built-in function 'map'"). */
export function showType(value: Value): string {
  if ((value & 1) === 1) return "an integer";
  if ((value & 7) === 2) return "a set";
  if ((value & 7) === 4) return contextIdOf(value) === 0 ? "a string" : "a string with context";
  if (value === nullValue) return "null";
  if (value === trueValue || value === falseValue) return "a Boolean";
  switch (kindOf(value)) {
    case kind.integer:
      return "an integer";
    case kind.float:
      return "a float";
    case kind.path:
      return "a path";
    case kind.list:
      return "a list";
    case kind.builtin:
      return `the built-in function '${builtinOf(value).name}'`;
    case kind.partialBuiltin:
      return `the partially applied built-in function '${builtinOf(partialCallee(value)).name}'`;
    default:
      return "a function";
  }
}

/** The name of a forced value's type, as `builtins.typeOf` gives it. */
export type TypeName = "null" | "bool" | "int" | "float" | "string" | "path" | "list" | "set" | "lambda";

/** Returns the type of a forced value. */
export function typeName(value: Value): TypeName {
  if ((value & 1) === 1) return "int";
  if ((value & 7) === 2) return "set";
  if ((value & 7) === 4) return "string";
  switch (kindOf(value)) {
    case kind.null:
      return "null";
    case kind.boolean:
      return "bool";
    case kind.integer:
      return "int";
    case kind.float:
      return "float";
    case kind.path:
      return "path";
    case kind.list:
      return "list";
    default:
      return "lambda";
  }
}
