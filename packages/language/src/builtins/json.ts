/** JSON in both directions. */
import { FirnError, isJsonNumber, isJsonObject, type JsonValue, parseJson, quoteJson } from "@firn/formats";
import {
  call,
  coerceToString,
  contextOfString,
  copyPath,
  forceAt,
  makeString,
  positionOfValue,
  textOfString,
  toInt,
} from "../code/interpret.ts";
import { intern, symbolNames } from "../code/memory.ts";
import { canonicalPath } from "../syntax/path-text.ts";
import { showIdentifier } from "../syntax/print.ts";
import { type Context, mergeContexts } from "../value/context.ts";
import { addFrame, EvalError } from "../value/eval-error.ts";
import { formatJsonFloat } from "../value/text.ts";
import {
  Attrs,
  ContextString,
  emptyAttrs,
  Float,
  makeAttrs,
  Path,
  type Slot,
  shapeOf,
  showType,
  type Value,
} from "../value/value.ts";
import { type BuiltinTable, fail, plainArgument } from "./arguments.ts";

const toStringSymbol = intern("__toString");
const outPathSymbol = intern("outPath");

/** Writes values as JSON, gathering their context. */
export class JsonWriter {
  context: Context | null = null;
  private readonly copyPaths: boolean;

  constructor(copyPaths: boolean) {
    this.copyPaths = copyPaths;
  }

  private string(value: string | ContextString): string {
    this.context = mergeContexts(this.context, contextOfString(value));
    return quoteJson(textOfString(value));
  }

  write(slot: Slot, pos: number): string {
    const value = forceAt(slot, pos);
    switch (typeof value) {
      case "string":
        return this.string(value);
      case "number":
      case "bigint":
      case "boolean":
        return String(value);
      default:
    }
    if (value === null) return "null";
    if (value instanceof ContextString) return this.string(value);
    if (value instanceof Path) return this.string(this.copyPaths ? copyPath(value.path) : canonicalPath(value.path));
    if (value instanceof Float) return formatJsonFloat(value.value);
    if (Array.isArray(value)) return this.list(value, pos);
    if (value instanceof Attrs) return this.attrs(value, pos);
    throw new EvalError("type-error", `cannot convert ${showType(value)} to JSON`, positionOfValue(value) || pos);
  }

  private list(list: readonly Slot[], pos: number): string {
    const parts: string[] = [];
    for (let i = 0; i < list.length; i++) {
      try {
        parts.push(this.write(list[i]!, pos));
      } catch (error) {
        throw addFrame(error, pos, `while evaluating list element at index ${i}`);
      }
    }
    return `[${parts.join(",")}]`;
  }

  private attrs(attrs: Attrs, pos: number): string {
    const toText = attrs.get(toStringSymbol);
    if (toText !== undefined) {
      const result = call(forceAt(toText, pos), attrs, pos);
      return this.string(coerceToString(result, 0, "while evaluating the result of the `__toString` attribute", pos));
    }
    const outPath = attrs.get(outPathSymbol);
    if (outPath !== undefined) return this.write(outPath, attrs.positionOf(outPathSymbol));
    const shape = shapeOf(attrs);
    const parts: string[] = [];
    for (const index of shape.order()) {
      const name = symbolNames[shape.keys[index]!]!;
      try {
        parts.push(`${quoteJson(name)}:${this.write(attrs.values[index]!, shape.position(index))}`);
      } catch (error) {
        throw addFrame(error, shape.position(index), `while evaluating attribute '${showIdentifier(name)}'`);
      }
    }
    return `{${parts.join(",")}}`;
  }
}

const integerPattern = /^-?[0-9]+$/;

function numberValue(text: string): Value {
  if (integerPattern.test(text)) {
    const value = toInt(BigInt(text));
    if (value !== undefined) return value === 0 && text.startsWith("-") ? 0 : value;
    const big = BigInt(text);
    if (big > 0n && big < 18446744073709551616n) {
      throw fail(`unsigned json number ${text} outside of Nix integer range`);
    }
  }
  return new Float(Number(text));
}

function fromJson(value: JsonValue): Value {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (value.includes("\0")) {
      const shown = value.replaceAll("\0", "\xe2\x90\x80");
      throw fail(`input string '${shown}' cannot be represented as Nix string because it contains null bytes`);
    }
    return value;
  }
  if (isJsonNumber(value)) return numberValue(value.number);
  if (isJsonObject(value)) {
    if (value.size === 0) return emptyAttrs;
    const symbols: number[] = [];
    const values: Slot[] = [];
    for (const [name, member] of value) {
      symbols.push(intern(name));
      values.push(fromJson(member));
    }
    return makeAttrs(symbols, values, null);
  }
  return value.map(fromJson);
}

export const jsonBuiltins: BuiltinTable = {
  toJSON: {
    arity: 1,
    call: (a) => {
      const writer = new JsonWriter(true);
      const text = writer.write(a, 0);
      return makeString(text, writer.context);
    },
  },
  fromJSON: {
    arity: 1,
    call: (a) => {
      const text = plainArgument(a, "while evaluating the first argument passed to builtins.fromJSON");
      let parsed: JsonValue;
      try {
        parsed = parseJson(text);
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        throw addFrame(new EvalError("eval-error", error.message), 0, "while decoding a JSON string");
      }
      return fromJson(parsed);
    },
  },
};
