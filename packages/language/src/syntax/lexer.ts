/**
 * Tokens of the language. Longest match wins and, among equals, the earlier rule: that is why a name, a path and a URI
 * that start alike are all tried. Strings and interpolated paths are read piecewise, driven by the parser.
 */
import { EvaluationError } from "../value/evaluation-error.ts";

export const EOF: number = 0;
export const ID: number = 1;
export const INT: number = 2;
export const FLOAT: number = 3;
export const STRING_OPEN: number = 4;
export const INDENTED_OPEN: number = 5;
export const PATH: number = 6;
export const HOME_PATH: number = 7;
export const SEARCH_PATH: number = 8;
export const URI: number = 9;
export const IF: number = 10;
export const THEN: number = 11;
export const ELSE: number = 12;
export const ASSERT: number = 13;
export const WITH: number = 14;
export const LET: number = 15;
export const IN: number = 16;
export const REC: number = 17;
export const INHERIT: number = 18;
export const OR_KEYWORD: number = 19;
export const ELLIPSIS: number = 20;
export const EQ: number = 21;
export const NEQ: number = 22;
export const LEQ: number = 23;
export const GEQ: number = 24;
export const AND: number = 25;
export const OR: number = 26;
export const IMPL: number = 27;
export const UPDATE: number = 28;
export const CONCAT: number = 29;
export const DOLLAR_CURLY: number = 30;
export const LEFT_BRACE: number = 31;
export const RIGHT_BRACE: number = 32;
export const LEFT_PAREN: number = 33;
export const RIGHT_PAREN: number = 34;
export const LEFT_BRACKET: number = 35;
export const RIGHT_BRACKET: number = 36;
export const SEMICOLON: number = 37;
export const COLON: number = 38;
export const COMMA: number = 39;
export const AT: number = 40;
export const DOT: number = 41;
export const QUESTION: number = 42;
export const ASSIGN: number = 43;
export const LESS: number = 44;
export const GREATER: number = 45;
export const PLUS: number = 46;
export const MINUS: number = 47;
export const TIMES: number = 48;
export const DIVIDE: number = 49;
export const NOT: number = 50;
export const PIPE_INTO: number = 51;
export const PIPE_FROM: number = 52;
export const INVALID: number = 53;

/** Names of the tokens in syntax errors, by number. */
export const tokenNames: readonly string[] = [
  "end of file",
  "identifier",
  "integer",
  "floating-point literal",
  "'\"'",
  "start of an indented string",
  "path",
  "'~/\xe2\x80\xa6' path",
  "'<\xe2\x80\xa6>' path",
  "URI",
  "'if'",
  "'then'",
  "'else'",
  "'assert'",
  "'with'",
  "'let'",
  "'in'",
  "'rec'",
  "'inherit'",
  "'or'",
  "'...'",
  "'=='",
  "'!='",
  "'<='",
  "'>='",
  "'&&'",
  "'||'",
  "'->'",
  "'//'",
  "'++'",
  "'${'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'['",
  "']'",
  "';'",
  "':'",
  "','",
  "'@'",
  "'.'",
  "'?'",
  "'='",
  "'<'",
  "'>'",
  "'+'",
  "'-'",
  "'*'",
  "'/'",
  "'!'",
  "'|>'",
  "'<|'",
  "invalid token",
];

/** Returns the keyword that a name is, 0 if it is none. Comparing costs less than a lookup, which would hash names. */
function keywordOf(name: string): number {
  switch (name.length) {
    case 2:
      if (name === "in") return IN;
      if (name === "if") return IF;
      return name === "or" ? OR_KEYWORD : 0;
    case 3:
      if (name === "let") return LET;
      return name === "rec" ? REC : 0;
    case 4:
      if (name === "with") return WITH;
      if (name === "then") return THEN;
      return name === "else" ? ELSE : 0;
    case 6:
      return name === "assert" ? ASSERT : 0;
    case 7:
      return name === "inherit" ? INHERIT : 0;
    default:
      return 0;
  }
}

const ID_START = 1;
const ID_REST = 2;
const PATH_CHAR = 4;
const DIGIT = 16;
const URI_CHAR = 32;
const SCHEME_CHAR = 64;

const classes = new Uint8Array(257);
for (let i = 0; i < 256; i++) {
  const c = String.fromCharCode(i);
  let k = 0;
  if (/[a-zA-Z_]/.test(c)) k |= ID_START;
  if (/[a-zA-Z0-9_'-]/.test(c)) k |= ID_REST;
  if (/[a-zA-Z0-9._+-]/.test(c)) k |= PATH_CHAR;
  if (/[0-9]/.test(c)) k |= DIGIT;
  if (/[a-zA-Z0-9%/?:@&=+$,\-_.!~*']/.test(c)) k |= URI_CHAR;
  if (/[a-zA-Z0-9+.-]/.test(c)) k |= SCHEME_CHAR;
  classes[i] = k;
}

function classOf(code: number): number {
  return classes[code] ?? 0;
}

const floatPattern = /(?:[1-9][0-9]*\.[0-9]*|0?\.[0-9]+)(?:[Ee][+-]?[0-9]+)?/y;
const commentPattern = /\/\*(?:[^*]|\*+[^*/])*\*+\//y;
const maxInt = 9223372036854775807n;

/** The end of a chunk of a string. */
export type ChunkEnd = "close" | "interpolation" | "end-of-file";

export class Lexer {
  /** The last scanned run of path characters, and of scheme characters, whose tokens do not scan it again. */
  private runStart = 0;
  private runEnd = 0;
  private schemeStart = 0;
  private schemeEnd = 0;
  readonly text: string;
  readonly base: number;
  readonly pipes: boolean;
  /** Kind of the current token, its start, and its text or number. */
  token = EOF;
  start = 0;
  value: string | number | bigint = "";
  /** Offset just after the current token. */
  offset: number;
  /** Offset just after the previous token. */
  previousEnd = 0;

  constructor(text: string, base: number, options: { readonly offset: number; readonly pipes: boolean }) {
    this.text = text;
    this.base = base;
    this.offset = options.offset;
    this.pipes = options.pipes;
  }

  fail(message: string, offset = this.start): never {
    throw new EvaluationError("parse-error", message, this.base + offset);
  }

  next(): void {
    const text = this.text;
    const length = text.length;
    this.previousEnd = this.offset;
    let c = 0;
    for (;;) {
      if (this.offset >= length) {
        this.start = length;
        this.token = EOF;
        return;
      }
      c = text.charCodeAt(this.offset);
      if (c === 32 || c === 10 || c === 9 || c === 13) {
        this.offset++;
      } else if (c === 35) {
        let i = this.offset + 1;
        while (i < length) {
          const d = text.charCodeAt(i);
          if (d === 10 || d === 13) break;
          i++;
        }
        this.offset = i;
      } else if (c === 47 && text.charCodeAt(this.offset + 1) === 42) {
        const end = this.commentEnd(this.offset);
        if (end < 0) break;
        this.offset = end;
      } else break;
    }
    this.start = this.offset;
    const k = classes[c & 255]!;
    if ((k & ID_START) !== 0) {
      this.word();
      return;
    }
    if ((k & PATH_CHAR) !== 0) {
      if ((k & DIGIT) !== 0) {
        this.number();
        return;
      }
      // One of . - +
      if (this.path(this.start)) return;
    }
    this.symbol(c);
  }

  /** Returns the index after a comment, or -1. Equivalent to the pattern of the reference, without its recursion. */
  private commentEnd(start: number): number {
    const close = this.text.indexOf("*/", start + 2);
    if (close >= 0) return close + 2;
    commentPattern.lastIndex = start;
    return commentPattern.test(this.text) ? commentPattern.lastIndex : -1;
  }

  private set(token: number, length: number): undefined {
    this.token = token;
    this.offset = this.start + length;
  }

  private word(): void {
    const text = this.text;
    let end = this.start + 1;
    while ((classOf(text.charCodeAt(end)) & ID_REST) !== 0) end++;
    const after = text.charCodeAt(end);
    if (after === 47 || after === 46 || after === 43 || after === 58) {
      const pathEnd = this.pathEnd(this.start);
      const uriEnd = this.uriEnd(this.start);
      if (pathEnd > end && pathEnd >= uriEnd) {
        this.takePath(pathEnd);
        return;
      }
      if (uriEnd > end) {
        this.value = text.slice(this.start, uriEnd);
        this.token = URI;
        this.offset = uriEnd;
        return;
      }
    }
    const name = text.slice(this.start, end);
    this.offset = end;
    this.value = name;
    this.token = keywordOf(name) || ID;
  }

  private uriEnd(start: number): number {
    const text = this.text;
    const first = text.charCodeAt(start);
    if ((classOf(first) & ID_START) === 0 || first === 95) return -1;
    let i = start + 1;
    if (i >= this.schemeStart && i < this.schemeEnd) i = this.schemeEnd;
    else {
      while ((classOf(text.charCodeAt(i)) & SCHEME_CHAR) !== 0) i++;
      this.schemeStart = start + 1;
      this.schemeEnd = i;
    }
    if (text.charCodeAt(i) !== 58) return -1;
    const body = ++i;
    while ((classOf(text.charCodeAt(i)) & URI_CHAR) !== 0) i++;
    return i > body ? i : -1;
  }

  private number(): void {
    const text = this.text;
    let end = this.start + 1;
    while ((classOf(text.charCodeAt(end)) & DIGIT) !== 0) end++;
    const after = text.charCodeAt(end);
    let floatEnd = -1;
    if (after === 46) {
      floatPattern.lastIndex = this.start;
      if (floatPattern.test(text)) floatEnd = floatPattern.lastIndex;
    }
    if ((classOf(after) & PATH_CHAR) !== 0 || after === 47) {
      const pathEnd = this.pathEnd(this.start);
      if (pathEnd > end && pathEnd > floatEnd) {
        this.takePath(pathEnd);
        return;
      }
    }
    if (floatEnd > end) {
      this.takeFloat(floatEnd);
      return;
    }
    const digits = text.slice(this.start, end);
    this.offset = end;
    this.token = INT;
    const small = Number(digits);
    if (Number.isSafeInteger(small)) {
      this.value = small;
      return;
    }
    const big = BigInt(digits);
    if (big > maxInt) this.fail(`invalid integer '${digits}'`);
    this.value = big;
  }

  private takeFloat(end: number): undefined {
    const digits = this.text.slice(this.start, end);
    const value = Number(digits);
    if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(digits.replace(/[eE].*/, "")))) {
      this.fail(`invalid float '${digits}'`);
    }
    this.value = value;
    this.token = FLOAT;
    this.offset = end;
  }

  /** Returns the end of the path literal at `start`, the interpolation that may follow its last slash included; -1 if there is none. */
  private pathEnd(start: number): number {
    const text = this.text;
    let i = start;
    if (start >= this.runStart && start < this.runEnd) i = this.runEnd;
    else {
      while ((classOf(text.charCodeAt(i)) & PATH_CHAR) !== 0) i++;
      this.runStart = start;
      this.runEnd = i;
    }
    if (text.charCodeAt(i) !== 47) return -1;
    if ((classOf(text.charCodeAt(i + 1)) & PATH_CHAR) === 0) {
      return text.charCodeAt(i + 1) === 36 && text.charCodeAt(i + 2) === 123 ? i + 1 : -1;
    }
    while (text.charCodeAt(i) === 47 && (classOf(text.charCodeAt(i + 1)) & PATH_CHAR) !== 0) {
      i++;
      while ((classOf(text.charCodeAt(i)) & PATH_CHAR) !== 0) i++;
    }
    return text.charCodeAt(i) === 47 ? i + 1 : i;
  }

  private takePath(end: number): void {
    this.value = this.text.slice(this.start, end);
    this.token = PATH;
    this.offset = end;
    this.checkTrailingSlash();
  }

  /** Checks that a path ends in a slash only before an interpolation. */
  private checkTrailingSlash(): void {
    const text = this.text;
    const end = this.offset;
    if (text.charCodeAt(end - 1) !== 47) return;
    if (text.charCodeAt(end) === 36 && text.charCodeAt(end + 1) === 123) return;
    this.fail("path has a trailing slash", end);
  }

  private path(start: number): boolean {
    const end = this.pathEnd(start);
    if (end < 0) return false;
    this.takePath(end);
    return true;
  }

  /** Tells whether the path that the last token began continues with an interpolation. */
  atInterpolation(): boolean {
    return this.text.charCodeAt(this.offset) === 36 && this.text.charCodeAt(this.offset + 1) === 123;
  }

  /** Returns the literal part of a path after an interpolation; empty at the end of the path. */
  pathChunk(): string {
    const text = this.text;
    const start = this.offset;
    let i = start;
    for (;;) {
      while ((classOf(text.charCodeAt(i)) & PATH_CHAR) !== 0) i++;
      if (text.charCodeAt(i) !== 47) break;
      const following = text.charCodeAt(i + 1);
      const goesOn = (classOf(following) & PATH_CHAR) !== 0 || (following === 36 && text.charCodeAt(i + 2) === 123);
      i++;
      if (!goesOn) break;
    }
    this.start = start;
    this.offset = i;
    if (i > start) this.checkTrailingSlash();
    return text.slice(start, i);
  }

  private symbol(c: number): undefined {
    const text = this.text;
    const d = text.charCodeAt(this.start + 1);
    switch (c) {
      case 0:
        // The reference's scanner takes this byte for the end of the file, which it tells behind it.
        this.token = EOF;
        this.start++;
        return;
      case 34:
        return this.set(STRING_OPEN, 1);
      case 39:
        return d === 39 ? this.openIndented() : this.set(INVALID, 1);
      case 123:
        return this.set(LEFT_BRACE, 1);
      case 125:
        return this.set(RIGHT_BRACE, 1);
      case 40:
        return this.set(LEFT_PAREN, 1);
      case 41:
        return this.set(RIGHT_PAREN, 1);
      case 91:
        return this.set(LEFT_BRACKET, 1);
      case 93:
        return this.set(RIGHT_BRACKET, 1);
      case 59:
        return this.set(SEMICOLON, 1);
      case 58:
        return this.set(COLON, 1);
      case 44:
        return this.set(COMMA, 1);
      case 64:
        return this.set(AT, 1);
      case 63:
        return this.set(QUESTION, 1);
      case 61:
        return d === 61 ? this.set(EQ, 2) : this.set(ASSIGN, 1);
      case 33:
        return d === 61 ? this.set(NEQ, 2) : this.set(NOT, 1);
      case 62:
        return d === 61 ? this.set(GEQ, 2) : this.set(GREATER, 1);
      case 38:
        return d === 38 ? this.set(AND, 2) : this.set(INVALID, 1);
      case 42:
        return this.set(TIMES, 1);
      case 36:
        return d === 123 ? this.set(DOLLAR_CURLY, 2) : this.set(INVALID, 1);
      case 43:
        return d === 43 ? this.set(CONCAT, 2) : this.set(PLUS, 1);
      case 45:
        return d === 62 ? this.set(IMPL, 2) : this.set(MINUS, 1);
      case 47:
        if (this.path(this.start)) return;
        return d === 47 ? this.set(UPDATE, 2) : this.set(DIVIDE, 1);
      case 124:
        if (d === 124) return this.set(OR, 2);
        if (d === 62) return this.pipe(PIPE_INTO);
        return this.set(INVALID, 1);
      case 60:
        return this.less(d);
      case 46:
        return this.dot(d);
      case 126:
        return this.home(d);
      default:
        return this.set(INVALID, 1);
    }
  }

  /** Skips the rest of the line after opening quotes when it is blank. */
  private openIndented(): undefined {
    let i = this.start + 2;
    while (this.text.charCodeAt(i) === 32) i++;
    this.set(INDENTED_OPEN, this.text.charCodeAt(i) === 10 ? i + 1 - this.start : 2);
  }

  private pipe(token: number): undefined {
    if (!this.pipes) {
      this.fail(
        "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it",
      );
    }
    this.set(token, 2);
  }

  private less(d: number): undefined {
    const text = this.text;
    if ((classOf(d) & PATH_CHAR) !== 0) {
      let i = this.start + 1;
      for (;;) {
        const segment = i;
        while ((classOf(text.charCodeAt(i)) & PATH_CHAR) !== 0) i++;
        if (i === segment) break;
        const c = text.charCodeAt(i);
        if (c === 62) {
          this.value = text.slice(this.start + 1, i);
          this.token = SEARCH_PATH;
          this.offset = i + 1;
          return;
        }
        if (c !== 47) break;
        i++;
      }
    }
    if (d === 61) this.set(LEQ, 2);
    else if (d === 124) this.pipe(PIPE_FROM);
    else this.set(LESS, 1);
  }

  private dot(d: number): undefined {
    const text = this.text;
    if (d === 46 && text.charCodeAt(this.start + 2) === 46) return this.set(ELLIPSIS, 3);
    if ((classOf(d) & DIGIT) !== 0) {
      floatPattern.lastIndex = this.start;
      if (floatPattern.test(text)) return this.takeFloat(floatPattern.lastIndex);
    }
    this.set(DOT, 1);
  }

  private home(d: number): undefined {
    const text = this.text;
    if (d === 47) {
      const after = text.charCodeAt(this.start + 2);
      const end =
        (classOf(after) & PATH_CHAR) !== 0
          ? this.pathEnd(this.start + 1)
          : after === 36 && text.charCodeAt(this.start + 3) === 123
            ? this.start + 2
            : -1;
      if (end > 0) {
        this.value = text.slice(this.start, end);
        this.token = HOME_PATH;
        this.offset = end;
        this.checkTrailingSlash();
        return;
      }
    }
    this.set(INVALID, 1);
  }

  /** Offset at which the last chunk began. */
  chunkStart = 0;
  chunk = "";

  /** Reads on inside "…"; `chunk` is the unescaped text up to the end that is returned. */
  stringChunk(): ChunkEnd {
    const text = this.text;
    const length = text.length;
    let i = this.offset;
    let from = i;
    let out = "";
    this.chunkStart = i;
    for (;;) {
      if (i >= length) {
        this.chunk = out + text.slice(from, i);
        this.offset = this.start = length;
        this.token = EOF;
        return "end-of-file";
      }
      const c = text.charCodeAt(i);
      if (c === 34) {
        this.chunk = out + text.slice(from, i);
        this.start = i;
        this.offset = i + 1;
        return "close";
      }
      if (c === 92) {
        if (i + 1 >= length) {
          i = length;
          continue;
        }
        out += text.slice(from, i) + escapedChar(text.charCodeAt(i + 1));
        i += 2;
        from = i;
      } else if (c === 13) {
        out += `${text.slice(from, i)}\n`;
        i++;
        if (text.charCodeAt(i) === 10) i++;
        from = i;
      } else if (c === 36) {
        const d = text.charCodeAt(i + 1);
        if (d === 123) {
          this.chunk = out + text.slice(from, i);
          this.start = i;
          this.offset = i + 2;
          return "interpolation";
        }
        // "$" before anything but "{", a quote or a backslash takes that character along.
        i += d === 34 || d === 92 || i + 1 >= length || d === 13 ? 1 : 2;
      } else i++;
    }
  }

  /** True when the indented chunk counts for the indentation; escapes do not. */
  chunkIndents = true;

  /** Reads on inside ''…''; `chunk` is the text up to the end, or one escape ("escape": more follows). */
  indentedChunk(): ChunkEnd | "text" {
    const text = this.text;
    const length = text.length;
    let i = this.offset;
    this.chunkStart = i;
    this.chunkIndents = true;
    for (;;) {
      if (i >= length) {
        this.offset = this.start = length;
        this.token = EOF;
        this.chunk = text.slice(this.chunkStart, i);
        return "end-of-file";
      }
      const c = text.charCodeAt(i);
      const d = text.charCodeAt(i + 1);
      if (c === 36) {
        if (d === 123) {
          if (i > this.chunkStart) break;
          this.start = i;
          this.offset = i + 2;
          this.chunk = "";
          return "interpolation";
        }
        if (d === 39 || i + 1 >= length) {
          // A lone "$" before a quote is a piece of its own, and counts as an escape.
          if (i > this.chunkStart) break;
          return this.escapePiece("$", i + 1);
        }
        i += 2;
      } else if (c === 39) {
        if (d === 39) {
          if (i > this.chunkStart) break;
          const e = text.charCodeAt(i + 2);
          if (e === 36) return this.escapePiece("$", i + 3);
          if (e === 39) return this.escapePiece("''", i + 3);
          if (e === 92 && i + 3 < length) return this.escapePiece(escapedChar(text.charCodeAt(i + 3)), i + 4);
          this.start = i;
          this.offset = i + 2;
          this.chunk = "";
          return "close";
        }
        if (d === 36 || i + 1 >= length) {
          if (i > this.chunkStart) break;
          return this.escapePiece("'", i + 1);
        }
        i += 2;
      } else i++;
    }
    this.chunk = text.slice(this.chunkStart, i);
    this.start = this.chunkStart;
    this.offset = i;
    return "text";
  }

  private escapePiece(piece: string, end: number): "text" {
    this.chunk = piece;
    this.chunkIndents = false;
    this.start = this.chunkStart;
    this.offset = end;
    return "text";
  }
}

function escapedChar(code: number): string {
  switch (code) {
    case 110:
      return "\n";
    case 114:
      return "\r";
    case 116:
      return "\t";
    default:
      return String.fromCharCode(code);
  }
}
