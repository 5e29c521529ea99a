/** `fromTOML`: TOML 1.0. */
import { byteStringOf } from "@firn/formats";
import { host, toInt } from "../code/interpret.ts";
import { intern } from "../code/memory.ts";
import { emptyAttrs, Float, type List, makeAttrs, type Slot, type Value } from "../value/value.ts";
import { type BuiltinTable, fail, plainArgument } from "./arguments.ts";

class TomlError extends Error {}

/** A table while it is read; `closed` once nothing may be added (inline tables, defined headers). */
class Table {
  readonly members = new Map<string, TomlValue>();
  /** Made by a [header] of its own. */
  defined = false;
  /** Made by dotted keys: a header may not reopen it. */
  dotted = false;
  /** Written inline: complete. */
  closed = false;
}

/** An array of tables made by [[headers]], or a plain one. */
class TomlArray {
  readonly items: TomlValue[] = [];
  readonly tables: boolean;
  constructor(tables: boolean) {
    this.tables = tables;
  }
}

class Timestamp {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type TomlValue = string | boolean | number | bigint | Float | Timestamp | TomlArray | Table;

const maxDepth = 500;
const bareKey = /[A-Za-z0-9_-]+/y;
const datePattern =
  /(?:(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?)?|(\d{2}:\d{2}:\d{2})(\.\d+)?)(?![\w:])/y;
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

  private fail(message: string): never {
    const line = this.text.slice(0, this.at).split("\n").length;
    throw new TomlError(`${message} (line ${line})`);
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
      if (this.at < this.text.length && this.text[this.at] !== "\n") this.fail("expected newline");
    }
  }

  private comment(): void {
    while (this.at < this.text.length && this.text[this.at] !== "\n") {
      const c = this.text.charCodeAt(this.at);
      if ((c < 32 && c !== 9) || c === 127) this.fail("control character in comment");
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
    if (match === null) return this.fail("expected a key");
    this.at += match[0].length;
    return match[0];
  }

  private dottedKey(): string[] {
    const path = [this.key()];
    for (;;) {
      this.blank(false);
      if (this.text[this.at] !== ".") return path;
      this.at++;
      this.blank(false);
      path.push(this.key());
    }
  }

  private header(root: Table): Table {
    const array = this.text.startsWith("[[", this.at);
    this.at += array ? 2 : 1;
    this.blank(false);
    const path = this.dottedKey();
    if (!this.text.startsWith(array ? "]]" : "]", this.at)) this.fail("expected ']'");
    this.at += array ? 2 : 1;
    let table = root;
    for (const name of path.slice(0, -1)) table = this.descend(table, name);
    const last = path.at(-1)!;
    const known = table.members.get(last);
    if (array) {
      const made = new Table();
      made.defined = true;
      if (known === undefined) {
        const list = new TomlArray(true);
        list.items.push(made);
        table.members.set(last, list);
      } else if (known instanceof TomlArray && known.tables) known.items.push(made);
      else this.fail(`key '${last}' is defined twice`);
      return made;
    }
    if (known === undefined) {
      const made = new Table();
      made.defined = true;
      table.members.set(last, made);
      return made;
    }
    if (!(known instanceof Table) || known.defined || known.dotted || known.closed) {
      return this.fail(`table '${last}' is defined twice`);
    }
    known.defined = true;
    return known;
  }

  private descend(table: Table, name: string): Table {
    const known = table.members.get(name);
    if (known === undefined) {
      const made = new Table();
      table.members.set(name, made);
      return made;
    }
    if (known instanceof Table && !known.closed) return known;
    if (known instanceof TomlArray && known.tables) return known.items.at(-1) as Table;
    return this.fail(`key '${name}' is not a table`);
  }

  private pair(target: Table): void {
    const path = this.dottedKey();
    this.blank(false);
    if (this.text[this.at] !== "=") this.fail("expected '='");
    this.at++;
    this.blank(false);
    let table = target;
    for (const name of path.slice(0, -1)) {
      const known = table.members.get(name);
      if (known === undefined) {
        const made = new Table();
        made.dotted = true;
        table.members.set(name, made);
        table = made;
      } else if (known instanceof Table && !known.closed && !known.defined) table = known;
      else this.fail(`key '${name}' cannot be extended`);
    }
    const last = path.at(-1)!;
    if (table.members.has(last)) this.fail(`key '${last}' is defined twice`);
    table.members.set(last, this.value(0));
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
    if (!this.text.startsWith(text, this.at)) this.fail("unexpected value");
    this.at += text.length;
    return value;
  }

  private scalar(): TomlValue {
    datePattern.lastIndex = this.at;
    const date = datePattern.exec(this.text);
    if (date !== null) {
      this.at += date[0].length;
      return new Timestamp(timestampText(date));
    }
    numberPattern.lastIndex = this.at;
    const match = numberPattern.exec(this.text);
    if (match === null || match[0] === "") return this.fail("unexpected value");
    this.at += match[0].length;
    if (/[\w.+-]/.test(this.text[this.at] ?? "")) this.fail("malformed number");
    const digits = match[0].replaceAll("_", "");
    if (/^0[xob]/.test(digits) || /^[+-]?[0-9]+$/.test(digits)) {
      const value = toInt(digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits.replace(/^\+/, "")));
      return value ?? this.fail("integer out of range");
    }
    const unsigned = digits.replace(/^[+-]/, "");
    const sign = digits.startsWith("-") ? -1 : 1;
    if (unsigned === "inf") return new Float(sign * Number.POSITIVE_INFINITY);
    if (unsigned === "nan") return new Float(Number.NaN);
    return new Float(Number(digits));
  }

  private array(depth: number): TomlArray {
    const list = new TomlArray(false);
    this.at++;
    for (;;) {
      this.blank(true);
      if (this.text[this.at] === "]") break;
      list.items.push(this.value(depth + 1));
      this.blank(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.text[this.at] !== "]") this.fail("expected ',' or ']'");
    }
    this.at++;
    return list;
  }

  private inlineTable(depth: number): Table {
    const table = new Table();
    this.at++;
    this.blank(false);
    if (this.text[this.at] === "}") this.at++;
    else {
      for (;;) {
        this.blank(false);
        const path = this.dottedKey();
        if (this.text[this.at] !== "=") this.fail("expected '='");
        this.at++;
        this.blank(false);
        let inner = table;
        for (const name of path.slice(0, -1)) inner = this.descend(inner, name);
        if (inner.members.has(path.at(-1)!)) this.fail("key is defined twice");
        inner.members.set(path.at(-1)!, this.value(depth + 1));
        this.blank(false);
        if (this.text[this.at] === "}") break;
        if (this.text[this.at] !== ",") this.fail("expected ',' or '}'");
        this.at++;
      }
      this.at++;
    }
    close(table);
    return table;
  }

  private literalString(): string {
    const end = this.text.indexOf("'", this.at + 1);
    const line = this.text.indexOf("\n", this.at);
    if (end < 0 || (line >= 0 && line < end)) this.fail("unterminated string");
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  private basicString(): string {
    this.at++;
    let out = "";
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined || c === "\n") this.fail("unterminated string");
      if (c === '"') {
        this.at++;
        return out;
      }
      out += c === "\\" ? this.escape() : this.plain();
    }
  }

  private plain(): string {
    const code = this.text.charCodeAt(this.at);
    if ((code < 32 && code !== 9 && code !== 10) || code === 127) this.fail("control character in string");
    return this.text[this.at++]!;
  }

  private escape(): string {
    const c = this.text[this.at + 1] ?? "";
    const simple = escapes[c];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const length = c === "u" ? 4 : c === "U" ? 8 : 0;
    const digits = this.text.slice(this.at + 2, this.at + 2 + length);
    if (length === 0 || !/^[0-9a-fA-F]+$/.test(digits) || digits.length !== length) this.fail("bad escape");
    const code = Number.parseInt(digits, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) this.fail("bad code point");
    this.at += 2 + length;
    return byteStringOf(String.fromCodePoint(code));
  }

  private multiline(quotes: string): string {
    this.at += 3;
    if (this.text[this.at] === "\n") this.at++;
    let out = "";
    for (;;) {
      if (this.at >= this.text.length) this.fail("unterminated string");
      if (this.text.startsWith(quotes, this.at)) {
        let extra = 0;
        while (extra < 2 && this.text[this.at + 3 + extra] === quotes[0]) extra++;
        this.at += 3 + extra;
        return out + quotes.slice(0, extra);
      }
      const c = this.text[this.at]!;
      if (c !== "\\" || quotes === "'''") out += this.plain();
      else {
        const rest = /\\[ \t]*\n[ \t\n]*/y;
        rest.lastIndex = this.at;
        const match = rest.exec(this.text);
        if (match === null) out += this.escape();
        else this.at += match[0].length;
      }
    }
  }
}

function close(table: Table): void {
  table.closed = true;
  for (const member of table.members.values()) if (member instanceof Table) close(member);
}

/** Normal form: "T" between date and time, the fraction cut to 3, 6 or 9 digits. */
function timestampText(match: RegExpExecArray): string {
  const [, date, time, fraction, offset, localTime, localFraction] = match;
  const digits = (text: string | undefined) => {
    if (text === undefined) return "";
    const nine = text.slice(1, 10).padEnd(9, "0");
    if (nine === "000000000") return "";
    if (nine.endsWith("000000")) return `.${nine.slice(0, 3)}`;
    return nine.endsWith("000") ? `.${nine.slice(0, 6)}` : `.${nine}`;
  };
  if (localTime !== undefined) return localTime + digits(localFraction);
  if (time === undefined) return date!;
  return `${date}T${time}${digits(fraction)}${(offset ?? "").toUpperCase()}`;
}

function convert(value: TomlValue): Value {
  if (value instanceof Table) {
    if (value.members.size === 0) return emptyAttrs;
    const symbols: number[] = [];
    const values: Slot[] = [];
    for (const [name, member] of value.members) {
      symbols.push(intern(noNul(name)));
      values.push(convert(member));
    }
    return makeAttrs(symbols, values, null);
  }
  if (value instanceof TomlArray) return value.items.map(convert) as List;
  if (value instanceof Timestamp) {
    if (!host().mode.experimentalFeatures.includes("parse-toml-timestamps")) {
      throw new TomlError("Dates and times are not supported");
    }
    return makeAttrs([intern("_type"), intern("value")], ["timestamp", value.text], null);
  }
  return typeof value === "string" ? noNul(value) : value;
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
