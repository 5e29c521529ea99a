/** The builtins on types of values and on arguments of functions. */
import { force, formalsOf } from "../code/interpret.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import {
  Attrs,
  ContextString,
  emptyAttrs,
  Float,
  isFunctionValue,
  isList,
  Lambda,
  makeAttrs,
  PartialLambda,
  Path,
  type Value,
} from "../value/value.ts";
import { type BuiltinTable, isBuiltinValue } from "./arguments.ts";

/** The name of a forced value's type, as `builtins.typeOf` gives it. */
export type TypeName = "null" | "bool" | "int" | "float" | "string" | "path" | "list" | "set" | "lambda";

/** Returns the type of a forced value. */
export function typeName(value: Value): TypeName {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
    case "bigint":
      return "int";
    case "boolean":
      return "bool";
    default:
  }
  if (value === null) return "null";
  if (value instanceof ContextString) return "string";
  if (value instanceof Attrs) return "set";
  if (isList(value)) return "list";
  if (value instanceof Path) return "path";
  if (value instanceof Float) return "float";
  return "lambda";
}

function isInt(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function isString(value: Value): boolean {
  return typeof value === "string" || value instanceof ContextString;
}

export const typeBuiltins: BuiltinTable = {
  typeOf: { arity: 1, call: (a) => typeName(force(a)) },
  isNull: { arity: 1, global: true, call: (a) => force(a) === null },
  isFunction: { arity: 1, call: (a) => isFunctionValue(force(a)) },
  isInt: { arity: 1, call: (a) => isInt(force(a)) },
  isFloat: { arity: 1, call: (a) => force(a) instanceof Float },
  isString: { arity: 1, call: (a) => isString(force(a)) },
  isBool: { arity: 1, call: (a) => typeof force(a) === "boolean" },
  isPath: { arity: 1, call: (a) => force(a) instanceof Path },
  isAttrs: { arity: 1, call: (a) => force(a) instanceof Attrs },
  isList: { arity: 1, call: (a) => isList(force(a)) },
  functionArgs: {
    arity: 1,
    call: (a) => {
      const value = force(a);
      if (isBuiltinValue(value)) return emptyAttrs;
      if (!(value instanceof Lambda || value instanceof PartialLambda)) {
        throw new EvaluationError("type-error", "'functionArgs' requires a function");
      }
      const formals = formalsOf(value);
      if (formals === undefined) return emptyAttrs;
      return makeAttrs(
        formals.map((formal) => formal.symbol),
        formals.map((formal) => formal.optional),
        formals.map((formal) => formal.pos),
      );
    },
  },
};
