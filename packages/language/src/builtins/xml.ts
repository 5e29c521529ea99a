/** Values as XML, for `toXML`. */
import { canonicalPath } from "@firn/formats";
import { argumentName } from "../code/argument-name.ts";
import {
  callDepth,
  evaluation,
  force,
  formalsOf,
  hasEllipsis,
  isDerivation,
  positionOfValue,
  restoreCallDepth,
} from "../code/interpret.ts";
import { lineAndColumn, sourceAt } from "../code/source.ts";
import { isFresh, partialCallee, partialCount } from "../heap/function.ts";
import { elementsOf } from "../heap/list.ts";
import { isSet, isString, kind, kindOf, none, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { integerOf, numberOf } from "../heap/number.ts";
import { pathText } from "../heap/path.ts";
import { attribute, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, orderedIndices } from "../heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { peekSlot } from "../heap/thunk.ts";
import { shownPath } from "../heap/tree-root.ts";
import { mergeContexts } from "../value/context.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { formatFloat } from "../value/text.ts";
import type { BuiltinTable } from "./arguments.ts";

const drvPathSymbol = intern("drvPath");
const outPathSymbol = intern("outPath");

export interface XmlOptions {
  /** True to force everything; otherwise unevaluated parts are marked. */
  readonly strict: boolean;
  /** True to add the places of definitions of attributes and functions. */
  readonly locations: boolean;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\n", "&#xA;");
}

class XmlWriter {
  context: ContextId = 0;
  /** Lines with the number of elements around them: a deep document is not written before it is known to end. */
  private readonly lines: (readonly [depth: number, text: string])[] = [];
  private depth = 0;
  private readonly seen = new Set<string>();
  private readonly options: XmlOptions;

  constructor(options: XmlOptions) {
    this.options = options;
  }

  private tag(name: string, attributes: readonly (readonly [string, string])[], end: string): void {
    const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const text = sorted.map(([key, value]) => ` ${key}="${escapeXml(value)}"`).join("");
    this.lines.push([this.depth, `<${name}${text}${end}>`]);
  }

  empty(name: string, ...attributes: (readonly [string, string])[]): void {
    this.tag(name, attributes, " /");
  }

  element(name: string, attributes: readonly (readonly [string, string])[], inside: () => void): void {
    this.tag(name, attributes, "");
    this.depth++;
    inside();
    this.depth--;
    this.lines.push([this.depth, `</${name}>`]);
  }

  /** Returns the document. */
  text(): string {
    const lines = this.lines.map(([depth, text]) => `${"  ".repeat(depth)}${text}\n`);
    return `<?xml version='1.0' encoding='utf-8'?>\n${lines.join("")}`;
  }

  private location(pos: number): (readonly [string, string])[] {
    const source = sourceAt(pos);
    if (!this.options.locations || source === undefined) return [];
    const { line, column } = lineAndColumn(pos);
    const place: (readonly [string, string])[] = [
      ["line", String(line)],
      ["column", String(column)],
    ];
    if (source.origin === "file") place.push(["path", shownPath(source.name)]);
    return place;
  }

  /** Writes a value that stands at `pos`, or nowhere; fails with `stack-overflow` when it is nested too deeply. */
  value(slot: Slot, pos = 0): void {
    const depth = callDepth();
    if (depth > evaluation().host.mode.maxCallDepth) {
      throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
    }
    restoreCallDepth(depth + 1);
    this.nested(slot);
    restoreCallDepth(depth);
  }

  private nested(slot: Slot): void {
    const value = this.options.strict ? force(slot) : peekSlot(slot);
    if (value === none || isFresh(value)) {
      this.empty("unevaluated");
      return;
    }
    this.known(value);
  }

  private known(value: Value): void {
    if ((value & 1) === 1) {
      this.empty("int", ["value", String(value >> 1)]);
      return;
    }
    if (isString(value)) {
      this.context = mergeContexts(this.context, contextIdOf(value));
      this.empty("string", ["value", stringText(value)]);
      return;
    }
    if (isSet(value)) {
      this.attrs(value);
      return;
    }
    switch (kindOf(value)) {
      case kind.null:
        this.empty("null");
        return;
      case kind.boolean:
        this.empty("bool", ["value", value === trueValue ? "true" : "false"]);
        return;
      case kind.integer:
        this.empty("int", ["value", String(integerOf(value))]);
        return;
      case kind.float:
        this.empty("float", ["value", formatFloat(numberOf(value))]);
        return;
      case kind.path:
        this.empty("path", ["value", canonicalPath(pathText(value))]);
        return;
      case kind.list:
        this.element("list", [], () => {
          for (const item of elementsOf(value)) this.value(item);
        });
        return;
      case kind.lambda:
        this.lambda(value, 0);
        return;
      case kind.partialLambda:
        this.lambda(partialCallee(value), partialCount(value));
        return;
      default:
        this.empty("unevaluated");
    }
  }

  private textOf(slot: Slot): string | undefined {
    if (slot === none) return undefined;
    const value = this.options.strict ? force(slot) : peekSlot(slot);
    return isString(value) ? stringText(value) : undefined;
  }

  private attrs(attrs: Value): void {
    if (!isDerivation(attrs)) {
      this.element("attrs", [], () => this.members(attrs));
      return;
    }
    const drvPath = this.textOf(attribute(attrs, drvPathSymbol));
    const outPath = this.textOf(attribute(attrs, outPathSymbol));
    const places: (readonly [string, string])[] = [];
    if (drvPath !== undefined) places.push(["drvPath", drvPath]);
    if (outPath !== undefined) places.push(["outPath", outPath]);
    this.element("derivation", places, () => {
      if (drvPath === undefined || drvPath === "" || this.seen.has(drvPath)) this.empty("repeated");
      else {
        this.seen.add(drvPath);
        this.members(attrs);
      }
    });
  }

  private members(attrs: Value): void {
    const shape = shapeOf(attrs);
    for (const index of orderedIndices(shape)) {
      const symbol = keyAt(shape, index);
      const pos = positionOf(attrs, symbol);
      const place = pos === 0 ? [] : this.location(pos);
      this.element("attr", [["name", nameOf(symbol)], ...place], () => {
        this.value(valueAt(attrs, index), pos);
      });
    }
  }

  /** Writes a function. */
  private lambda(lambda: Value, level: number): void {
    const pos = positionOfValue(lambda);
    const argument = argumentName(lambda, level);
    this.element("function", this.location(pos), () => {
      const formals = formalsOf(lambda);
      if (formals === undefined) {
        this.empty("varpat", ["name", argument ?? ""]);
        return;
      }
      const attributes: (readonly [string, string])[] = [];
      if (argument !== undefined) attributes.push(["name", argument]);
      if (hasEllipsis(lambda)) attributes.push(["ellipsis", "1"]);
      this.element("attrspat", attributes, () => {
        const names = formals.map((formal) => nameOf(formal.symbol)).sort();
        for (const name of names) this.empty("attr", ["name", name]);
      });
    });
  }
}

/** Returns a whole document, with the context of the strings in it. */
export function toXml(slot: Slot, options: XmlOptions): { text: string; context: ContextId } {
  const writer = new XmlWriter(options);
  writer.element("expr", [], () => writer.value(slot));
  return { text: writer.text(), context: writer.context };
}

export const xmlBuiltins: BuiltinTable = {
  toXML: {
    arity: 1,
    call: (a) => {
      const { text, context } = toXml(a, { strict: true, locations: false });
      return makeString(text, context);
    },
  },
};
