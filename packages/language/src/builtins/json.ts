/** JSON in both directions. */
import {
  canonicalPath,
  describeJsonError,
  FirnError,
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  parseJson,
  quoteJson,
} from "@firn/formats";
import {
  call,
  coerceToString,
  contextOfString,
  copyPath,
  enterCall,
  forceAt,
  leaveCall,
  makeString,
  positionOfValue,
  textOfString,
  toInt,
} from "../code/interpret.ts";
import { intern, symbolNames } from "../code/memory.ts";
import { showIdentifier } from "../syntax/print.ts";
import { type Context, mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { formatJsonFloat } from "../value/text.ts";
import {
  Attrs,
  ContextString,
  emptyAttrs,
  Float,
  isList,
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

/** Returns the index of the first byte that is not part of well-formed UTF-8, or -1. */
function firstInvalidByte(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const lead = text.charCodeAt(i);
    if (lead < 0x80) continue;
    const more =
      lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
    if (more === 0) return i;
    for (let k = 1; k <= more; k++) {
      const byte = text.charCodeAt(i + k);
      let low = 0x80;
      let high = 0xbf;
      if (k === 1) {
        if (lead === 0xe0) low = 0xa0;
        if (lead === 0xed) high = 0x9f;
        if (lead === 0xf0) low = 0x90;
        if (lead === 0xf4) high = 0x8f;
      }
      if (!(byte >= low && byte <= high)) return Math.min(i + k, text.length - 1);
    }
    i += more;
  }
  return -1;
}

/** Writes values as JSON and collects their context. */
export class JsonWriter {
  context: Context | null = null;
  private readonly copyPaths: boolean;

  constructor(copyPaths: boolean) {
    this.copyPaths = copyPaths;
  }

  private string(value: string | ContextString): string {
    this.context = mergeContexts(this.context, contextOfString(value));
    const text = textOfString(value);
    const bad = firstInvalidByte(text);
    if (bad >= 0) {
      const byte = text.charCodeAt(bad).toString(16).toUpperCase().padStart(2, "0");
      throw fail(
        `JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index ${bad}: 0x${byte}`,
      );
    }
    return quoteJson(text);
  }

  write(slot: Slot, pos: number): string {
    enterCall(pos);
    const text = this.forced(forceAt(slot, pos), pos);
    leaveCall();
    return text;
  }

  private forced(value: Value, pos: number): string {
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
    if (isList(value)) return this.list(value, pos);
    if (value instanceof Attrs) return this.attrs(value, pos);
    throw new EvaluationError("type-error", `cannot convert ${showType(value)} to JSON`, positionOfValue(value) || pos);
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
        parts.push(`${quoteJson(name)}:${this.write(attrs[index]!, attrs.positionOf(shape.keys[index]!))}`);
      } catch (error) {
        throw addFrame(
          error,
          attrs.positionOf(shape.keys[index]!),
          `while evaluating attribute '${showIdentifier(name)}'`,
        );
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
  const value = Number(text);
  if (!Number.isFinite(value)) {
    const message = `[json.exception.out_of_range.406] number overflow parsing '${text}'`;
    throw addFrame(new EvaluationError("eval-error", message), 0, "while decoding a JSON string");
  }
  return new Float(value);
}

function noNul(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  throw fail(`input string '${shown}' cannot be represented as Nix string because it contains null bytes`);
}

function fromJson(value: JsonValue): Value {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return noNul(value);
  if (isJsonNumber(value)) return numberValue(value.number);
  if (isJsonObject(value)) {
    if (value.size === 0) return emptyAttrs;
    const symbols: number[] = [];
    const values: Slot[] = [];
    for (const [name, member] of value) {
      symbols.push(intern(noNul(name)));
      values.push(fromJson(member));
    }
    return makeAttrs(symbols, values, null);
  }
  return value.map(fromJson);
}

const maxJsonDepth = 50_000;

function badJson(message: string): unknown {
  return addFrame(new EvaluationError("eval-error", message), 0, "while decoding a JSON string");
}

/** Returns the JSON text of a value, without its context. */
export function jsonTextOf(value: Slot): string {
  return new JsonWriter(true).write(value, 0);
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
        parsed = parseJson(text, maxJsonDepth);
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        throw badJson(describeJsonError(text) ?? error.message);
      }
      if (firstInvalidByte(text) >= 0) {
        const message = describeJsonError(text);
        if (message !== undefined) throw badJson(message);
      }
      return fromJson(parsed);
    },
  },
};
