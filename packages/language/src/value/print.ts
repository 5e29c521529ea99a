/**
 * Values as text in the two forms of the reference: the one of messages, `nix eval` and the repl (`printValue`), and the
 * older one of `nix-instantiate --eval` (`printAmbiguous`). Values are forced by a function that the caller passes.
 */
import { ints } from "../code/memory.ts";
import { showPosition } from "../code/source.ts";
import { builtinOf, isFresh, lambdaNode, partialCallee, partialCount } from "../heap/function.ts";
import { elementsOf, listLength } from "../heap/list.ts";
import {
  heap,
  isList,
  isSet,
  isString,
  isThunk,
  kind,
  kindOf,
  none,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, numberOf } from "../heap/number.ts";
import { pathText } from "../heap/path.ts";
import { shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, orderedIndices, shapeSize } from "../heap/shape.ts";
import { stringText } from "../heap/string.ts";
import { nameOf } from "../heap/symbol.ts";
import { blackHole, done } from "../heap/thunk.ts";
import { factValue, shownText } from "../heap/tree-root.ts";
import { EvaluationError, isInterruption, wrapError } from "./evaluation-error.ts";
import { formatFloat, quoteString } from "./text.ts";

const open = "\xc2\xab";
const close = "\xc2\xbb";

/** Options of printing a value. */
export interface PrintOptions {
  /** Forces values that are printed; without it thunks show as such. */
  readonly force?: (slot: Slot) => Value;
  /** With `force`, returns the path of a derivation, or undefined when the set is none. */
  readonly derivationPath?: (set: Value) => string | undefined;
  readonly maxDepth: number;
  readonly maxAttrs: number;
  readonly maxItems: number;
  readonly maxStringLength: number;
  /** Spaces per level; 0 prints on one line. */
  readonly indent: number;
  readonly trackRepeated: boolean;
  /** True to print errors below the top as «error: …». */
  readonly showErrors: boolean;
  /** True to show the kind of values by terminal colours. */
  readonly colors?: boolean;
}

const maxPrintDepth = 10000;
const unlimited = Number.POSITIVE_INFINITY;

/** Options without limits, forcing or colours. */
export const plainPrint: PrintOptions = {
  maxDepth: unlimited,
  maxAttrs: unlimited,
  maxItems: unlimited,
  maxStringLength: unlimited,
  indent: 0,
  trackRepeated: true,
  showErrors: false,
};

/** Options of printing values in error messages. */
const errorPrint: PrintOptions = {
  ...plainPrint,
  maxDepth: 10,
  maxAttrs: 10,
  maxItems: 10,
  maxStringLength: 1024,
};

const plainName = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/;
const reserved = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

/** Returns an attribute's name as it is printed: quoted where needed. */
export function showAttrName(name: string): string {
  return plainName.test(name) && !reserved.has(name) ? name : quoteString(name);
}

function elided(count: number, one: string, many: string): string {
  return `${open}${count} ${count === 1 ? one : many} elided${close}`;
}

/** Returns «lambda name @ place» or a similar text. */
function showFunction(value: Value): string {
  switch (kindOf(value)) {
    case kind.builtin:
      return `${open}primop ${builtinOf(value).name}${close}`;
    case kind.partialBuiltin:
      return `${open}partially applied primop ${builtinOf(partialCallee(value)).name}${close}`;
    default: {
      const partial = kindOf(value) === kind.partialLambda;
      const node = lambdaNode(partial ? partialCallee(value) : value);
      const symbol = ints[node + 3]!;
      const name = symbol > 0 ? ` ${nameOf(symbol - 1)}` : "";
      return `${open}lambda${name} @ ${showPosition(ints[node + 4 + (partial ? partialCount(value) : 0)]!)}${close}`;
    }
  }
}

const normal = "\x1b[0m";
const red = "\x1b[31;1m";
const green = "\x1b[32;1m";
const blue = "\x1b[34;1m";
const magenta = "\x1b[35;1m";
const cyan = "\x1b[36;1m";
const faint = "\x1b[2m";

class Printer {
  private readonly options: PrintOptions;
  private readonly seen = new Set<Value>();
  private attrsPrinted = 0;
  private itemsPrinted = 0;
  private indent = "";
  /** Text written so far; it stays when printing fails. */
  text = "";

  constructor(options: PrintOptions) {
    this.options = options;
  }

  private write(text: string, color: string): void {
    this.text += this.options.colors === true ? color + text + normal : text;
  }

  print(slot: Slot, depth: number): void {
    const { force, showErrors } = this.options;
    if (force === undefined) {
      this.known(slot, depth);
      return;
    }
    if (depth > maxPrintDepth) throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded");
    if (!showErrors || depth === 0) {
      this.known(force(slot), depth);
      return;
    }
    const { indent } = this;
    try {
      this.known(force(slot), depth);
    } catch (error) {
      const wrapped = wrapError(error);
      if (!(wrapped instanceof EvaluationError) || wrapped.kind === "stack-overflow" || isInterruption(wrapped)) {
        throw wrapped;
      }
      this.indent = indent;
      this.write(`${open}error: ${shownText(wrapped.message).replace(/\x1b\[[0-9;]*m/g, "")}${close}`, red);
    }
  }

  private known(slot: Slot, depth: number): void {
    let value = slot as Value;
    if (isThunk(slot)) {
      const state = heap[slot >>> 2];
      if (state === blackHole) {
        this.write(`${open}potential infinite recursion${close}`, red);
        return;
      }
      value = state === done ? (heap[(slot >>> 2) + 1]! as Value) : factValue(slot);
      if (value === none) {
        this.write(`${open}thunk${close}`, magenta);
        return;
      }
    }
    if (isFresh(value) && depth > 0 && this.options.force === undefined) {
      this.write(`${open}thunk${close}`, magenta);
      return;
    }
    if ((value & 1) === 1) this.write(String(value >> 1), cyan);
    else if (isString(value)) this.string(stringText(value));
    else if (isSet(value)) this.attrs(value, depth);
    else this.record(value, depth);
  }

  private record(value: Value, depth: number): void {
    switch (kindOf(value)) {
      case kind.null:
        this.write("null", cyan);
        return;
      case kind.boolean:
        this.write(value === trueValue ? "true" : "false", cyan);
        return;
      case kind.integer:
        this.write(String(integerOf(value)), cyan);
        return;
      case kind.float:
        this.write(formatFloat(numberOf(value)), cyan);
        return;
      case kind.path:
        this.write(pathText(value), green);
        return;
      case kind.list:
        this.list(value, depth);
        return;
      default:
        this.write(showFunction(value), blue);
    }
  }

  private string(text: string): void {
    this.write(quoteString(text, this.options.maxStringLength), magenta);
  }

  private repeated(value: Value): boolean {
    if (!this.options.trackRepeated) return false;
    if (this.seen.has(value)) {
      this.write(`${open}repeated${close}`, magenta);
      return true;
    }
    this.seen.add(value);
    return false;
  }

  /** Tells whether the items go on lines of their own: more than one, or one that is itself a collection. */
  private spread(slots: readonly Slot[]): boolean {
    if (this.options.indent === 0 || slots.length === 0) return false;
    if (slots.length > 1) return true;
    const { force } = this.options;
    const only = slots[0]!;
    const value = force === undefined ? only : force(only);
    return isSet(value) || isList(value) || isThunk(value);
  }

  private space(spread: boolean): void {
    this.text += spread ? `\n${this.indent}` : " ";
  }

  private attrs(attrs: Value, depth: number): void {
    if (this.repeated(attrs)) return;
    const { derivationPath, force, maxDepth, maxAttrs, indent } = this.options;
    if (force !== undefined && derivationPath !== undefined) {
      const path = derivationPath(attrs);
      if (path !== undefined) {
        this.write(`${open}derivation${path === "" ? "" : ` ${path}`}${close}`, green);
        return;
      }
    }
    if (depth >= maxDepth) {
      this.text += "{ ... }";
      return;
    }
    const outer = this.indent;
    this.indent += " ".repeat(indent);
    this.text += "{";
    const shape = shapeOf(attrs);
    const order = orderedIndices(shape);
    const nameAt = (index: number) => nameOf(keyAt(shape, index));
    if (maxAttrs !== unlimited) {
      const important = (index: number) => (nameAt(index) === "type" || nameAt(index) === "_type" ? 0 : 1);
      order.sort((a, b) => important(a) - important(b));
    }
    const spread = this.spread(order.map((index) => valueAt(attrs, index)));
    let printed = 0;
    for (const index of order) {
      this.space(spread);
      if (this.attrsPrinted >= maxAttrs) {
        this.write(elided(order.length - printed, "attribute", "attributes"), faint);
        break;
      }
      this.text += `${showAttrName(nameAt(index))} = `;
      this.print(valueAt(attrs, index), depth + 1);
      this.text += ";";
      this.attrsPrinted++;
      printed++;
    }
    this.indent = outer;
    this.space(spread);
    this.text += "}";
  }

  private list(list: Value, depth: number): void {
    // Upstream knows a list by the place that holds it, and the outermost is held by none that could be met again.
    const items = elementsOf(list);
    if (items.length > 0 && depth > 0 && this.repeated(list)) return;
    const { maxDepth, maxItems, indent } = this.options;
    if (depth >= maxDepth) {
      this.text += "[ ... ]";
      return;
    }
    const outer = this.indent;
    this.indent += " ".repeat(indent);
    this.text += "[";
    const spread = this.spread(items);
    let printed = 0;
    for (const item of items) {
      this.space(spread);
      if (this.itemsPrinted >= maxItems) {
        this.write(elided(items.length - printed, "item", "items"), faint);
        break;
      }
      this.print(item, depth + 1);
      this.itemsPrinted++;
      printed++;
    }
    this.indent = outer;
    this.space(spread);
    this.text += "]";
  }
}

/** Prints a value in the form of messages, `nix eval` and the repl. Throws what forcing throws. */
export function printValue(slot: Slot, options: PrintOptions): string {
  const printer = new Printer(options);
  printer.print(slot, 0);
  return printer.text;
}

/** Prints a value until the first failure, which is returned beside the text written before it. */
export function printPartly(slot: Slot, options: PrintOptions): { readonly text: string; readonly error?: unknown } {
  const printer = new Printer(options);
  try {
    printer.print(slot, 0);
    return { text: printer.text };
  } catch (error) {
    return { text: printer.text, error };
  }
}

/** Prints a value for an error message. */
export function showValue(slot: Slot): string {
  return printValue(slot, errorPrint);
}

/** Prints a value in the form of `nix-instantiate --eval`; nothing is forced. */
export function printAmbiguous(slot: Slot, seen: Set<Slot> | null = new Set(), depth = 0): string {
  if (depth > maxPrintDepth) throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded");
  let value = slot as Value;
  if (isThunk(slot)) {
    const state = heap[slot >>> 2];
    if (state === blackHole) return `${open}potential infinite recursion${close}`;
    value = state === done ? (heap[(slot >>> 2) + 1]! as Value) : factValue(slot);
    if (value === none) return "<CODE>";
  }
  if (isSet(value)) {
    const shape = shapeOf(value);
    if (shapeSize(shape) > 0) {
      if (seen?.has(value) === true) return `${open}repeated${close}`;
      seen?.add(value);
    }
    const parts: string[] = [];
    for (const index of orderedIndices(shape)) {
      const name = showIdentifierName(nameOf(keyAt(shape, index)));
      parts.push(`${name} = ${printAmbiguous(valueAt(value, index), seen, depth + 1)}; `);
    }
    return `{ ${parts.join("")}}`;
  }
  if (isList(value)) {
    if (listLength(value) > 0) {
      // A list is known by the slot that holds it, as upstream; a set by its bindings.
      if (seen?.has(slot) === true) return `${open}repeated${close}`;
      seen?.add(slot);
    }
    return `[ ${elementsOf(value)
      .map((item) => `${printAmbiguous(item, seen, depth + 1)} `)
      .join("")}]`;
  }
  if (isFresh(value) && depth > 0) return "<CODE>";
  switch (kindOf(value)) {
    case kind.lambda:
    case kind.partialLambda:
      return "<LAMBDA>";
    case kind.builtin:
      return "<PRIMOP>";
    case kind.partialBuiltin:
      return "<PRIMOP-APP>";
    default:
      return printValue(value, plainPrint);
  }
}

/** Returns a name as it stands in code: unlike in `showAttrName`, the empty name and reserved words are the only special ones. */
function showIdentifierName(name: string): string {
  if (name === "") return '""';
  if (reserved.has(name)) return `"${name}"`;
  return plainName.test(name) ? name : quoteString(name);
}
