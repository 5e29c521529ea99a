/**
 * POSIX extended regular expressions as the reference's library matches them: the longest of the leftmost matches, the first
 * alternative path among equally long ones, groups in a repetition keep their last match. A pattern for which JavaScript's
 * own engine must agree is translated for it; for others a small backtracking matcher runs. A whole text is matched byte by byte when
 * the pattern leaves no choice (one-pass.ts).
 */

import { FirnError } from "@firn/formats";
import { type OnePass, onePassOf } from "./one-pass.ts";
import { type Node, RegexParser, RegexSyntaxError } from "./regex-syntax.ts";

// ---- translation to JavaScript

function hex(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}

function translateSet(bits: Uint8Array): string {
  let out = "";
  let count = 0;
  for (let i = 0; i < 256; i++) {
    if (bits[i] === 0) continue;
    let j = i;
    while (j + 1 < 256 && bits[j + 1] === 1) j++;
    count += j - i + 1;
    out += j === i ? hex(i) : `${hex(i)}-${hex(j)}`;
    i = j;
  }
  return count === 1 ? out : `[${out}]`;
}

function translate(node: Node): string {
  switch (node.kind) {
    case "set":
      return translateSet(node.bits);
    case "sequence":
      return node.items.map(translate).join("");
    case "choice":
      return `(?:${node.options.map(translate).join("|")})`;
    case "group":
      return `(${translate(node.body)})`;
    case "repeat": {
      const max = node.max === Number.POSITIVE_INFINITY ? "" : String(node.max);
      return `(?:${translate(node.body)}){${node.min},${max}}`;
    }
    case "begin":
      return "^";
    case "end":
      return "$";
  }
}

/** Tells whether a choice or an optional group may make the first path shorter than the longest. */
function mayPreferShort(node: Node): boolean {
  switch (node.kind) {
    case "choice":
      return node.options.some((option) => option.kind !== "set");
    case "sequence":
      return node.items.some(mayPreferShort);
    case "group":
      return mayPreferShort(node.body);
    case "repeat":
      return node.body.kind !== "set" && !(node.body.kind === "group" && node.body.body.kind === "set");
    default:
      return false;
  }
}

/** Tells whether a node can match the empty text. */
function nullable(node: Node): boolean {
  switch (node.kind) {
    case "set":
      return false;
    case "sequence":
      return node.items.every(nullable);
    case "choice":
      return node.options.some(nullable);
    case "group":
      return nullable(node.body);
    case "repeat":
      return node.min === 0 || nullable(node.body);
    default:
      return true;
  }
}

/** Tells whether a group inside a repetition may be skipped in a later round, which makes JavaScript forget it. */
function mayForgetGroup(node: Node, repeated: boolean, optional: boolean): boolean {
  switch (node.kind) {
    case "choice":
      return node.options.some((option) => mayForgetGroup(option, repeated, true));
    case "sequence":
      return node.items.some((item) => mayForgetGroup(item, repeated, optional));
    case "group":
      return (repeated && (optional || nullable(node.body))) || mayForgetGroup(node.body, repeated, optional);
    case "repeat":
      return mayForgetGroup(
        node.body,
        repeated || node.max > 1,
        node.max > 1 ? node.min === 0 && repeated : optional || node.min === 0,
      );
    default:
      return false;
  }
}

// ---- the own matcher

interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

/** Tries all paths from `start`, depth first; keeps the first of the longest ends (or the first that ends at `mustEnd`). */
function longestFrom(
  node: Node,
  text: string,
  at: { readonly start: number; readonly groups: number; readonly mustEnd: number | undefined },
): Match | undefined {
  const { start, groups, mustEnd } = at;
  const spans: number[] = new Array<number>(groups * 2 + 2).fill(-1);
  let best: { end: number; spans: number[] } | undefined;
  const accept = (end: number): boolean => {
    if (mustEnd !== undefined && end !== mustEnd) return false;
    if (best === undefined || end > best.end) best = { end, spans: spans.slice() };
    return mustEnd !== undefined;
  };
  const run = (n: Node, i: number, next: (i: number) => boolean): boolean => {
    switch (n.kind) {
      case "set":
        return i < text.length && n.bits[text.charCodeAt(i)] === 1 && next(i + 1);
      case "begin":
        return i === 0 && next(i);
      case "end":
        return i === text.length && next(i);
      case "sequence": {
        const step = (k: number, j: number): boolean =>
          k === n.items.length ? next(j) : run(n.items[k]!, j, (q) => step(k + 1, q));
        return step(0, i);
      }
      case "choice":
        for (const option of n.options) if (run(option, i, next)) return true;
        return false;
      case "group": {
        const s = spans[2 * n.index]!;
        const e = spans[2 * n.index + 1]!;
        const finished = run(n.body, i, (j) => {
          const s2 = spans[2 * n.index]!;
          const e2 = spans[2 * n.index + 1]!;
          spans[2 * n.index] = i;
          spans[2 * n.index + 1] = j;
          if (next(j)) return true;
          spans[2 * n.index] = s2;
          spans[2 * n.index + 1] = e2;
          return false;
        });
        if (!finished) {
          spans[2 * n.index] = s;
          spans[2 * n.index + 1] = e;
        }
        return finished;
      }
      case "repeat": {
        // Two rounds may start at one place: an empty one still sets the groups.
        const round = (count: number, j: number, startedHere: number): boolean => {
          if (
            count < n.max &&
            startedHere < 2 &&
            run(n.body, j, (q) => round(count + 1, q, q === j ? startedHere + 1 : 0))
          ) {
            return true;
          }
          return count >= n.min && next(j);
        };
        return round(0, i, 0);
      }
    }
  };
  run(node, start, accept);
  if (best === undefined) return undefined;
  const found: (string | undefined)[] = [];
  for (let g = 1; g <= groups; g++) {
    const from = best.spans[2 * g]!;
    found.push(from < 0 ? undefined : text.slice(from, best.spans[2 * g + 1]!));
  }
  return { start, end: best.end, groups: found };
}

/** A compiled pattern. */
export class PosixRegex {
  private readonly node: Node;
  private readonly groups: number;
  private table: OnePass | null | undefined;
  private readonly whole: RegExp | undefined;
  private readonly search: RegExp | undefined;
  /** The text that the pattern is, when it has nothing but plain characters. */
  private readonly literal: string | undefined;

  constructor(pattern: string, options: { readonly ignoreCase?: boolean } = {}) {
    const parser = new RegexParser(pattern, options);
    this.node = parser.parse();
    this.groups = parser.groups;
    const translatable = !mayForgetGroup(this.node, false, false);
    const source = translatable ? translate(this.node) : "";
    this.whole = translatable ? new RegExp(`^(?:${source})$`) : undefined;
    this.literal = literalOf(this.node);
    this.search = translatable && !mayPreferShort(this.node) ? new RegExp(source, "g") : undefined;
  }

  /** The pattern as a table, if it leaves no choice; made at the first match. */
  get onePass(): OnePass | undefined {
    if (this.table === undefined) this.table = onePassOf(this.node, this.groups) ?? null;
    return this.table ?? undefined;
  }

  /** Returns the groups of a match of the whole text, or undefined. */
  match(text: string): readonly (string | undefined)[] | undefined {
    if (this.whole !== undefined) {
      if (this.groups === 0) return this.whole.test(text) ? noGroups : undefined;
      return this.whole.exec(text)?.slice(1);
    }
    return longestFrom(this.node, text, { start: 0, groups: this.groups, mustEnd: text.length })?.groups;
  }

  /** Passes on all matches from left to right that do not overlap: where they start and end, and their groups. */
  eachMatch(text: string, use: (start: number, end: number, groups: readonly (string | undefined)[]) => void): void {
    const { literal, search } = this;
    if (literal !== undefined) {
      for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length)) {
        use(at, at + literal.length, noGroups);
      }
      return;
    }
    if (search !== undefined) {
      search.lastIndex = 0;
      for (let match = search.exec(text); match !== null; match = search.exec(text)) {
        const { index } = match;
        const end = index + match[0].length;
        use(index, end, this.groups === 0 ? noGroups : match.slice(1));
        // An empty match would be found again at the same place.
        if (end === index) search.lastIndex++;
      }
      return;
    }
    for (let at = 0; at <= text.length; ) {
      const match = longestFrom(this.node, text, { start: at, groups: this.groups, mustEnd: undefined });
      if (match === undefined) at++;
      else {
        use(match.start, match.end, match.groups);
        at = match.end > at ? match.end : at + 1;
      }
    }
  }
}

const noGroups: readonly (string | undefined)[] = [];

/** Returns the text that alone matches a pattern without groups; undefined for other patterns and the empty one. */
function literalOf(node: Node): string | undefined {
  if (node.kind === "set") {
    const first = node.bits.indexOf(1);
    return first >= 0 && node.bits.indexOf(1, first + 1) < 0 ? String.fromCharCode(first) : undefined;
  }
  if (node.kind !== "sequence" || node.items.length === 0) return undefined;
  const parts = node.items.map(literalOf);
  return parts.includes(undefined) ? undefined : parts.join("");
}

const compiled = new Map<string, PosixRegex>();
const cacheSize = 2000;

/** Compiles a POSIX extended regular expression over bytes; throws {@link RegexSyntaxError}. With `ignoreCase` letters match in both cases. */
export function compileRegex(pattern: string, options: { readonly ignoreCase?: boolean } = {}): PosixRegex {
  if (options.ignoreCase === true) return new PosixRegex(pattern, options);
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    regex = new PosixRegex(pattern);
    if (compiled.size >= cacheSize) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex;
}

/** Compiles the pattern that a user gives on a command line. Error `bad-regex` in the words of the reference's library. */
export function userRegex(pattern: string, options: { readonly ignoreCase?: boolean } = {}): PosixRegex {
  try {
    return compileRegex(pattern, options);
  } catch (cause) {
    if (!(cause instanceof RegexSyntaxError)) throw cause;
    throw new FirnError("bad-regex", cause.message);
  }
}

/** Returns what the reference's library says of a pattern that is no regular expression; undefined for one that is. */
export function regexMistake(pattern: string): string | undefined {
  try {
    compileRegex(pattern);
  } catch (error) {
    if (error instanceof RegexSyntaxError) return error.message;
    throw error;
  }
  return undefined;
}
