/** The builtins on types of values and on arguments of functions. */
import { force, formalsOf } from "../code/interpret.ts";
import {
  bool,
  isBoolean,
  isFloat,
  isFunction,
  isList,
  isPath,
  isSet,
  isString,
  kind,
  kindOf,
  nullValue,
  type Value,
} from "../heap/memory.ts";
import { isInteger } from "../heap/number.ts";
import { emptySet, makeSet } from "../heap/set.ts";
import { makeString } from "../heap/string.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { type TypeName, typeName } from "../value/type.ts";
import type { BuiltinTable } from "./arguments.ts";

const typeStrings: Readonly<Record<TypeName, Value>> = {
  null: makeString("null"),
  bool: makeString("bool"),
  int: makeString("int"),
  float: makeString("float"),
  string: makeString("string"),
  path: makeString("path"),
  list: makeString("list"),
  set: makeString("set"),
  lambda: makeString("lambda"),
};

export const typeBuiltins: BuiltinTable = {
  typeOf: { arity: 1, call: (a) => typeStrings[typeName(force(a))] },
  isNull: { arity: 1, global: true, call: (a) => bool(force(a) === nullValue) },
  isFunction: { arity: 1, call: (a) => bool(isFunction(force(a))) },
  isInt: { arity: 1, call: (a) => bool(isInteger(force(a))) },
  isFloat: { arity: 1, call: (a) => bool(isFloat(force(a))) },
  isString: { arity: 1, call: (a) => bool(isString(force(a))) },
  isBool: { arity: 1, call: (a) => bool(isBoolean(force(a))) },
  isPath: { arity: 1, call: (a) => bool(isPath(force(a))) },
  isAttrs: { arity: 1, call: (a) => bool(isSet(force(a))) },
  isList: { arity: 1, call: (a) => bool(isList(force(a))) },
  functionArgs: {
    arity: 1,
    call: (a) => {
      const value = force(a);
      const found = kindOf(value);
      if (found === kind.builtin || found === kind.partialBuiltin) return emptySet;
      if (!isFunction(value)) throw new EvaluationError("type-error", "'functionArgs' requires a function");
      const formals = formalsOf(value);
      if (formals === undefined) return emptySet;
      return makeSet(
        formals.map((formal) => formal.symbol),
        formals.map((formal) => bool(formal.optional)),
        formals.map((formal) => formal.pos),
      );
    },
  },
};
