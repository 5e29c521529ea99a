/** Values as XML, for `toXML`. */
import { canonicalPath } from "@firn/formats";
import { argumentName } from "../code/argument-name.ts";
import { force, formalsOf, hasEllipsis, isDerivation, makeString, positionOfValue } from "../code/interpret.ts";
import { intern, symbolNames } from "../code/memory.ts";
import { lineAndColumn, sourceAt } from "../code/source.ts";
import { type Context, mergeContexts } from "../value/context.ts";
import { formatFloat } from "../value/text.ts";
import {
  Attrs,
  ContextString,
  Float,
  isList,
  Lambda,
  PartialLambda,
  Path,
  peekSlot,
  type Slot,
  shapeOf,
  type Value,
} from "../value/value.ts";
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
  out = "<?xml version='1.0' encoding='utf-8'?>\n";
  context: Context | null = null;
  private indent = "";
  private readonly seen = new Set<string>();
  private readonly options: XmlOptions;

  constructor(options: XmlOptions) {
    this.options = options;
  }

  private tag(name: string, attributes: readonly (readonly [string, string])[], end: string): void {
    const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const text = sorted.map(([key, value]) => ` ${key}="${escapeXml(value)}"`).join("");
    this.out += `${this.indent}<${name}${text}${end}>\n`;
  }

  empty(name: string, ...attributes: (readonly [string, string])[]): void {
    this.tag(name, attributes, " /");
  }

  element(name: string, attributes: readonly (readonly [string, string])[], inside: () => void): void {
    this.tag(name, attributes, "");
    const outer = this.indent;
    this.indent += "  ";
    inside();
    this.indent = outer;
    this.out += `${this.indent}</${name}>\n`;
  }

  private location(pos: number): (readonly [string, string])[] {
    const source = sourceAt(pos);
    if (!this.options.locations || source === undefined) return [];
    const { line, column } = lineAndColumn(pos);
    const place: (readonly [string, string])[] = [
      ["line", String(line)],
      ["column", String(column)],
    ];
    if (source.origin === "file") place.push(["path", source.name]);
    return place;
  }

  value(slot: Slot): void {
    const value = this.options.strict ? force(slot) : peekSlot(slot);
    if (value === undefined || (value instanceof Lambda && value.fresh)) {
      this.empty("unevaluated");
      return;
    }
    this.known(value);
  }

  private known(value: Value): void {
    switch (typeof value) {
      case "string":
        this.empty("string", ["value", value]);
        return;
      case "number":
      case "bigint":
        this.empty("int", ["value", String(value)]);
        return;
      case "boolean":
        this.empty("bool", ["value", String(value)]);
        return;
      default:
    }
    if (value === null) this.empty("null");
    else if (value instanceof ContextString) {
      this.context = mergeContexts(this.context, value.context);
      this.empty("string", ["value", value.text]);
    } else if (value instanceof Path) this.empty("path", ["value", canonicalPath(value.path)]);
    else if (value instanceof Float) this.empty("float", ["value", formatFloat(value.value)]);
    else if (isList(value)) {
      this.element("list", [], () => {
        for (const item of value) this.value(item);
      });
    } else if (value instanceof Attrs) this.attrs(value);
    else if (value instanceof Lambda) this.lambda(value, 0);
    else if (value instanceof PartialLambda) this.lambda(value.lambda, value.args.length);
    else this.empty("unevaluated");
  }

  private text(slot: Slot | undefined): string | undefined {
    if (slot === undefined) return undefined;
    const value = this.options.strict ? force(slot) : peekSlot(slot);
    if (typeof value === "string") return value;
    return value instanceof ContextString ? value.text : undefined;
  }

  private attrs(attrs: Attrs): void {
    if (!isDerivation(attrs)) {
      this.element("attrs", [], () => this.members(attrs));
      return;
    }
    const drvPath = this.text(attrs.get(drvPathSymbol));
    const outPath = this.text(attrs.get(outPathSymbol));
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

  private members(attrs: Attrs): void {
    const shape = shapeOf(attrs);
    for (const index of shape.order()) {
      const pos = attrs.positionOf(shape.keys[index]!);
      const place = pos === 0 ? [] : this.location(pos);
      this.element("attr", [["name", symbolNames[shape.keys[index]!]!], ...place], () => {
        this.value(attrs[index]!);
      });
    }
  }

  /** Writes a function. */
  private lambda(lambda: Lambda, level: number): void {
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
        const names = formals.map((formal) => symbolNames[formal.symbol]!).sort();
        for (const name of names) this.empty("attr", ["name", name]);
      });
    });
  }
}

/** Returns a whole document, with the context of the strings in it. */
export function toXml(slot: Slot, options: XmlOptions): { text: string; context: Context | null } {
  const writer = new XmlWriter(options);
  writer.element("expr", [], () => writer.value(slot));
  return { text: writer.out, context: writer.context };
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
