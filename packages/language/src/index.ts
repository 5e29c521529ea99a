/** The Nix language: parse and evaluate over an EvalHost. Pure; strings are byte strings. */
export type { BuiltinDefinition, BuiltinTable } from "./builtins/arguments.ts";
export {
  attrsArgument,
  boolArgument,
  fail,
  functionArgument,
  listArgument,
  plainArgument,
  stringArgument,
} from "./builtins/arguments.ts";
export { fetchedValue, finalTreeBuiltin } from "./builtins/fetch.ts";
export type { ArgumentData, ImageApplication } from "./builtins/image-application.ts";
export { fetchurlSource } from "./builtins/internal-sources.ts";
export { compileRegex, regexMistake, userRegex } from "./builtins/regex.ts";
export { parseAttrPath } from "./code/attr-path.ts";
export type { AutoArgs } from "./code/auto-call.ts";
export type { CallObserver } from "./code/call-observer.ts";
export { allObservers, callTrace, FlameGraph } from "./code/call-observers.ts";
export {
  Debugger,
  type DebuggerOptions,
  type DebugLevel,
  type DebugTraceStep,
  type StopAnswer,
  type StopReason,
} from "./code/debug.ts";
export { force as forceValue } from "./code/interpret.ts";
export type { Documentation } from "./documentation.ts";
export * from "./evaluator.ts";
export type { Collected } from "./heap/collect.ts";
export type { ImageSource } from "./heap/image.ts";
export { elementAt, elementsOf, listLength, makeList } from "./heap/list.ts";
export {
  bool,
  isBoolean,
  isList,
  isSet,
  isString,
  nullValue,
  type Slot,
  trueValue,
  type Value,
} from "./heap/memory.ts";
export { integerOf, isInteger, makeInt64 } from "./heap/number.ts";
export { makePath } from "./heap/path.ts";
export { membersOf, setOf } from "./heap/set.ts";
export { makeString, stringText } from "./heap/string.ts";
export { addHolder, type Marker } from "./heap/tables.ts";
export { shownPath, shownText, treeFact } from "./heap/tree-root.ts";
export * from "./host.ts";
export { type EvaluateOptions, evaluate, evaluateFile, parse } from "./library.ts";
export { createMemoryHost, type MemoryHost, type MemoryHostOptions } from "./memory-host.ts";
export type { MetaEntry, MetaValue, PackageOutput, PackageText } from "./packages.ts";
export { showIdentifier } from "./syntax/print.ts";
export { formatFloat, formatJsonFloat, quoteString } from "./value/text.ts";
export { showType, type TypeName, typeName } from "./value/type.ts";
export {
  type FunctionView,
  fromJs,
  type JsInput,
  type ListView,
  type PlainJs,
  type SetView,
  type StringView,
  toPlain,
  type ValueView,
  viewOf,
} from "./value-view.ts";
export type { AddedVariables, EnteredLine, Variables } from "./variables.ts";
