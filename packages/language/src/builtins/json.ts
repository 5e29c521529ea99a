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
import { call, coerceToString, copyPath, enterCall, forceAt, leaveCall, positionOfValue } from "../code/interpret.ts";
import { elementAt, listLength, makeList } from "../heap/list.ts";
import {
  bool,
  isSet,
  isString,
  kind,
  kindOf,
  none,
  nullValue,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, makeFloat, makeInteger, makeLargeInteger, numberOf } from "../heap/number.ts";
import { pathText, placedPathText } from "../heap/path.ts";
import { attribute, makeSet, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, orderedIndices } from "../heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { showIdentifier } from "../syntax/print.ts";
import { mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { formatJsonFloat } from "../value/text.ts";
import { showType } from "../value/type.ts";
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
  context: ContextId = 0;
  private readonly copyPaths: boolean;

  constructor(copyPaths: boolean) {
    this.copyPaths = copyPaths;
  }

  private string(value: Value): string {
    this.context = mergeContexts(this.context, contextIdOf(value));
    const text = stringText(value);
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
    if ((value & 1) === 1) return String(value >> 1);
    if (isString(value)) return this.string(value);
    if (isSet(value)) return this.attrs(value, pos);
    switch (kindOf(value)) {
      case kind.null:
        return "null";
      case kind.boolean:
        return value === trueValue ? "true" : "false";
      case kind.integer:
        return String(integerOf(value));
      case kind.float:
        return formatJsonFloat(numberOf(value));
      case kind.path:
        return this.string(
          this.copyPaths ? copyPath(placedPathText(value)) : makeString(canonicalPath(pathText(value))),
        );
      case kind.list:
        return this.list(value, pos);
      default:
        throw new EvaluationError(
          "type-error",
          `cannot convert ${showType(value)} to JSON`,
          positionOfValue(value) || pos,
        );
    }
  }

  private list(list: Value, pos: number): string {
    const parts: string[] = [];
    for (let i = 0; i < listLength(list); i++) {
      try {
        parts.push(this.write(elementAt(list, i), pos));
      } catch (error) {
        throw addFrame(error, pos, `while evaluating list element at index ${i}`);
      }
    }
    return `[${parts.join(",")}]`;
  }

  private attrs(attrs: Value, pos: number): string {
    const toText = attribute(attrs, toStringSymbol);
    if (toText !== none) {
      const result = call(forceAt(toText, pos), attrs, pos);
      return this.string(coerceToString(result, 0, "while evaluating the result of the `__toString` attribute", pos));
    }
    const outPath = attribute(attrs, outPathSymbol);
    if (outPath !== none) return this.write(outPath, positionOf(attrs, outPathSymbol));
    const shape = shapeOf(attrs);
    const parts: string[] = [];
    for (const index of orderedIndices(shape)) {
      const symbol = keyAt(shape, index);
      const name = nameOf(symbol);
      try {
        parts.push(`${quoteJson(name)}:${this.write(valueAt(attrs, index), positionOf(attrs, symbol))}`);
      } catch (error) {
        throw addFrame(error, positionOf(attrs, symbol), `while evaluating attribute '${showIdentifier(name)}'`);
      }
    }
    return `{${parts.join(",")}}`;
  }
}

const integerPattern = /^-?[0-9]+$/;

function numberValue(text: string): Value {
  if (integerPattern.test(text)) {
    const value = text.length < 16 ? makeInteger(Number(text) || 0) : makeLargeInteger(BigInt(text));
    if (value !== undefined) return value;
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
  return makeFloat(value);
}

function noNul(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  throw fail(`input string '${shown}' cannot be represented as Nix string because it contains null bytes`);
}

function fromJson(value: JsonValue): Value {
  if (value === null) return nullValue;
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "string") return makeString(noNul(value));
  if (isJsonNumber(value)) return numberValue(value.number);
  if (isJsonObject(value)) {
    const symbols: number[] = [];
    const values: Slot[] = [];
    for (const [name, member] of value) {
      symbols.push(intern(noNul(name)));
      values.push(fromJson(member));
    }
    return makeSet(symbols, values, null);
  }
  return makeList(value.map(fromJson));
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
