/** `fromTOML`: TOML 1.0. */
import { byteStringOf } from "@firn/formats";
import { host } from "../code/interpret.ts";
import { makeList } from "../heap/list.ts";
import { bool, type Slot, type Value } from "../heap/memory.ts";
import { makeFloat, makeInt64 } from "../heap/number.ts";
import { makeSet, setOf } from "../heap/set.ts";
import { makeString } from "../heap/string.ts";
import { intern } from "../heap/symbol.ts";
import { type BuiltinTable, fail, plainArgument } from "./arguments.ts";
import { datePattern, isLeap, Timestamp, timestampText } from "./toml-dates.ts";
import {
  floatAdvice,
  integerAdvice,
  invalidKey,
  keyAdvice,
  keyLetters,
  type Note,
  type Region,
  report,
  TomlError,
} from "./toml-error.ts";

/** A value with the place for errors about it. */
interface Member extends Region {
  readonly value: TomlValue;
}

/** A table during parsing; `closed` once nothing may be added (inline tables, defined headers). */
class Table {
  readonly members = new Map<string, Member>();
  /** True for a table made by a [header] of its own. */
  defined = false;
  /** True for a table made by dotted keys, which a header may not reopen. */
  dotted = false;
  /** Region of an inline table, which is complete; undefined for others. */
  closed: Region | undefined = undefined;
}

/** An array of tables made by [[headers]], or a plain array. */
class TomlArray {
  readonly items: TomlValue[] = [];
  readonly tables: boolean;
  constructor(tables: boolean) {
    this.tables = tables;
  }
}

/** Integers are BigInts, floats are numbers. */
type TomlValue = string | boolean | number | bigint | Timestamp | TomlArray | Table;

const maxDepth = 500;
const bareKey = /[A-Za-z0-9_-]+/y;
const numberPattern =
  /0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|[+-]?(?:inf|nan)|[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y;
const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

class TomlParser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text.replaceAll("\r\n", "\n");
  }

  private fail(title: string, note = "here", options: { readonly at?: number; readonly advice?: string } = {}): never {
    const start = options.at ?? this.at;
    const { advice } = options;
    throw new TomlError(
      report(this.text, title, {
        notes: [{ start, end: start, text: note }],
        ...(advice === undefined ? {} : { advice }),
      }),
    );
  }

  /** Throws the error of two contradicting definitions. */
  private clash(title: string, ours: Note, theirs: Note): never {
    throw new TomlError(report(this.text, `toml::insert_value: failed to insert ${title}`, { notes: [ours, theirs] }));
  }

  document(): Table {
    const root = new Table();
    let current = root;
    for (;;) {
      this.blank(true);
      if (this.at >= this.text.length) return root;
      if (this.text[this.at] === "[") current = this.header(root);
      else this.pair(current);
      this.blank(false);
      if (this.text[this.at] === "#") this.comment();
      if (this.at < this.text.length && this.text[this.at] !== "\n") {
        this.fail("toml::parse_table: newline (LF / CRLF) or EOF is expected");
      }
    }
  }

  private comment(): void {
    while (this.at < this.text.length && this.text[this.at] !== "\n") {
      const c = this.text.charCodeAt(this.at);
      if ((c < 32 && c !== 9) || c === 127) {
        this.fail("toml::parse_comment_line: newline (LF / CRLF) or EOF is expected", "but got this", {
          advice: "Hint: most of the control characters are not allowed in comments\n",
        });
      }
      this.at++;
    }
  }

  private blank(lines: boolean): void {
    for (;;) {
      const c = this.text[this.at];
      if (c === " " || c === "\t" || (lines && c === "\n")) this.at++;
      else if (lines && c === "#") this.comment();
      else return;
    }
  }

  private key(): string {
    const c = this.text[this.at];
    if (c === '"') return this.basicString();
    if (c === "'") return this.literalString();
    bareKey.lastIndex = this.at;
    const match = bareKey.exec(this.text);
    if (match === null) return this.fail(invalidKey, keyLetters, { advice: keyAdvice });
    this.at += match[0].length;
    return match[0];
  }

  /** Reads a dotted key; returns its names and its region, without the blanks after it. */
  private dottedKey(): Region & { readonly names: string[] } {
    const start = this.at;
    const names = [this.key()];
    for (;;) {
      const end = this.at;
      this.blank(false);
      if (this.text[this.at] !== ".") return { names, start, end };
      this.at++;
      this.blank(false);
      names.push(this.key());
    }
  }

  private header(root: Table): Table {
    const start = this.at;
    const array = this.text.startsWith("[[", this.at);
    const close = array ? "]]" : "]";
    const title = array ? "toml::parse_file: invalid array-table key" : "toml::parse_file: invalid table key";
    this.at += close.length;
    this.blank(false);
    if (!/["'A-Za-z0-9_-]/.test(this.text[this.at] ?? "")) {
      this.fail(title, "expected basic key([a-zA-Z0-9_-]) or quoted key(\" or ')");
    }
    const { names } = this.dottedKey();
    if (!this.text.startsWith(close, this.at)) this.fail(title, `expected ${close}`);
    this.at += close.length;
    const region = { start, end: this.at };
    let table = root;
    for (const name of names.slice(0, -1)) table = this.enclosing(table, name, region);
    const last = names.at(-1)!;
    const known = table.members.get(last);
    if (array) {
      const made = new Table();
      made.defined = true;
      if (known === undefined) {
        const list = new TomlArray(true);
        list.items.push(made);
        table.members.set(last, { value: list, ...region });
      } else if (known.value instanceof TomlArray && known.value.tables) known.value.items.push(made);
      else {
        const theirs = { ...known, text: "non-table value already exists" };
        this.clash("an array of tables, value already exists", { ...region, text: "while inserting this" }, theirs);
      }
      return made;
    }
    if (known === undefined) {
      const made = new Table();
      made.defined = true;
      table.members.set(last, { value: made, ...region });
      return made;
    }
    const { value } = known;
    if (!(value instanceof Table) || value.defined || value.dotted || value.closed !== undefined) {
      const theirs = { ...known, text: "this table is explicitly defined" };
      return this.clash("a table, table already defined", { ...region, text: "inserting this" }, theirs);
    }
    value.defined = true;
    table.members.set(last, { value, ...region });
    return value;
  }

  /** Returns the table of a name on the way to the one that a header or a key in an inline table defines. */
  private enclosing(table: Table, name: string, region: Region): Table {
    const known = table.members.get(name);
    if (known === undefined) {
      const made = new Table();
      table.members.set(name, { value: made, ...region });
      return made;
    }
    const { value } = known;
    if (value instanceof Table) {
      if (value.closed === undefined) return value;
      return this.clash(
        "a value: inline table is immutable",
        { ...region, text: "inserting this" },
        { ...value.closed, text: "to this table" },
      );
    }
    if (value instanceof TomlArray && value.tables) return value.items.at(-1) as Table;
    return this.clash(
      "a value, value already exists",
      { ...region, text: "while inserting this" },
      { ...known, text: "non-table value already exists" },
    );
  }

  private pair(target: Table): void {
    const key = this.dottedKey();
    const { names } = key;
    this.equals();
    const start = this.at;
    const value = this.value(0);
    const region = { start, end: this.at };
    if (value instanceof Table) value.closed = region;
    let table = target;
    for (const name of names.slice(0, -1)) {
      const known = table.members.get(name);
      if (known === undefined) {
        const made = new Table();
        made.dotted = true;
        table.members.set(name, { value: made, start: key.start, end: key.end });
        table = made;
      } else if (known.value instanceof Table && known.value.closed === undefined && !known.value.defined) {
        table = known.value;
      } else if (known.value instanceof Table && known.value.defined) {
        this.clash(
          "a value, table already defined",
          { ...key, text: "inserting this" },
          { ...known, text: "but this table is explicitly defined" },
        );
      } else table = this.enclosing(table, name, key);
    }
    this.insert(table, names.at(-1)!, { key, value, region });
  }

  private equals(): void {
    this.blank(false);
    if (this.text[this.at] !== "=") {
      this.fail("toml::parse_key_value_pair: invalid key value separator `=`", "expected =");
    }
    this.at++;
    this.blank(false);
  }

  private insert(
    table: Table,
    name: string,
    entry: { readonly key: Region; readonly value: TomlValue; readonly region: Region },
  ): void {
    const known = table.members.get(name);
    if (known !== undefined) {
      this.clash(
        "a value, value already exists",
        { ...entry.key, text: "inserting this" },
        { ...known, text: "but value already exists" },
      );
    }
    table.members.set(name, { value: entry.value, ...entry.region });
  }

  private value(depth: number): TomlValue {
    if (depth > maxDepth) this.fail("nested too deeply");
    const c = this.text[this.at];
    switch (c) {
      case '"':
        return this.text.startsWith('"""', this.at) ? this.multiline('"""') : this.basicString();
      case "'":
        return this.text.startsWith("'''", this.at) ? this.multiline("'''") : this.literalString();
      case "[":
        return this.array(depth);
      case "{":
        return this.inlineTable(depth);
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      default:
        return this.scalar();
    }
  }

  private word(text: string, value: boolean): boolean {
    if (!this.text.startsWith(text, this.at)) {
      this.fail(
        'toml::parse_boolean: invalid boolean: boolean must be `true` or `false`, in lowercase. string must be surrounded by `"`',
        "expected true or false",
      );
    }
    this.at += text.length;
    return value;
  }

  private scalar(): TomlValue {
    datePattern.lastIndex = this.at;
    const date = datePattern.exec(this.text);
    if (date !== null) return this.timestamp(date);
    numberPattern.lastIndex = this.at;
    const match = numberPattern.exec(this.text);
    if (match === null || match[0] === "") return this.badNumber();
    const start = this.at;
    this.at += match[0].length;
    const digits = match[0].replaceAll("_", "");
    const next = this.text[this.at] ?? "";
    if (/^[+-]?0$/.test(digits) && /[0-9]/.test(next)) {
      return this.fail("bad integer: leading zero", "leading zero is not allowed", {
        at: start,
        advice: integerAdvice,
      });
    }
    if (next === "_") {
      return this.fail("bad integer: `_` must be surrounded by digits", "invalid underscore", {
        advice: integerAdvice,
      });
    }
    if (next === "." || ((next === "e" || next === "E") && !/^0[xob]/.test(digits))) {
      return this.fail("bad float: invalid format", "here", { advice: floatAdvice });
    }
    if (/^[+-]?0$/.test(digits) && /[xob]/.test(next)) return this.badPrefixed(next);
    if (/^0[xob]/.test(digits) || /^[+-]?[0-9]+$/.test(digits)) {
      const value = digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits.replace(/^\+/, ""));
      return BigInt.asIntN(64, value) === value ? value : this.tooLarge(digits);
    }
    const unsigned = digits.replace(/^[+-]/, "");
    const sign = digits.startsWith("-") ? -1 : 1;
    if (unsigned === "inf") return sign * Number.POSITIVE_INFINITY;
    if (unsigned === "nan") return Number.NaN;
    const value = Number(digits);
    if (!Number.isFinite(value)) {
      return this.fail("toml::parse_floating: failed to read floating point value from stream");
    }
    return value;
  }

  private timestamp(date: RegExpExecArray): Timestamp {
    const [whole, day, dayTime, , , localTime] = date;
    if (day !== undefined) {
      const [year, month, number] = day.split("-").map(Number) as [number, number, number];
      const days = month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
      if (month < 1 || month > 12 || number < 1 || number > days) {
        this.fail(
          "toml::parse_local_date: invalid date.",
          "month must be 01-12, day must be any of 01-28,29,30,31 depending on the month/year.",
        );
      }
    }
    const time = dayTime ?? localTime;
    if (time !== undefined) {
      const [hour, minute, second] = time.split(":").map(Number) as [number, number, number];
      const at = day === undefined ? this.at : this.at + day.length + 1;
      if (hour > 23 || minute > 59) {
        this.fail("toml::parse_local_time: invalid time.", "hour must be 00-23, minute must be 00-59.", { at });
      }
      if (second > 60) this.fail("toml::parse_local_time: invalid time.", "second must be 00-60.", { at });
    }
    this.at += whole.length;
    return new Timestamp(timestampText(date));
  }

  private badNumber(): never {
    const rest = this.text.slice(this.at, this.at + 2);
    if (/^\.[0-9]/.test(rest)) {
      return this.fail("bad float: integer part is required before decimal point", "missing integer part", {
        advice: floatAdvice,
      });
    }
    if (/^_[0-9]/.test(rest)) {
      return this.fail("bad integer: `_` must be surrounded by digits", "invalid underscore", {
        advice: integerAdvice,
      });
    }
    return this.fail("bad format: unknown value appeared");
  }

  private badPrefixed(kind: string): never {
    this.at++;
    if (kind === "x") {
      return this.fail(
        "toml::parse_hex_integer: invalid integer: hex_int must be like: 0xC0FFEE, 0xdead_beef",
        "expected hex [0-9a-fA-F]",
      );
    }
    if (kind === "o") {
      return this.fail(
        "toml::parse_oct_integer: invalid integer: oct_int must be like: 0o775, 0o04_44",
        "expected [0-7]",
      );
    }
    return this.fail(
      "toml::parse_bin_integer: invalid integer: bin_int must be like: 0b0101, 0b1111_0000",
      "expected 0 or 1",
    );
  }

  private tooLarge(digits: string): never {
    const kind = { "0x": "hex", "0o": "oct", "0b": "bin" }[digits.slice(0, 2)] ?? "dec";
    const limit = kind === "dec" ? "digits" : "value";
    return this.fail(`toml::parse_${kind}_integer: too large integer: current max ${limit} = 2^63`, "must be < 2^63");
  }

  private array(depth: number): TomlArray {
    const list = new TomlArray(false);
    this.at++;
    for (;;) {
      this.blank(true);
      if (this.text[this.at] === "]") break;
      if (this.at >= this.text.length) this.unclosedArray();
      list.items.push(this.value(depth + 1));
      this.blank(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.at >= this.text.length) this.unclosedArray();
      else if (this.text[this.at] !== "]") {
        this.fail("toml::parse_array: expected value-separator `,` or closing `]`");
      }
    }
    this.at++;
    return list;
  }

  private unclosedArray(): never {
    return this.fail("toml::parse_array: missing closing bracket `]`", "expected `]`, reached EOF");
  }

  private inlineTable(depth: number): Table {
    const table = new Table();
    const start = this.at;
    this.at++;
    this.blank(false);
    if (this.text[this.at] === "}") this.at++;
    else {
      for (;;) {
        this.blank(false);
        const comma = this.text[this.at] === "}";
        if (comma) this.fail("toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)");
        const key = this.dottedKey();
        this.equals();
        const valueStart = this.at;
        const value = this.value(depth + 1);
        const region = { start: valueStart, end: this.at };
        let inner = table;
        for (const name of key.names.slice(0, -1)) inner = this.enclosing(inner, name, key);
        this.insert(inner, key.names.at(-1)!, { key, value, region });
        this.blank(false);
        if (this.text[this.at] === "}") break;
        if (this.text[this.at] !== ",") {
          this.fail("toml::parse_inline_table: expected value-separator `,` or closing `}`");
        }
        this.at++;
      }
      this.at++;
    }
    close(table, { start, end: this.at });
    return table;
  }

  private literalString(): string {
    const end = this.text.indexOf("'", this.at + 1);
    const line = this.text.indexOf("\n", this.at);
    if (end < 0 || (line >= 0 && line < end)) {
      this.fail("toml::parse_literal_string: invalid string format", "expected '", {
        at: line >= 0 ? line : this.text.length,
      });
    }
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  private basicString(): string {
    this.at++;
    let out = "";
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined || c === "\n") this.badString("basic", '"');
      if (c === '"') {
        this.at++;
        return out;
      }
      out += c === "\\" ? this.escape("basic", '"') : this.plain("basic", '"');
    }
  }

  private badString(kind: "basic" | "ml_basic" | "ml_literal", quotes: string): never {
    return this.fail(`toml::parse_${kind}_string: invalid string format`, `expected ${quotes}`);
  }

  private plain(kind: "basic" | "ml_basic" | "ml_literal", quotes: string): string {
    const code = this.text.charCodeAt(this.at);
    if ((code < 32 && code !== 9 && code !== 10) || code === 127) this.badString(kind, quotes);
    return this.text[this.at++]!;
  }

  private escape(kind: "basic" | "ml_basic", quotes: string): string {
    const c = this.text[this.at + 1] ?? "";
    const simple = escapes[c];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const length = c === "u" ? 4 : c === "U" ? 8 : 0;
    const digits = this.text.slice(this.at + 2, this.at + 2 + length);
    if (length === 0 || !/^[0-9a-fA-F]+$/.test(digits) || digits.length !== length) this.badString(kind, quotes);
    const code = Number.parseInt(digits, 16);
    if (code >= 0xd800 && code <= 0xdfff) {
      this.fail("toml::parse_utf8_codepoint: [0xD800, 0xDFFF] is not a valid UTF-8");
    }
    if (code > 0x10ffff) this.fail("toml::parse_utf8_codepoint: input codepoint is too large.");
    this.at += 2 + length;
    return byteStringOf(String.fromCodePoint(code));
  }

  private multiline(quotes: string): string {
    const kind = quotes === '"""' ? "ml_basic" : "ml_literal";
    this.at += 3;
    if (this.text[this.at] === "\n") this.at++;
    let out = "";
    for (;;) {
      if (this.at >= this.text.length) this.badString(kind, quotes);
      if (this.text.startsWith(quotes, this.at)) {
        let extra = 0;
        while (extra < 2 && this.text[this.at + 3 + extra] === quotes[0]) extra++;
        this.at += 3 + extra;
        return out + quotes.slice(0, extra);
      }
      const c = this.text[this.at]!;
      if (c !== "\\" || kind === "ml_literal") out += this.plain(kind, quotes);
      else {
        const rest = /\\[ \t]*\n[ \t\n]*/y;
        rest.lastIndex = this.at;
        const match = rest.exec(this.text);
        if (match === null) out += this.escape("ml_basic", quotes);
        else this.at += match[0].length;
      }
    }
  }
}

function close(table: Table, region: Region): void {
  table.closed = region;
  for (const { value } of table.members.values()) if (value instanceof Table) close(value, region);
}

function convert(value: TomlValue): Value {
  if (value instanceof Table) {
    const symbols: number[] = [];
    const values: Slot[] = [];
    for (const [name, member] of value.members) {
      symbols.push(intern(noNul(name)));
      values.push(convert(member.value));
    }
    return makeSet(symbols, values, null);
  }
  if (value instanceof TomlArray) return makeList(value.items.map(convert));
  if (value instanceof Timestamp) {
    if (!host().mode.experimentalFeatures.includes("parse-toml-timestamps")) {
      throw new TomlError("Dates and times are not supported");
    }
    return setOf({ _type: makeString("timestamp"), value: makeString(value.text) });
  }
  switch (typeof value) {
    case "string":
      return makeString(noNul(value));
    case "boolean":
      return bool(value);
    case "number":
      return makeFloat(value);
    default:
      return makeInt64(value);
  }
}

function noNul(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  throw new TomlError(
    `error: input string '${shown}' cannot be represented as Nix string because it contains null bytes`,
  );
}

export const tomlBuiltins: BuiltinTable = {
  fromTOML: {
    arity: 1,
    global: true,
    call: (a) => {
      const text = plainArgument(a, "while evaluating the argument passed to builtins.fromTOML");
      try {
        return convert(new TomlParser(text).document());
      } catch (error) {
        if (error instanceof TomlError) throw fail(`while parsing TOML: ${error.message}`);
        throw error;
      }
    },
  },
};
