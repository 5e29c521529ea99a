/** Reading POSIX extended regular expressions as the reference's library does. */

/** A part of a pattern. */
export type Node =
  | { readonly kind: "set"; readonly bits: Uint8Array }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "group"; readonly index: number; readonly body: Node }
  | { readonly kind: "repeat"; readonly body: Node; readonly min: number; readonly max: number }
  | { readonly kind: "begin" }
  | { readonly kind: "end" };

/** The failure of a pattern that is no regular expression; its message is that of the reference's library. */
export class RegexSyntaxError extends Error {}

const mistakes = {
  paren: "Mismatched '(' and ')' in regular expression",
  bracket: "Unexpected character within '[...]' in regular expression",
  brace: "Mismatched '{' and '}' in regular expression",
  interval: "Invalid range in '{}' in regular expression",
  number: "invalid back reference",
  escape: "Invalid escape in regular expression",
  escapeAtEnd: "Invalid escape at end of regular expression",
  rangeStart: "Invalid start of '[x-x]' range in regular expression",
  rangeEnd: "Invalid end of '[x-x]' range in regular expression",
  range: "Invalid range in bracket expression.",
  dash: "Invalid dash in '[x-x]' range in regular expression",
  classSyntax: "Invalid character class in regular expression",
  collateSyntax: "Invalid collating element in regular expression",
  openBracket: "Incomplete '[[' character class in regular expression",
  className: "Invalid character class.",
  collateName: "Invalid collate element.",
  equivalenceName: "Invalid equivalence class.",
  large:
    "Number of NFA states exceeds limit. Please use shorter regex string, or use smaller brace expression, or make _GLIBCXX_REGEX_STATE_LIMIT larger.",
} as const;

function mistake(kind: keyof typeof mistakes): RegexSyntaxError {
  return new RegexSyntaxError(mistakes[kind]);
}

const classNames: Readonly<Record<string, RegExp>> = {
  alpha: /[a-zA-Z]/,
  digit: /[0-9]/,
  alnum: /[a-zA-Z0-9]/,
  upper: /[A-Z]/,
  lower: /[a-z]/,
  space: /[ \t\n\r\f\v]/,
  blank: /[ \t]/,
  punct: /[!-/:-@[-`{-~]/,
  print: /[ -~]/,
  graph: /[!-~]/,
  cntrl: /[\x00-\x1f\x7f]/,
  xdigit: /[0-9a-fA-F]/,
  w: /[a-zA-Z0-9_]/,
  d: /[0-9]/,
  s: /[ \t\n\r\f\v]/,
};

const maxRepeat = 100000;
/** The largest number that the reference's library reads. */
const maxInt = 2 ** 31 - 1;

function single(code: number): Extract<Node, { readonly kind: "set" }> {
  const bits = new Uint8Array(256);
  bits[code] = 1;
  return { kind: "set", bits };
}

function addOtherCase(bits: Uint8Array): void {
  for (let upper = 65; upper <= 90; upper++) {
    const lower = upper + 32;
    if (bits[upper] === 1) bits[lower] = 1;
    else if (bits[lower] === 1) bits[upper] = 1;
  }
}

export class RegexParser {
  private readonly text: string;
  private readonly ignoreCase: boolean;
  private at = 0;
  groups = 0;
  /** Number of open groups; outside them ")" is a plain character. */
  private depth = 0;

  /** With `ignoreCase` letters stand for both cases. */
  constructor(text: string, options: { readonly ignoreCase?: boolean } = {}) {
    this.text = text;
    this.ignoreCase = options.ignoreCase === true;
  }

  parse(): Node {
    const node = this.choice();
    if (this.at < this.text.length) throw mistake("paren");
    return node;
  }

  private choice(): Node {
    const options = [this.sequence()];
    while (this.text[this.at] === "|") {
      this.at++;
      options.push(this.sequence());
    }
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  private sequence(): Node {
    const items: Node[] = [];
    while (this.at < this.text.length) {
      const c = this.text[this.at]!;
      if (c === "|" || c === ")") break;
      items.push(this.repeated(this.atom(c)));
    }
    return items.length === 1 ? items[0]! : { kind: "sequence", items };
  }

  private repeated(atom: Node): Node {
    let node = atom;
    for (;;) {
      const c = this.text[this.at];
      if (c === "*") node = this.repeat(node, 0, Number.POSITIVE_INFINITY);
      else if (c === "+") node = this.repeat(node, 1, Number.POSITIVE_INFINITY);
      else if (c === "?") node = this.repeat(node, 0, 1);
      else if (c === "{") {
        const match = /\{([0-9]+)(?:(,)([0-9]*))?(\}?)/y;
        match.lastIndex = this.at;
        const found = match.exec(this.text);
        if (found === null) throw mistake("interval");
        this.at += found[0].length - 1;
        if (found[4] === "") {
          const next = this.text[this.at + 1];
          throw mistake(next === undefined || next === "," ? "brace" : "interval");
        }
        const min = Number(found[1]);
        const max = found[2] === undefined ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
        if (min > maxInt || (max > maxInt && max !== Number.POSITIVE_INFINITY)) throw mistake("number");
        if (max < min) throw mistake("interval");
        if (min > maxRepeat) throw mistake("large");
        node = this.repeat(node, min, max);
      } else return node;
    }
  }

  private repeat(body: Node, min: number, max: number): Node {
    if (body.kind === "begin" || body.kind === "end") throw mistake("paren");
    this.at++;
    return { kind: "repeat", body, min, max };
  }

  private atom(c: string): Node {
    this.at++;
    switch (c) {
      case "(": {
        const index = ++this.groups;
        this.depth++;
        if (this.depth > 1000) throw mistake("large");
        const body = this.choice();
        if (this.text[this.at] !== ")") throw mistake("paren");
        this.at++;
        this.depth--;
        return { kind: "group", index, body };
      }
      case "[":
        return this.bracket();
      case ".": {
        const bits = new Uint8Array(256).fill(1);
        bits[0] = 0;
        return { kind: "set", bits };
      }
      case "^":
        return { kind: "begin" };
      case "$":
        return { kind: "end" };
      case "*":
      case "+":
      case "?":
      case "{":
        throw mistake("paren");
      case "\\": {
        const escaped = this.text[this.at];
        // Only characters that have a meaning can be escaped, as in the reference's library.
        if (escaped === undefined) throw mistake("escapeAtEnd");
        if (!"^$\\.*+?()[{|".includes(escaped)) throw mistake("escape");
        this.at++;
        return single(escaped.charCodeAt(0));
      }
      default: {
        const node = single(c.charCodeAt(0));
        if (this.ignoreCase) addOtherCase(node.bits);
        return node;
      }
    }
  }

  private bracket(): Node {
    const bits = new Uint8Array(256);
    const negated = this.text[this.at] === "^";
    if (negated) this.at++;
    const start = this.at;
    /** The last thing read: a character that may begin a range, a class, or neither. */
    let last: number | "class" | undefined;
    while (this.at === start || this.text[this.at] !== "]") {
      const found = this.text[this.at] === "-" && this.at > start ? this.dash(bits, last) : this.bracketItem(bits);
      if (typeof found === "number") bits[found] = 1;
      last = found;
    }
    this.at++;
    if (this.ignoreCase) addOtherCase(bits);
    if (negated) for (let i = 0; i < 256; i++) bits[i] = bits[i] === 1 ? 0 : 1;
    return { kind: "set", bits };
  }

  /** Reads a dash that is not the first of a bracket, and the end of its range. */
  private dash(bits: Uint8Array, low: number | "class" | undefined): number | undefined {
    this.at++;
    if (this.text[this.at] === "]") return "-".charCodeAt(0);
    if (low === undefined) throw mistake("dash");
    if (low === "class") throw mistake("rangeStart");
    const isClass = this.text[this.at] === "[" && /^[:.=]/.test(this.text[this.at + 1] ?? "");
    if (this.at >= this.text.length || isClass) throw mistake("rangeEnd");
    const high = this.bracketItem(bits);
    if (typeof high !== "number" || high < low) throw mistake("range");
    for (let i = low; i <= high; i++) bits[i] = 1;
    return undefined;
  }

  /** Reads a character or a class of a bracket. */
  private bracketItem(bits: Uint8Array): number | "class" {
    if (this.at >= this.text.length) throw mistake("bracket");
    const code = this.text.charCodeAt(this.at++);
    const kind = this.text[this.at];
    if (String.fromCharCode(code) !== "[") return code;
    if (kind === undefined) throw mistake("openBracket");
    if (kind !== ":" && kind !== "." && kind !== "=") return code;
    const end = this.text.indexOf(kind, this.at + 1);
    if (end < 0 || this.text[end + 1] !== "]") throw mistake(kind === ":" ? "classSyntax" : "collateSyntax");
    const name = this.text.slice(this.at + 1, end);
    this.at = end + 2;
    if (kind === ":") return namedClass(bits, name);
    // Of the names of collating elements only those of letters, which name themselves, are known.
    if (!/^[A-Za-z]$/.test(name)) throw mistake(kind === "." ? "collateName" : "equivalenceName");
    if (kind === ".") return name.charCodeAt(0);
    // Letters are equivalent in either case.
    for (const letter of [name.toLowerCase(), name.toUpperCase()]) bits[letter.charCodeAt(0)] = 1;
    return "class";
  }
}

function namedClass(bits: Uint8Array, name: string): "class" {
  const pattern = classNames[name.toLowerCase()];
  if (pattern === undefined) throw mistake("className");
  for (let i = 0; i < 256; i++) if (pattern.test(String.fromCharCode(i))) bits[i] = 1;
  return "class";
}
