/** Reads JSON from the bytes of a string in the heap; values are made as they are read. */

import { byteStringOf, describeJsonError, jsonEscapes } from "@firn/formats";
import { allocateList, firstElement } from "../heap/list.ts";
import { falseValue, heap, heapBytes, nullValue, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { makeFloat, makeInteger, makeLargeInteger } from "../heap/number.ts";
import { emptySet, makeSet } from "../heap/set.ts";
import { bytesText, copyOfBytes, makeString, startOf, stringLength, stringText } from "../heap/string.ts";
import { intern, symbolOfBytes } from "../heap/symbol.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { fail } from "./arguments.ts";
import { firstInvalidByte } from "./json-writer.ts";

const maxDepth = 50_000;
/** Digits that are surely a number of the engine without loss. */
const exactDigits = 15;

const integerPattern = /^-?[0-9]+$/;

function numberValue(text: string): Value {
  if (integerPattern.test(text)) {
    const value = makeLargeInteger(BigInt(text));
    if (value !== undefined) return value;
    const big = BigInt(text);
    if (big > 0n && big < 18446744073709551616n) {
      throw fail(`unsigned json number ${text} outside of Nix integer range`);
    }
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw badJson(`[json.exception.out_of_range.406] number overflow parsing '${text}'`);
  return makeFloat(value);
}

function noNul(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  throw fail(`input string '${shown}' cannot be represented as Nix string because it contains null bytes`);
}

function badJson(message: string): unknown {
  return addFrame(new EvaluationError("eval-error", message), 0, "while decoding a JSON string");
}

const bytes = heapBytes;
const quote = 34;
const backslash = 92;

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

class JsonReader {
  private readonly text: Value;
  private readonly start: number;
  private readonly end: number;
  private at: number;
  /** The values of lists and objects that have not ended. */
  private readonly waiting: Slot[] = [];
  private readonly names: number[] = [];

  constructor(text: Value) {
    this.text = text;
    this.start = startOf(text);
    this.end = this.start + stringLength(text);
    this.at = this.start;
  }

  read(): Value {
    const value = this.value(0);
    this.space();
    if (this.at !== this.end) this.fail("trailing characters");
    return value;
  }

  private fail(what: string): never {
    throw badJson(describeJsonError(stringText(this.text)) ?? `${what} at byte ${this.at - this.start} of JSON text`);
  }

  /** Returns the next byte, 0 at the end. */
  private next(): number {
    return this.at < this.end ? bytes[this.at]! : 0;
  }

  private space(): void {
    for (;;) {
      const byte = this.next();
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return;
      this.at++;
    }
  }

  private word(text: string, value: Value): Value {
    for (let i = 0; i < text.length; i++)
      if (this.next() === text.charCodeAt(i)) this.at++;
      else this.fail(`expected '${text}'`);
    return value;
  }

  private value(depth: number): Value {
    if (depth > maxDepth) this.fail("nested too deeply");
    this.space();
    switch (this.next()) {
      case 123:
        return this.object(depth);
      case 91:
        return this.list(depth);
      case quote: {
        const length = this.plainLength();
        if (length < 0) return makeString(noNul(this.escapedString()));
        const from = this.at + 1;
        this.at = from + length + 1;
        return copyOfBytes(from, length);
      }
      case 116:
        return this.word("true", trueValue);
      case 102:
        return this.word("false", falseValue);
      case 110:
        return this.word("null", nullValue);
      default:
        return this.number();
    }
  }

  private number(): Value {
    const start = this.at;
    const isNegative = this.next() === 45;
    if (isNegative) this.at++;
    const first = this.at;
    let value = 0;
    if (this.next() === 48) this.at++;
    else {
      for (let byte = this.next(); isDigit(byte); byte = this.next()) {
        value = 10 * value + byte - 48;
        this.at++;
      }
      if (this.at === first) this.fail("unexpected character");
    }
    const isInteger = this.fraction();
    if (isInteger && this.at - first <= exactDigits) return makeInteger(isNegative ? 0 - value : value);
    return numberValue(bytesText(start, this.at - start));
  }

  /** Reads what follows the whole part of a number; returns false when there is anything. */
  private fraction(): boolean {
    const start = this.at;
    if (this.next() === 46) {
      this.at++;
      this.digits();
    }
    if (this.next() === 101 || this.next() === 69) {
      this.at++;
      if (this.next() === 43 || this.next() === 45) this.at++;
      this.digits();
    }
    return this.at === start;
  }

  private digits(): void {
    if (!isDigit(this.next())) this.fail("expected a digit");
    while (isDigit(this.next())) this.at++;
  }

  /** Returns the length of the string that begins here, -1 when it has escapes. */
  private plainLength(): number {
    const start = this.at + 1;
    let isAscii = true;
    for (let at = start; at < this.end; at++) {
      const byte = bytes[at]!;
      if (byte === quote) {
        if (!isAscii && firstInvalidByte(bytesText(start, at - start)) >= 0) this.fail("invalid UTF-8");
        return at - start;
      }
      if (byte === backslash) return -1;
      if (byte < 32) this.fail("control character");
      if (byte > 127) isAscii = false;
    }
    this.fail("unterminated string");
  }

  private escapedString(): string {
    this.at++;
    let result = "";
    for (;;) {
      const start = this.at;
      while (this.next() >= 32 && this.next() !== quote && this.next() !== backslash) this.at++;
      const part = bytesText(start, this.at - start);
      if (firstInvalidByte(part) >= 0) this.fail("invalid UTF-8");
      result += part;
      const byte = this.next();
      if (byte === quote) {
        this.at++;
        return result;
      }
      if (byte !== backslash) this.fail("unterminated string or control character");
      this.at++;
      const letter = String.fromCharCode(this.next());
      this.at++;
      if (letter === "u") result += this.codePoint();
      else result += jsonEscapes[letter] ?? this.fail("bad escape");
    }
  }

  /** Reads the digits of an escape, and the escape of the other half when it is half of a character. */
  private codePoint(): string {
    let code = this.unit();
    if (code >= 0xd800 && code < 0xdc00 && this.next() === backslash && bytes[this.at + 1] === 117) {
      this.at += 2;
      const low = this.unit();
      if (low < 0xdc00 || low > 0xdfff) this.fail("lone surrogate");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xd800 && code <= 0xdfff) this.fail("lone surrogate");
    return byteStringOf(String.fromCodePoint(code));
  }

  private unit(): number {
    const digits = bytesText(this.at, Math.min(4, this.end - this.at));
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("bad escape");
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  private list(depth: number): Value {
    const base = this.waiting.length;
    this.at++;
    this.space();
    if (this.next() === 93) this.at++;
    else {
      do this.waiting.push(this.value(depth + 1));
      while (this.isFurther(93));
    }
    const length = this.waiting.length - base;
    const list = allocateList(length);
    const to = firstElement(list);
    for (let i = 0; i < length; i++) heap[to + i] = this.waiting[base + i]!;
    this.waiting.length = base;
    return list;
  }

  /** Reads a comma, or the bracket that ends a list or object. */
  private isFurther(bracket: number): boolean {
    this.space();
    const byte = this.next();
    if (byte !== 44 && byte !== bracket) this.fail("expected ','");
    this.at++;
    return byte === 44;
  }

  private object(depth: number): Value {
    const base = this.waiting.length;
    this.at++;
    this.space();
    if (this.next() === 125) {
      this.at++;
      return emptySet;
    }
    do {
      this.space();
      const symbol = this.name();
      this.space();
      if (this.next() !== 58) this.fail("expected ':'");
      this.at++;
      // Names and values end up side by side: what is in between of either has ended.
      const value = this.value(depth + 1);
      this.names.push(symbol);
      this.waiting.push(value);
    } while (this.isFurther(125));
    const count = this.waiting.length - base;
    const symbols = this.names.slice(this.names.length - count);
    const values = this.waiting.slice(base);
    this.waiting.length = base;
    this.names.length -= count;
    return setOfLast(symbols, values);
  }

  private name(): number {
    if (this.next() !== quote) this.fail("expected a name");
    const length = this.plainLength();
    if (length < 0) return intern(noNul(this.escapedString()));
    const from = this.at + 1;
    this.at = from + length + 1;
    return symbolOfBytes(from, length);
  }
}

const fewNames = 12;

/** Makes a set; of members with one name the last counts. */
function setOfLast(symbols: number[], values: Slot[]): Value {
  const count = symbols.length;
  if (count > fewNames) {
    const places = new Map(symbols.map((symbol, i) => [symbol, i]));
    if (places.size === count) return makeSet(symbols, values, null);
    return makeSet(
      [...places.keys()],
      [...places.values()].map((i) => values[i]!),
      null,
    );
  }
  for (let i = 1; i < symbols.length; i++) {
    const before = symbols.indexOf(symbols[i]!);
    if (before === i) continue;
    values[before] = values[i]!;
    symbols.splice(i, 1);
    values.splice(i, 1);
    i--;
  }
  return makeSet(symbols, values, null);
}

/** Returns the value that a JSON text stands for. Fails in the words of the reference's library. */
export function readJson(text: Value): Value {
  return new JsonReader(text).read();
}
