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

/** The failure of a pattern that is no regular expression. */
export class RegexSyntaxError extends Error {}

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

function single(code: number): Node {
  const bits = new Uint8Array(256);
  bits[code] = 1;
  return { kind: "set", bits };
}

export class RegexParser {
  private readonly text: string;
  private at = 0;
  groups = 0;
  /** Number of open groups; outside them ")" is a plain character. */
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  parse(): Node {
    const node = this.choice();
    if (this.at < this.text.length) throw new RegexSyntaxError("unmatched )");
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
        const match = /\{([0-9]+)(?:(,)([0-9]*))?\}/y;
        match.lastIndex = this.at;
        const found = match.exec(this.text);
        if (found === null) throw new RegexSyntaxError("bad brace");
        this.at += found[0].length - 1;
        const min = Number(found[1]);
        const max = found[2] === undefined ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
        if (max < min || min > maxRepeat) throw new RegexSyntaxError("bad brace");
        node = this.repeat(node, min, max);
      } else return node;
    }
  }

  private repeat(body: Node, min: number, max: number): Node {
    if (body.kind === "begin" || body.kind === "end") throw new RegexSyntaxError("bad repeat");
    this.at++;
    return { kind: "repeat", body, min, max };
  }

  private atom(c: string): Node {
    this.at++;
    switch (c) {
      case "(": {
        const index = ++this.groups;
        this.depth++;
        if (this.depth > 1000) throw new RegexSyntaxError("too deep");
        const body = this.choice();
        if (this.text[this.at] !== ")") throw new RegexSyntaxError("unmatched (");
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
        throw new RegexSyntaxError("bad repeat");
      case "\\": {
        const escaped = this.text[this.at];
        // Only characters that have a meaning can be escaped, as in the reference's library.
        if (escaped === undefined || !"^$\\.*+?()[{|".includes(escaped)) throw new RegexSyntaxError("bad escape");
        this.at++;
        return single(escaped.charCodeAt(0));
      }
      default:
        return single(c.charCodeAt(0));
    }
  }

  private bracket(): Node {
    const bits = new Uint8Array(256);
    let negated = false;
    if (this.text[this.at] === "^") {
      negated = true;
      this.at++;
    }
    let first = true;
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) throw new RegexSyntaxError("unmatched [");
      if (c === "]" && !first) {
        this.at++;
        break;
      }
      first = false;
      if (c === "[" && this.text[this.at + 1] === ":") {
        this.namedClass(bits);
        continue;
      }
      const low = this.bracketChar();
      if (this.text[this.at] === "-" && this.text[this.at + 1] !== "]" && this.text[this.at + 1] !== undefined) {
        this.at++;
        const high = this.bracketChar();
        if (high < low) throw new RegexSyntaxError("bad range");
        for (let i = low; i <= high; i++) bits[i] = 1;
      } else bits[low] = 1;
    }
    if (negated) for (let i = 0; i < 256; i++) bits[i] = bits[i] === 1 ? 0 : 1;
    return { kind: "set", bits };
  }

  private bracketChar(): number {
    const kind = this.text[this.at + 1];
    if (this.text[this.at] === "[" && (kind === "." || kind === "=")) {
      const end = this.text.indexOf(`${kind}]`, this.at + 2);
      if (end !== this.at + 3) throw new RegexSyntaxError("bad collating element");
      this.at = end + 2;
      return this.text.charCodeAt(end - 1);
    }
    return this.text.charCodeAt(this.at++);
  }

  private namedClass(bits: Uint8Array): void {
    const end = this.text.indexOf(":]", this.at + 2);
    if (end < 0) throw new RegexSyntaxError("bad class");
    const pattern = classNames[this.text.slice(this.at + 2, end).toLowerCase()];
    if (pattern === undefined) throw new RegexSyntaxError("bad class");
    for (let i = 0; i < 256; i++) if (pattern.test(String.fromCharCode(i))) bits[i] = 1;
    this.at = end + 2;
  }
}
