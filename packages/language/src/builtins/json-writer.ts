/** Writes values as JSON: bytes, put together in a buffer beside the heap. */

import { byteString, canonicalPath } from "@firn/formats";
import { call, coerceToString, copyPath, enterCall, forceAt, leaveCall, positionOfValue } from "../code/interpret.ts";
import { largerBuffer, returnBuffer, takeBuffer } from "../heap/buffers.ts";
import { elementAt, listLength } from "../heap/list.ts";
import {
  type Address,
  heap,
  heapBytes,
  isSet,
  isString,
  kind,
  kindOf,
  none,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, numberOf } from "../heap/number.ts";
import { pathText, placedPathText } from "../heap/path.ts";
import { attribute, firstValue, flatSet, positionOf } from "../heap/set.ts";
import { keyAt, orderOf, shapeSize } from "../heap/shape.ts";
import {
  type ContextId,
  contextIdOf,
  makeString,
  makeStringOfBytes,
  startOf,
  stringLength,
  stringText,
} from "../heap/string.ts";
import { intern, nameOf, symbolString } from "../heap/symbol.ts";
import { showIdentifier } from "../syntax/print.ts";
import { mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { formatJsonFloat } from "../value/text.ts";
import { showType } from "../value/type.ts";
import { fail } from "./arguments.ts";

const toStringSymbol = intern("__toString");
const outPathSymbol = intern("outPath");

/** Returns the index of the first byte that is not part of well-formed UTF-8, or -1. */
export function firstInvalidByte(text: string): number {
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

const quote = 34;
const comma = 44;
const colon = 58;
const backslash = 92;

/** The needs of a byte of a string: nothing, an escape, or a look at the whole string for what is no UTF-8. */
const plain = 0;
const escaped = 1;
const high = 2;
const classes = new Uint8Array(256).fill(high, 128).fill(escaped, 0, 32);
classes[quote] = escaped;
classes[backslash] = escaped;

/** The letters of the short escapes, by byte. */
const letters = new Uint8Array(128);
for (const [byte, letter] of ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"]) {
  letters[byte!.charCodeAt(0)] = letter!.charCodeAt(0);
}
const hexadecimal = "0123456789abcdef";

/** The longest form of a byte. */
const longestEscape = 6;

/** Writes values as JSON and collects their context. */
export class JsonWriter {
  context: ContextId = 0;
  private readonly copyPaths: boolean;
  private bytes: Uint8Array;
  private length = 0;

  constructor(copyPaths: boolean) {
    this.copyPaths = copyPaths;
    this.bytes = takeBuffer(0);
  }

  /** Ends the writing and returns the text. */
  text(): string {
    const text = byteString(this.bytes.subarray(0, this.length));
    this.release();
    return text;
  }

  /** Ends the writing and returns the text as a value with its context. */
  value(): Value {
    const value = makeStringOfBytes(this.bytes, 0, this.length, this.context);
    this.release();
    return value;
  }

  private release(): void {
    returnBuffer(this.bytes);
    this.bytes = noBytes;
    this.length = 0;
  }

  /** Makes room for some bytes. */
  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    this.bytes = largerBuffer(this.bytes, this.length, this.length + count);
  }

  private byte(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Writes a text as it is. */
  raw(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length + i] = text.charCodeAt(i);
    this.length += text.length;
  }

  /** Writes the name of an attribute with its colon. */
  name(symbol: number): void {
    this.quoted(symbolString(symbol), false);
    this.bytes[this.length++] = colon;
  }

  private string(value: Value): void {
    const context = contextIdOf(value);
    if (context !== 0) this.context = mergeContexts(this.context, context);
    this.quoted(value, true);
  }

  /** Writes a string in quotes, and leaves room for a byte; one that is no UTF-8 is refused if it is `checked`. */
  private quoted(value: Value, checked: boolean): void {
    const length = stringLength(value);
    const start = startOf(value);
    const end = start + length;
    // Few bytes are written at their longest; of more it is found out.
    this.reserve(length < 256 ? longestEscape * length + 3 : length + 3);
    let { bytes } = this;
    let to = this.length;
    bytes[to++] = quote;
    let isChecked = !checked;
    for (let i = start; i < end; i++) {
      const byte = heapBytes[i]!;
      const found = classes[byte];
      if (found === plain) bytes[to++] = byte;
      else if (found === high) {
        if (!isChecked) checkString(value);
        isChecked = true;
        bytes[to++] = byte;
      } else {
        this.length = to;
        this.reserve(longestEscape + end - i + 2);
        bytes = this.bytes;
        bytes[to++] = backslash;
        const letter = letters[byte]!;
        if (letter !== 0) bytes[to++] = letter;
        else {
          bytes[to++] = 117; // u
          bytes[to++] = 48;
          bytes[to++] = 48;
          bytes[to++] = 48 + (byte >> 4);
          bytes[to++] = hexadecimal.charCodeAt(byte & 15);
        }
      }
    }
    bytes[to++] = quote;
    this.length = to;
  }

  /** Writes an integer of 31 bits. */
  private integer(value: number): void {
    this.reserve(11);
    const { bytes } = this;
    let rest = value;
    if (rest < 0) {
      bytes[this.length++] = 45;
      rest = -rest;
    }
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = 48 + rest - 10 * tenth;
      rest = tenth;
    }
    this.length += digits;
  }

  write(slot: Slot, pos: number): void {
    enterCall(pos);
    this.forced(forceAt(slot, pos), pos);
    leaveCall();
  }

  private forced(value: Value, pos: number): void {
    if ((value & 1) === 1) this.integer(value >> 1);
    else if (isString(value)) this.string(value);
    else if (isSet(value)) this.attrs(value, pos);
    else this.other(value, pos);
  }

  private other(value: Value, pos: number): void {
    switch (kindOf(value)) {
      case kind.null:
        this.raw("null");
        return;
      case kind.boolean:
        this.raw(value === trueValue ? "true" : "false");
        return;
      case kind.integer:
        this.raw(String(integerOf(value)));
        return;
      case kind.float:
        this.raw(formatJsonFloat(numberOf(value)));
        return;
      case kind.path:
        this.string(this.copyPaths ? copyPath(placedPathText(value)) : makeString(canonicalPath(pathText(value))));
        return;
      case kind.list:
        this.list(value, pos);
        return;
      default:
        throw new EvaluationError(
          "type-error",
          `cannot convert ${showType(value)} to JSON`,
          positionOfValue(value) || pos,
        );
    }
  }

  private list(list: Value, pos: number): void {
    this.byte(91);
    const length = listLength(list);
    for (let i = 0; i < length; i++) {
      if (i > 0) this.byte(comma);
      try {
        this.write(elementAt(list, i), pos);
      } catch (error) {
        throw addFrame(error, pos, `while evaluating list element at index ${i}`);
      }
    }
    this.byte(93);
  }

  private attrs(attrs: Value, pos: number): void {
    const toText = attribute(attrs, toStringSymbol);
    if (toText !== none) {
      const result = call(forceAt(toText, pos), attrs, pos);
      this.string(coerceToString(result, 0, "while evaluating the result of the `__toString` attribute", pos));
      return;
    }
    const outPath = attribute(attrs, outPathSymbol);
    if (outPath !== none) {
      this.write(outPath, positionOf(attrs, outPathSymbol));
      return;
    }
    const set = flatSet(attrs);
    const shape = heap[set]! as Address;
    const size = shapeSize(shape);
    const order = orderOf(shape);
    this.byte(123);
    for (let i = 0; i < size; i++) {
      if (i > 0) this.byte(comma);
      const index = heap[order + i]!;
      const symbol = keyAt(shape, index);
      this.name(symbol);
      try {
        this.write(heap[set + firstValue + index]! as Slot, positionOf(attrs, symbol));
      } catch (error) {
        const text = `while evaluating attribute '${showIdentifier(nameOf(symbol))}'`;
        throw addFrame(error, positionOf(attrs, symbol), text);
      }
    }
    this.byte(125);
  }
}

const noBytes = new Uint8Array(0);

/** Fails when a string is no UTF-8. */
function checkString(value: Value): void {
  const text = stringText(value);
  const bad = firstInvalidByte(text);
  if (bad < 0) return;
  const byte = text.charCodeAt(bad).toString(16).toUpperCase().padStart(2, "0");
  throw fail(`JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index ${bad}: 0x${byte}`);
}

/** Returns the JSON text of a value, without its context. */
export function jsonTextOf(value: Slot, copyPaths = true): string {
  const writer = new JsonWriter(copyPaths);
  writer.write(value, 0);
  return writer.text();
}
