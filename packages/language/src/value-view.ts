/**
 * Values of the language as JavaScript sees them: lazily, one layer at a time. A view evaluates only the parts that are
 * requested; strings are ordinary JavaScript strings; integers are numbers while safe and BigInt beyond.
 */

import { byteStringOf, FirnError, textOf } from "@firn/formats";
import type { Evaluator } from "./evaluator.ts";
import { elementAt, elementsOf, listLength, makeList } from "./heap/list.ts";
import { bool, isSet, kind, kindOf, nullValue, type Slot, trueValue, type Value } from "./heap/memory.ts";
import { integerOf, makeFloat, makeInteger, makeLargeInteger, numberOf } from "./heap/number.ts";
import { pathText } from "./heap/path.ts";
import { setOf } from "./heap/set.ts";
import { makeString } from "./heap/string.ts";
import { holdEverything } from "./heap/tables.ts";
import type { ContextElement } from "./host.ts";

/** One evaluated value; `kind` is the language's name of its type. */
export type ValueView =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | StringView
  | { readonly kind: "path"; readonly value: string }
  | ListView
  | SetView
  | FunctionView;

/** A string. Invalid UTF-8 in it shows as U+FFFD in `value`; `bytes` has one char per byte. */
export interface StringView {
  readonly kind: "string";
  readonly value: string;
  readonly bytes: string;
  /** The store paths that it refers to. */
  readonly context: readonly ContextElement[];
}

/** A list; its elements are evaluated on request. */
export interface ListView extends Iterable<ValueView> {
  readonly kind: "list";
  readonly length: number;
  /** Returns element `index`, evaluated; undefined outside the list. */
  at(index: number): ValueView | undefined;
}

/** An attribute set; its values are evaluated on request. */
export interface SetView extends Iterable<readonly [string, ValueView]> {
  readonly kind: "set";
  /** Returns names in byte order. */
  names(): string[];
  has(name: string): boolean;
  /** Returns the value of an attribute, evaluated; undefined when there is none. */
  get(name: string): ValueView | undefined;
}

/** A function, or a builtin. */
export interface FunctionView {
  readonly kind: "function";
  /** Names in its set pattern, each with a flag that is true for those with a default; undefined for `x: …`. */
  readonly parameters: Readonly<Record<string, boolean>> | undefined;
  /** Calls the function with one or more arguments and evaluates the result. */
  call(...args: readonly JsInput[]): ValueView;
}

/** An argument of functions: plain JavaScript data, and views. Numbers are integers when they are whole and safe. */
export type JsInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsInput[]
  | ValueView
  | { readonly [name: string]: JsInput };

const values = new WeakMap<object, Value>();
const kinds = ["null", "bool", "int", "float", "string", "path", "list", "set", "function"];

/** Evaluates a slot of an evaluator and returns its view. Fails with the FirnError of the evaluation. */
export function viewOf(evaluator: Evaluator, slot: Slot): ValueView {
  const value = evaluator.force(slot);
  const view = makeView(evaluator, value);
  values.set(view, value);
  // Views come by the thousand, and most hold values that nothing else holds.
  holdEverything();
  return view;
}

function makeView(evaluator: Evaluator, value: Value): ValueView {
  if ((value & 1) === 1) return { kind: "int", value: value >> 1 };
  if ((value & 7) === 4) {
    const { text, context } = evaluator.stringOf(value);
    return { kind: "string", value: textOf(text), bytes: text, context };
  }
  if (isSet(value)) return setView(evaluator, value);
  switch (kindOf(value)) {
    case kind.null:
      return { kind: "null" };
    case kind.boolean:
      return { kind: "bool", value: value === trueValue };
    case kind.integer:
      return { kind: "int", value: integerOf(value) };
    case kind.float:
      return { kind: "float", value: numberOf(value) };
    case kind.path:
      return { kind: "path", value: textOf(pathText(value)) };
    case kind.list:
      return listView(evaluator, value);
    default:
      return {
        kind: "function",
        parameters: evaluator.formals(value),
        call: (...args) => viewOf(evaluator, evaluator.call(value, ...args.map(fromJs))),
      };
  }
}

function listView(evaluator: Evaluator, list: Value): ListView {
  const at = (index: number) => {
    const inside = Number.isInteger(index) && index >= 0 && index < listLength(list);
    return inside ? viewOf(evaluator, elementAt(list, index)) : undefined;
  };
  return {
    kind: "list",
    length: listLength(list),
    at,
    *[Symbol.iterator]() {
      for (const slot of elementsOf(list)) yield viewOf(evaluator, slot);
    },
  };
}

function setView(evaluator: Evaluator, attrs: Value): SetView {
  const slotOf = (name: string) => evaluator.attribute(attrs, byteStringOf(name));
  return {
    kind: "set",
    names: () => evaluator.attrNames(attrs).map(textOf),
    has: (name) => slotOf(name) !== undefined,
    get(name) {
      const slot = slotOf(name);
      return slot === undefined ? undefined : viewOf(evaluator, slot);
    },
    *[Symbol.iterator]() {
      for (const name of evaluator.attrNames(attrs)) {
        yield [textOf(name), viewOf(evaluator, evaluator.attribute(attrs, name)!)] as const;
      }
    },
  };
}

function isView(input: object): input is ValueView {
  return "kind" in input && kinds.includes(String(input.kind)) && values.has(input);
}

/** Makes a value of the language from JavaScript data. Errors: `bad-input` for data that has no such value. */
export function fromJs(input: JsInput): Slot {
  switch (typeof input) {
    case "boolean":
      return bool(input);
    case "string":
      return makeString(byteStringOf(input));
    case "number":
      return Number.isSafeInteger(input) && !Object.is(input, -0) ? makeInteger(input) : makeFloat(input);
    case "bigint": {
      const value = makeLargeInteger(input);
      if (value === undefined) throw new FirnError("bad-input", `${input} does not fit the language's 64-bit integers`);
      return value;
    }
    default:
  }
  if (input === null) return nullValue;
  if (typeof input !== "object") throw new FirnError("bad-input", `a ${typeof input} is not a value of the language`);
  if (isView(input)) return values.get(input)!;
  if (Array.isArray(input)) return makeList(input.map(fromJs));
  const members: Record<string, Slot> = Object.create(null);
  for (const [name, member] of Object.entries(input)) members[byteStringOf(name)] = fromJs(member);
  return setOf(members);
}

/** Plain data: sets are objects without a prototype, so that any name is safe. */
export type PlainJs = null | boolean | number | bigint | string | PlainJs[] | { [name: string]: PlainJs };

/**
 * Evaluates a view with everything inside it and copies it to plain data; strings lose their context. Errors: `cyclic-value`
 * for a value that contains itself, `too-deep` beyond `maxDepth` levels (default 500), `bad-value` for functions.
 */
export function toPlain(view: ValueView, maxDepth = 500): PlainJs {
  const above = new Set<ValueView | Value>();
  const convert = (item: ValueView, depth: number): PlainJs => {
    switch (item.kind) {
      case "null":
        return null;
      case "bool":
      case "int":
      case "float":
      case "string":
      case "path":
        return item.value;
      case "function":
        throw new FirnError("bad-value", "cannot convert a function to plain data");
      case "list":
      case "set":
    }
    if (depth >= maxDepth) throw new FirnError("too-deep", `the value is nested more than ${maxDepth} levels deep`);
    const identity = values.get(item) ?? item;
    if (above.has(identity)) throw new FirnError("cyclic-value", "the value contains itself");
    above.add(identity);
    try {
      if (item.kind === "list") return Array.from(item, (element) => convert(element, depth + 1));
      const result: { [name: string]: PlainJs } = Object.create(null);
      for (const [name, member] of item) result[name] = convert(member, depth + 1);
      return result;
    } finally {
      above.delete(identity);
    }
  };
  return convert(view, 0);
}
