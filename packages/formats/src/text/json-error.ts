/**
 * Error messages of the reference's JSON library for text that is not JSON: the text is read once more the way that library
 * reads, token by token, with its positions (columns count the bytes read of a line, the wrong one included).
 */

type Token =
  | "true literal"
  | "false literal"
  | "null literal"
  | "string literal"
  | "number literal"
  | "'['"
  | "'{'"
  | "']'"
  | "'}'"
  | "':'"
  | "','"
  | "<parse error>"
  | "end of input"
  | "'[', '{', or a literal";

const punctuation: Readonly<Record<string, Token>> = {
  "[": "'['",
  "]": "']'",
  "{": "'{'",
  "}": "'}'",
  ":": "':'",
  ",": "','",
};
const literals: Readonly<Record<string, readonly [string, Token]>> = {
  t: ["true", "true literal"],
  f: ["false", "false literal"],
  n: ["null", "null literal"],
};
const controlNames =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );
const shortEscapes: Readonly<Record<number, string>> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r" };
const wellFormed =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/y;

class Lexer {
  private readonly text: string;
  private at = 0;
  /** Start of the text that is shown as "last read": each string and number starts it anew, nothing else does. */
  private start = 0;
  private afterNumber = false;
  problem = "";

  constructor(text: string) {
    this.text = text.startsWith("\xef\xbb\xbf") ? text.slice(3) : text;
  }

  /** Reads one byte; the end counts as one too. */
  private next(): string {
    return this.text[this.at++] ?? "";
  }

  private wrong(problem: string): Token {
    this.problem = problem;
    return "<parse error>";
  }

  get consumed(): number {
    return this.at;
  }

  position(): string {
    // A number is only over when the byte after it was read; taking back a line break loses the column.
    const column = this.afterNumber && this.text[this.at] === "\n" ? 0 : undefined;
    const read = this.text.slice(0, this.at);
    const line = read.split("\n").length;
    return `line ${line}, column ${column ?? this.at - (read.lastIndexOf("\n") + 1)}`;
  }

  lastRead(): string {
    return this.text
      .slice(this.start, this.at)
      .replace(/[\x00-\x1f]/g, (c) => `<U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
  }

  token(): Token {
    this.afterNumber = false;
    while (this.at < this.text.length && " \t\n\r".includes(this.text[this.at]!)) this.at++;
    const c = this.next();
    const mark = punctuation[c];
    if (mark !== undefined) return mark;
    if (c === "" || c === "\0") return "end of input";
    if (c === '"') return this.string();
    const literal = literals[c];
    if (literal !== undefined) {
      for (const wanted of literal[0].slice(1)) if (this.next() !== wanted) return this.wrong("invalid literal");
      return literal[1];
    }
    return c === "-" || isDigit(c) ? this.number(c) : this.wrong("invalid literal");
  }

  private digits(): void {
    while (isDigit(this.text[this.at] ?? "")) this.at++;
  }

  private number(first: string): Token {
    this.start = this.at - 1;
    this.afterNumber = true;
    let c = first;
    if (c === "-") {
      c = this.next();
      if (!isDigit(c)) return this.wrong("invalid number; expected digit after '-'");
    }
    if (c !== "0") this.digits();
    if (this.text[this.at] === ".") {
      this.at++;
      if (!isDigit(this.next())) return this.wrong("invalid number; expected digit after '.'");
      this.digits();
    }
    if (this.text[this.at] === "e" || this.text[this.at] === "E") {
      this.at++;
      c = this.next();
      if (c === "+" || c === "-") {
        if (!isDigit(this.next())) return this.wrong("invalid number; expected digit after exponent sign");
      } else if (!isDigit(c)) return this.wrong("invalid number; expected '+', '-', or digit after exponent");
      this.digits();
    }
    return "number literal";
  }

  private unit(): number {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const c = this.next();
      if (!/^[0-9a-fA-F]$/.test(c)) return -1;
      code = code * 16 + Number.parseInt(c, 16);
    }
    return code;
  }

  private string(): Token {
    this.start = this.at - 1;
    for (;;) {
      const from = this.at;
      const c = this.next();
      if (c === "") return this.wrong("invalid string: missing closing quote");
      if (c === '"') return "string literal";
      const code = c.charCodeAt(0);
      if (code < 32) {
        const hex = code.toString(16).toUpperCase().padStart(4, "0");
        const short = shortEscapes[code];
        const also = short === undefined ? "" : ` or \\${short}`;
        return this.wrong(
          `invalid string: control character U+${hex} (${controlNames[code]}) must be escaped to \\u${hex}${also}`,
        );
      }
      if (c === "\\") {
        const problem = this.escape();
        if (problem !== undefined) return this.wrong(`invalid string: ${problem}`);
        continue;
      }
      wellFormed.lastIndex = from;
      const match = wellFormed.exec(this.text);
      if (match === null) {
        this.at = from + wellFormedPart(this.text, from);
        return this.wrong("invalid string: ill-formed UTF-8 byte");
      }
      this.at = from + match[0].length;
    }
  }

  private escape(): string | undefined {
    const c = this.next();
    if (c !== "u") return c !== "" && '"\\/bfnrt'.includes(c) ? undefined : "forbidden character after backslash";
    const badDigits = "'\\u' must be followed by 4 hex digits";
    const high = this.unit();
    if (high < 0) return badDigits;
    if (high >= 0xdc00 && high <= 0xdfff) return "surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF";
    if (high < 0xd800 || high > 0xdbff) return undefined;
    const lonely = "surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF";
    if (this.next() !== "\\" || this.next() !== "u") return lonely;
    const low = this.unit();
    if (low < 0) return badDigits;
    return low >= 0xdc00 && low <= 0xdfff ? undefined : lonely;
  }
}

/** Returns the number of bytes that are read before an ill-formed sequence is noticed. */
function wellFormedPart(text: string, from: number): number {
  const lead = text.charCodeAt(from);
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
  for (let i = 1; i < length; i++) {
    const c = text.charCodeAt(from + i);
    if (!(c >= 0x80 && c <= 0xbf)) return i + 1;
  }
  return Math.min(length, 2);
}

function isDigit(c: string): boolean {
  return c >= "0" && c <= "9" && c.length === 1;
}

/** The library's complaint about a text; undefined when it finds none. */
export function describeJsonError(text: string): string | undefined {
  const lexer = new Lexer(text);
  const prefix = () => `[json.exception.parse_error.101] parse error at ${lexer.position()}: `;
  const unexpected = (token: Token, context: string, expected?: Token) => {
    const what =
      token === "<parse error>" ? `${lexer.problem}; last read: '${lexer.lastRead()}'` : `unexpected ${token}`;
    return `${prefix()}syntax error while parsing ${context} - ${what}${expected === undefined ? "" : `; expected ${expected}`}`;
  };
  /** Reads a key with its colon after the key's token has been read. */
  const key = (token: Token): string | undefined => {
    if (token !== "string literal") return unexpected(token, "object key", "string literal");
    const separator = lexer.token();
    return separator === "':'" ? undefined : unexpected(separator, "object separator", "':'");
  };
  const open: ("array" | "object")[] = [];
  let token = lexer.token();
  for (;;) {
    // A value begins here.
    let complete = true;
    if (token === "'['" || token === "'{'") {
      const kind = token === "'['" ? "array" : "object";
      token = lexer.token();
      if (token !== (kind === "array" ? "']'" : "'}'")) {
        open.push(kind);
        complete = false;
        if (kind === "object") {
          const problem = key(token);
          if (problem !== undefined) return problem;
          token = lexer.token();
        }
      }
    } else if (token === "end of input" && lexer.consumed === 1) {
      return `${prefix()}attempting to parse an empty input; check that your input string or stream contains the expected JSON`;
    } else if (token === "<parse error>") return unexpected(token, "value");
    else if (!token.endsWith("literal")) return unexpected(token, "value", "'[', '{', or a literal");
    // After a value: close what ends here, until another value begins.
    while (complete) {
      const around = open.at(-1);
      token = lexer.token();
      if (around === undefined) {
        return token === "end of input" ? undefined : unexpected(token, "value", "end of input");
      }
      if (token === "','") {
        token = lexer.token();
        if (around === "object") {
          const problem = key(token);
          if (problem !== undefined) return problem;
          token = lexer.token();
        }
        complete = false;
      } else if (token === (around === "array" ? "']'" : "'}'")) open.pop();
      else return unexpected(token, around, around === "array" ? "']'" : "'}'");
    }
  }
}
