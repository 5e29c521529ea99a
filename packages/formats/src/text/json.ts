/**
 * JSON that keeps what JavaScript's own loses: numbers stay as written, any key is allowed, and printing sorts keys by bytes as the
 * reference does. Strings are byte strings holding UTF-8. Depth is bounded.
 */
import { byteString, compareByteStrings } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { describeJsonError } from "./json-error.ts";

/** A number as it was written. */
export interface JsonNumber {
  readonly number: string;
}

/** A JSON value; objects are Maps. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

const MAX_DEPTH = 512;
const tooDeep = "nested too deeply";
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** The signs that escapes of JSON's strings stand for, by the letter behind the backslash. */
export const jsonEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Makes a number value. */
export function jsonNumber(value: number | bigint): JsonNumber {
  return { number: String(value) };
}

/** Tells whether a value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is ReadonlyMap<string, JsonValue> {
  return value instanceof Map;
}

/** Tells whether a value is a number. */
export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === "object" && value !== null && "number" in value;
}

/** The type of a value in the words of the reference's library. */
export function jsonTypeOf(value: JsonValue): "null" | "boolean" | "string" | "number" | "array" | "object" {
  if (value === null) return "null";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return "string";
  if (isJsonNumber(value)) return "number";
  return isJsonObject(value) ? "object" : "array";
}

/** Reads JSON from a byte string; error `bad-json`, also when it is nested deeper than `maxDepth`. */
export function parseJson(text: string, maxDepth = MAX_DEPTH): JsonValue {
  let at = 0;

  function fail(what: string): never {
    const own = `${what} at byte ${at} of JSON text`;
    throw new FirnError("bad-json", what === tooDeep ? own : (describeJsonError(text) ?? own));
  }
  function space(): void {
    while (at < text.length && " \t\n\r".includes(text[at]!)) at++;
  }
  function expect(token: string): void {
    if (!text.startsWith(token, at)) fail(`expected '${token}'`);
    at += token.length;
  }
  function string(): string {
    expect('"');
    let result = "";
    for (;;) {
      const start = at;
      while (at < text.length && text[at] !== '"' && text[at] !== "\\" && text.charCodeAt(at) >= 32) at++;
      result += text.slice(start, at);
      if (text[at] === '"') {
        at++;
        return result;
      }
      if (text[at] !== "\\") fail("unterminated string or control character");
      const escaped = text[at + 1] ?? "";
      if (escaped === "u") {
        let code = unit(at + 2);
        at += 6;
        if (code >= 0xd800 && code < 0xdc00 && text.startsWith("\\u", at)) {
          const low = unit(at + 2);
          if (low < 0xdc00 || low > 0xdfff) fail("lone surrogate");
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          at += 6;
        } else if (code >= 0xd800 && code <= 0xdfff) fail("lone surrogate");
        result += byteString(new TextEncoder().encode(String.fromCodePoint(code)));
      } else {
        const plain = jsonEscapes[escaped];
        if (plain === undefined) fail("bad escape");
        result += plain;
        at += 2;
      }
    }
  }
  function unit(start: number): number {
    const digits = text.slice(start, start + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail("bad escape");
    return Number.parseInt(digits, 16);
  }
  function array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    at++;
    space();
    if (text[at] === "]") {
      at++;
      return items;
    }
    for (;;) {
      items.push(value(depth + 1));
      space();
      if (text[at] === "]") {
        at++;
        return items;
      }
      expect(",");
    }
  }
  function object(depth: number): Map<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    at++;
    space();
    if (text[at] === "}") {
      at++;
      return members;
    }
    for (;;) {
      space();
      const key = string();
      space();
      expect(":");
      members.set(key, value(depth + 1));
      space();
      if (text[at] === "}") {
        at++;
        return members;
      }
      expect(",");
    }
  }
  function value(depth: number): JsonValue {
    if (depth > maxDepth) fail(tooDeep);
    space();
    switch (text[at]) {
      case "{":
        return object(depth);
      case "[":
        return array(depth);
      case '"':
        return string();
      case "t":
        expect("true");
        return true;
      case "f":
        expect("false");
        return false;
      case "n":
        expect("null");
        return null;
      default: {
        NUMBER.lastIndex = at;
        const match = NUMBER.exec(text);
        if (match === null) fail("unexpected character");
        at += match[0].length;
        return { number: match[0] };
      }
    }
  }

  const result = value(0);
  space();
  if (at !== text.length) fail("trailing characters");
  return result;
}

/** Quotes a byte string for JSON; bytes above 127 stand as they are. */
export function quoteJson(text: string): string {
  return JSON.stringify(text);
}

/** The layout of printed JSON: `indent` 0 is one line without spaces, else that many spaces a level; `depth` is the level it stands at. */
export interface JsonLayout {
  readonly indent?: number;
  readonly depth?: number;
}

function newline({ indent = 0, depth = 0 }: JsonLayout, below: number): string {
  return indent === 0 ? "" : `\n${" ".repeat(indent * (depth + below))}`;
}

/** Writes an object with sorted keys whose values are printed already, for one level below `layout`. */
export function printJsonObject(members: ReadonlyMap<string, string>, layout: JsonLayout = {}): string {
  if (members.size === 0) return "{}";
  const colon = (layout.indent ?? 0) === 0 ? ":" : ": ";
  const lines = [...members.keys()]
    .sort(compareByteStrings)
    .map((key) => `${quoteJson(key)}${colon}${members.get(key)}`);
  return `{${newline(layout, 1)}${lines.join(`,${newline(layout, 1)}`)}${newline(layout, 0)}}`;
}

/** Writes JSON with sorted keys. */
export function printJson(value: JsonValue, layout: JsonLayout = {}): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoteJson(value);
  if (isJsonNumber(value)) return value.number;
  const below = { indent: layout.indent ?? 0, depth: (layout.depth ?? 0) + 1 };
  if (isJsonObject(value)) {
    const members = new Map<string, string>();
    for (const [key, member] of value) members.set(key, printJson(member, below));
    return printJsonObject(members, layout);
  }
  if (value.length === 0) return "[]";
  const items = value.map((item) => printJson(item, below));
  return `[${newline(layout, 1)}${items.join(`,${newline(layout, 1)}`)}${newline(layout, 0)}]`;
}
