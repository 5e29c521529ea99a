/**
 * Values as text in the two forms of the reference: the one of messages, `nix eval` and the repl (`printValue`), and the
 * older one of `nix-instantiate --eval` (`printAmbiguous`). Forcing is the caller's business, given as a function.
 */
import { ints, symbolNames } from "../code/memory.ts";
import { showPosition } from "../code/source.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { formatFloat, quoteString } from "./text.ts";
import {
  Attrs,
  Builtin,
  blackHole,
  ContextString,
  done,
  Float,
  Lambda,
  PartialBuiltin,
  PartialLambda,
  Path,
  type Slot,
  shapeOf,
  Thunk,
  type Value,
} from "./value.ts";

const open = "\xc2\xab";
const close = "\xc2\xbb";

export interface PrintOptions {
  /** Forces what is printed; without it thunks show as such. */
  readonly force?: (slot: Slot) => Value;
  /** With `force`: the path of a derivation, or undefined when the set is none. */
  readonly derivationPath?: (attrs: Attrs) => string | undefined;
  readonly maxDepth: number;
  readonly maxAttrs: number;
  readonly maxItems: number;
  readonly maxStringLength: number;
  /** Spaces per level; 0 prints on one line. */
  readonly indent: number;
  readonly trackRepeated: boolean;
  /** Whether errors below the top become «error: …». */
  readonly showErrors: boolean;
}

const unlimited = Number.POSITIVE_INFINITY;

export const plainPrint: PrintOptions = {
  maxDepth: unlimited,
  maxAttrs: unlimited,
  maxItems: unlimited,
  maxStringLength: unlimited,
  indent: 0,
  trackRepeated: true,
  showErrors: false,
};

/** How values stand in error messages. */
const errorPrint: PrintOptions = {
  ...plainPrint,
  maxDepth: 10,
  maxAttrs: 10,
  maxItems: 10,
  maxStringLength: 1024,
};

const plainName = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/;
const reserved = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

function showAttrName(name: string): string {
  return plainName.test(name) && !reserved.has(name) ? name : quoteString(name);
}

function elided(count: number, one: string, many: string): string {
  return `${open}${count} ${count === 1 ? one : many} elided${close}`;
}

/** «lambda name @ place» and its relatives. */
function showFunction(value: Lambda | PartialLambda | Builtin | PartialBuiltin): string {
  if (value instanceof Builtin) return `${open}primop ${value.name}${close}`;
  if (value instanceof PartialBuiltin) return `${open}partially applied primop ${value.builtin.name}${close}`;
  const lambda = value instanceof Lambda ? value : value.lambda;
  const level = value instanceof Lambda ? 0 : value.args.length;
  const symbol = ints[lambda.node + 3]!;
  const name = symbol > 0 ? ` ${symbolNames[symbol - 1]}` : "";
  return `${open}lambda${name} @ ${showPosition(ints[lambda.node + 4 + level]!)}${close}`;
}

class Printer {
  private readonly options: PrintOptions;
  private readonly seen = new Set<object>();
  private attrsPrinted = 0;
  private itemsPrinted = 0;
  private indent = "";

  constructor(options: PrintOptions) {
    this.options = options;
  }

  print(slot: Slot, depth: number): string {
    const { force, showErrors } = this.options;
    if (force === undefined) return this.known(slot, depth);
    if (!showErrors || depth === 0) return this.known(force(slot), depth);
    try {
      return this.known(force(slot), depth);
    } catch (error) {
      if (!(error instanceof EvaluationError) || error.kind === "stack-overflow") throw error;
      return `${open}error: ${error.message}${close}`;
    }
  }

  private known(slot: Slot, depth: number): string {
    let value: Value;
    if (slot instanceof Thunk) {
      if (slot.code === blackHole) return `${open}potential infinite recursion${close}`;
      if (slot.code !== done) return `${open}thunk${close}`;
      value = slot.value as Value;
    } else value = slot;
    switch (typeof value) {
      case "string":
        return quoteString(value, this.options.maxStringLength);
      case "number":
      case "bigint":
      case "boolean":
        return String(value);
      default:
    }
    if (value === null) return "null";
    if (value instanceof Float) return formatFloat(value.value);
    if (value instanceof Path) return value.path;
    if (value instanceof ContextString) return quoteString(value.text, this.options.maxStringLength);
    if (value instanceof Attrs) return this.attrs(value, depth);
    if (Array.isArray(value)) return this.list(value, depth);
    return showFunction(value);
  }

  private repeated(object: object): boolean {
    if (!this.options.trackRepeated) return false;
    if (this.seen.has(object)) return true;
    this.seen.add(object);
    return false;
  }

  /** Whether the items go on lines of their own: more than one, or one that is itself a collection. */
  private spread(slots: readonly Slot[]): boolean {
    if (this.options.indent === 0 || slots.length === 0) return false;
    if (slots.length > 1) return true;
    const { force } = this.options;
    const only = slots[0]!;
    const value = force === undefined ? only : force(only);
    return value instanceof Attrs || Array.isArray(value) || value instanceof Thunk;
  }

  private space(spread: boolean): string {
    return spread ? `\n${this.indent}` : " ";
  }

  private attrs(attrs: Attrs, depth: number): string {
    if (this.repeated(attrs.values.length === 0 && attrs.shape !== null ? attrs.values : attrs)) {
      return `${open}repeated${close}`;
    }
    const { derivationPath, force, maxDepth, maxAttrs, indent } = this.options;
    if (force !== undefined && derivationPath !== undefined) {
      const path = derivationPath(attrs);
      if (path !== undefined) return `${open}derivation${path === "" ? "" : ` ${path}`}${close}`;
    }
    if (depth >= maxDepth) return "{ ... }";
    const outer = this.indent;
    this.indent += " ".repeat(indent);
    const shape = shapeOf(attrs);
    const order = [...shape.order()];
    const nameAt = (index: number) => symbolNames[shape.keys[index]!]!;
    if (maxAttrs !== unlimited) {
      const important = (index: number) => (nameAt(index) === "type" || nameAt(index) === "_type" ? 0 : 1);
      order.sort((a, b) => important(a) - important(b));
    }
    const spread = this.spread(order.map((index) => attrs.values[index]!));
    let out = "{";
    let printed = 0;
    for (const index of order) {
      out += this.space(spread);
      if (this.attrsPrinted >= maxAttrs) {
        out += elided(order.length - printed, "attribute", "attributes");
        break;
      }
      out += `${showAttrName(nameAt(index))} = ${this.print(attrs.values[index]!, depth + 1)};`;
      this.attrsPrinted++;
      printed++;
    }
    this.indent = outer;
    return `${out}${this.space(spread)}}`;
  }

  private list(list: readonly Slot[], depth: number): string {
    if (list.length > 0 && this.repeated(list)) return `${open}repeated${close}`;
    const { maxDepth, maxItems, indent } = this.options;
    if (depth >= maxDepth) return "[ ... ]";
    const outer = this.indent;
    this.indent += " ".repeat(indent);
    const spread = this.spread(list);
    let out = "[";
    let printed = 0;
    for (const item of list) {
      out += this.space(spread);
      if (this.itemsPrinted >= maxItems) {
        out += elided(list.length - printed, "item", "items");
        break;
      }
      out += this.print(item, depth + 1);
      this.itemsPrinted++;
      printed++;
    }
    this.indent = outer;
    return `${out}${this.space(spread)}]`;
  }
}

export function printValue(slot: Slot, options: PrintOptions): string {
  return new Printer(options).print(slot, 0);
}

/** A value inside an error message. */
export function showValue(slot: Slot): string {
  return printValue(slot, errorPrint);
}

const maxPrintDepth = 10000;

/** The form of `nix-instantiate --eval`; nothing is forced. */
export function printAmbiguous(slot: Slot, seen: Set<object> = new Set(), depth = 0): string {
  if (depth > maxPrintDepth) throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded");
  let value: Value;
  if (slot instanceof Thunk) {
    if (slot.code === blackHole) return `${open}potential infinite recursion${close}`;
    if (slot.code !== done) return "<CODE>";
    value = slot.value as Value;
  } else value = slot;
  if (value instanceof Attrs) {
    const shape = shapeOf(value);
    if (shape.size > 0) {
      if (seen.has(value.values)) return `${open}repeated${close}`;
      seen.add(value.values);
    }
    const parts: string[] = [];
    for (const index of shape.order()) {
      const name = showIdentifierName(symbolNames[shape.keys[index]!]!);
      parts.push(`${name} = ${printAmbiguous(value.values[index]!, seen, depth + 1)}; `);
    }
    return `{ ${parts.join("")}}`;
  }
  if (Array.isArray(value)) {
    if (value.length > 0) {
      // A list is known by the slot that holds it, as upstream; a set by its bindings.
      const holder = slot instanceof Thunk ? slot : value;
      if (seen.has(holder)) return `${open}repeated${close}`;
      seen.add(holder);
    }
    return `[ ${value.map((item) => `${printAmbiguous(item, seen, depth + 1)} `).join("")}]`;
  }
  if (value instanceof Lambda || value instanceof PartialLambda) return "<LAMBDA>";
  if (value instanceof Builtin) return "<PRIMOP>";
  if (value instanceof PartialBuiltin) return "<PRIMOP-APP>";
  return printValue(value, plainPrint);
}

/** As names stand in code: unlike `showAttrName`, the empty name and reserved words are the only special ones. */
function showIdentifierName(name: string): string {
  if (name === "") return '""';
  if (reserved.has(name)) return `"${name}"`;
  return plainName.test(name) ? name : quoteString(name);
}
