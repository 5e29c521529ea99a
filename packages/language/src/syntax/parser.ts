/**
 * The parser, by recursive descent. It accepts what the reference's grammar accepts, words errors as that one's parser
 * generator does, and merges nested attribute definitions while reading, because that decides which of them are errors.
 *
 * Variables that no scope inside the text binds are collected on the way (`free`): an empty list proves that none is
 * undefined, so that lowering may be delayed.
 */

import { type Source, showPosition } from "../code/source.ts";
import type { LintName } from "../host.ts";
import { EvaluationError, UnexpectedToken } from "../value/evaluation-error.ts";
import type { AttrDefinition, AttrName, AttrsExpr, BinaryOperator, CallExpr, Expr, Formal, LambdaExpr } from "./ast.ts";
import { emptyAttrs } from "./ast.ts";
import { type IndentedPart, stripIndentation } from "./indented-string.ts";
import * as T from "./lexer.ts";
import { pathOfLiteral } from "./path-text.ts";
import { showAttrPath } from "./print.ts";

export interface ParserOptions {
  readonly pipes: boolean;
  readonly pure: boolean;
  homeDirectory(): string;
  /** Called for literals that a lint may object to; `message` returns the text of a warning or an error. */
  lint(name: LintName, message: (fatal: boolean) => string, pos: number): void;
  /** Called for `f or`-like code that a later release may parse differently. */
  warn(message: string): void;
}

export interface ParseResult {
  readonly expr: Expr;
  /** Names that nothing inside the text binds; globals are among them. */
  readonly free: readonly string[];
}

const maxDepth = 20000;

const binaryLevel = new Uint8Array(64);
const rightAssociative = new Uint8Array(64);
const operatorText: (string | undefined)[] = [];
function operator(token: number, level: number, text: string, right = false): void {
  binaryLevel[token] = level;
  rightAssociative[token] = right ? 1 : 0;
  operatorText[token] = text;
}
operator(T.IMPL, 1, "->", true);
operator(T.OR, 2, "||");
operator(T.AND, 3, "&&");
operator(T.EQ, 4, "==");
operator(T.NEQ, 4, "!=");
operator(T.LESS, 5, "<");
operator(T.GREATER, 5, ">");
operator(T.LEQ, 5, "<=");
operator(T.GEQ, 5, ">=");
operator(T.UPDATE, 6, "//", true);
const notLevel = 7;
operator(T.PLUS, 8, "+");
operator(T.MINUS, 8, "-");
operator(T.TIMES, 9, "*");
operator(T.DIVIDE, 9, "/");
operator(T.CONCAT, 10, "++", true);
operator(T.QUESTION, 11, "?");
const negateLevel = 12;

/** Tokens that can begin a definition, by where it stands. */
const bindingExpected = {
  let: ["'in'", "'inherit'"],
  recursive: ["'inherit'", "'}'"],
  set: ["'inherit'"],
} as const;
const attrExpected = ["identifier", "'or'", "'${'", "'\"'"];

/** Tells whether a token can start an operand; any other ends an application or a list. */
function startsOperand(token: number): boolean {
  switch (token) {
    case T.ID:
    case T.INT:
    case T.FLOAT:
    case T.STRING_OPEN:
    case T.INDENTED_OPEN:
    case T.PATH:
    case T.HOME_PATH:
    case T.SEARCH_PATH:
    case T.URI:
    case T.LET:
    case T.REC:
    case T.LEFT_BRACE:
    case T.LEFT_PAREN:
    case T.LEFT_BRACKET:
      return true;
    default:
      return false;
  }
}

class Parser {
  private readonly source: Source;
  private readonly options: ParserOptions;
  private readonly lexer: T.Lexer;
  private readonly free: string[] = [];
  private depth = 0;

  /** Applications `f or` and their ends: they parse differently once `or` is a plain name. */
  private readonly cursed = new Map<Expr, number>();
  /** False when a text is parsed again: its warnings have been reported already. */
  private readonly reporting: boolean;

  constructor(source: Source, options: ParserOptions, at: { readonly offset: number; readonly reporting: boolean }) {
    const { offset } = at;
    this.reporting = at.reporting;
    this.source = source;
    this.options = options;
    this.lexer = new T.Lexer(source.text, source.base, { offset, pipes: options.pipes });
    this.lexer.next();
  }

  whole(): ParseResult {
    const expr = this.expression();
    if (this.lexer.token !== T.EOF) this.unexpected(["end of file"]);
    return { expr, free: this.free };
  }

  /** Parses definitions without braces around them, at least one. */
  definitions(): { readonly attrs: AttrsExpr; readonly free: readonly string[] } {
    const attrs = emptyAttrs(0);
    if (this.lexer.token === T.EOF) this.unexpected();
    this.bindings(attrs, T.EOF, false);
    return { attrs, free: this.free };
  }

  one(): Expr {
    return this.expression();
  }

  operand(): Expr {
    return this.selection();
  }

  private get pos(): number {
    return this.source.base + this.lexer.start;
  }

  /** The beginning of the last piece of the last path, and the end of that path. */
  private lastPiece = 0;
  private endOfPath = -1;

  private unexpected(expected: readonly string[] = []): never {
    const { token, start } = this.lexer;
    // The reference tells the end of a file right behind a path at the path's last piece.
    const behindPath = token === T.EOF && this.endOfPath === start;
    const pos = behindPath ? this.source.base + this.lastPiece : this.pos;
    throw new UnexpectedToken(T.tokenNames[token]!, expected, pos);
  }

  private lint(name: LintName, message: (fatal: boolean) => string, pos: number): void {
    if (this.reporting) this.options.lint(name, message, pos);
  }

  private warnIfCursed(expr: Expr): void {
    if (this.cursed.size === 0) return;
    const end = this.cursed.get(expr);
    if (end === undefined || !this.reporting || expr.kind !== "call") return;
    const snippet = this.source.text.slice(expr.pos - this.source.base, end);
    this.options.warn(
      `at ${showPosition(expr.pos)}: This expression uses \`or\` as an identifier in a way that will change in a future Nix release.\nWrap this entire expression in parentheses to preserve its current meaning:\n    (${snippet})\nGive feedback at https://github.com/NixOS/nix/pull/11121`,
    );
  }

  private expect(token: number, expected: readonly string[] = [T.tokenNames[token]!]): void {
    if (this.lexer.token !== token) this.unexpected(expected);
    this.lexer.next();
  }

  // ---- scopes

  /** Forgets the uses since `mark` that `bound` contains. */
  private close(mark: number, bound: (name: string) => boolean): void {
    const free = this.free;
    let kept = mark;
    for (let i = mark; i < free.length; i++) {
      const name = free[i]!;
      if (!bound(name)) free[kept++] = name;
    }
    free.length = kept;
  }

  private variable(name: string, pos: number): Expr {
    if (this.free.at(-1) !== name) this.free.push(name);
    return { kind: "variable", name, pos };
  }

  // ---- functions and statements

  private expression(): Expr {
    const lexer = this.lexer;
    if (++this.depth > maxDepth) lexer.fail("stack overflow; the expression is nested too deeply");
    const pos = this.pos;
    let result: Expr;
    switch (lexer.token) {
      case T.ID:
        result = this.identifierOrLambda();
        break;
      case T.LEFT_BRACE:
        result = this.looksLikeFormals() ? this.formalsLambda() : this.pipes();
        break;
      case T.ASSERT: {
        lexer.next();
        const condition = this.expression();
        this.expect(T.SEMICOLON);
        result = { kind: "assert", condition, body: this.expression(), pos };
        break;
      }
      case T.WITH: {
        lexer.next();
        const scope = this.expression();
        this.expect(T.SEMICOLON);
        const mark = this.free.length;
        const body = this.expression();
        this.free.length = mark;
        result = { kind: "with", scope, body, pos };
        break;
      }
      case T.LET:
        result = this.letExpression(pos);
        break;
      case T.IF: {
        lexer.next();
        const condition = this.expression();
        this.expect(T.THEN);
        const yes = this.expression();
        this.expect(T.ELSE);
        result = { kind: "if", condition, yes, no: this.expression(), pos };
        break;
      }
      default:
        result = this.pipes();
    }
    this.depth--;
    return result;
  }

  private letExpression(pos: number): Expr {
    const lexer = this.lexer;
    const saved = lexer.offset;
    lexer.next();
    if (lexer.token === T.LEFT_BRACE) {
      // The ancient form is an operand like any other.
      lexer.offset = saved;
      lexer.token = T.LET;
      lexer.start = saved - 3;
      return this.pipes();
    }
    const mark = this.free.length;
    const attrs = emptyAttrs(0);
    const outer = this.bindings(attrs, T.IN, true);
    this.expect(T.IN);
    if (attrs.dynamic.length > 0) throw this.error("dynamic attributes not allowed in let", pos);
    const body = this.expression();
    this.close(mark, (name) => attrs.attrs.has(name));
    for (const name of outer) this.free.push(name);
    return { kind: "let", attrs, body };
  }

  private error(message: string, pos: number): EvaluationError {
    return new EvaluationError("parse-error", message, pos);
  }

  private identifierOrLambda(): Expr {
    const lexer = this.lexer;
    const text = this.source.text;
    let i = lexer.offset;
    let c = text.charCodeAt(i);
    while (c === 32 || c === 10 || c === 9 || c === 13) c = text.charCodeAt(++i);
    if (c === 58 || c === 64 || c === 35 || c === 47) {
      const { start, offset, value, previousEnd } = lexer;
      const pos = this.pos;
      lexer.next();
      if (lexer.token === T.COLON)
        return this.lambdaBody({ argument: value as string, formals: undefined, ellipsis: false, pos });
      if (lexer.token === T.AT) {
        lexer.next();
        if (lexer.token !== T.LEFT_BRACE) this.unexpected(["'{'"]);
        const mark = this.free.length;
        const { formals, ellipsis } = this.formalSet();
        if (lexer.token !== T.COLON) this.unexpected(["':'"]);
        return this.lambdaBody({ argument: value as string, formals, ellipsis, pos }, mark);
      }
      lexer.start = start;
      lexer.offset = offset;
      lexer.value = value;
      lexer.previousEnd = previousEnd;
      lexer.token = T.ID;
    }
    return this.pipes();
  }

  private lambdaBody(
    head: Pick<LambdaExpr, "argument" | "formals" | "ellipsis" | "pos">,
    mark = this.free.length,
  ): LambdaExpr {
    const lexer = this.lexer;
    lexer.next();
    const bodyStart = lexer.start;
    const body = this.expression();
    const { argument, formals, pos } = head;
    if (formals !== undefined) this.checkFormals(formals, argument, pos);
    this.close(mark, (name) => {
      if (name === argument) return true;
      if (formals === undefined) return false;
      for (let i = 0; i < formals.length; i++) if (formals[i]!.name === name) return true;
      return false;
    });
    return { kind: "lambda", ...head, body, bodyStart, bodyEnd: lexer.start };
  }

  /** Refuses names that are given twice. A mistake in the body is found before. */
  private checkFormals(formals: readonly Formal[], argument: string | undefined, pos: number): void {
    const seen = new Map<string, number>();
    let twice: { readonly first: number; readonly formal: Formal } | undefined;
    for (const [index, formal] of formals.entries()) {
      const first = seen.get(formal.name);
      if (first === undefined) seen.set(formal.name, index);
      // Of several, that one is told whose name comes first.
      else if (twice === undefined || first < twice.first) twice = { first, formal };
    }
    if (twice !== undefined) {
      throw this.error(`duplicate formal function argument '${twice.formal.name}'`, twice.formal.pos);
    }
    if (argument !== undefined && seen.has(argument)) {
      throw this.error(`duplicate formal function argument '${argument}'`, pos);
    }
  }

  /** Tells at "{" whether a set pattern starts here; two or three tokens decide. */
  private looksLikeFormals(): boolean {
    const lexer = this.lexer;
    const { start, offset, value, previousEnd } = lexer;
    lexer.next();
    let result = false;
    if (lexer.token === T.ELLIPSIS) result = true;
    else if (lexer.token === T.RIGHT_BRACE) {
      lexer.next();
      result = lexer.token === T.COLON || lexer.token === T.AT;
    } else if (lexer.token === T.ID) {
      lexer.next();
      result = lexer.token === T.COMMA || lexer.token === T.QUESTION || lexer.token === T.RIGHT_BRACE;
    }
    lexer.start = start;
    lexer.offset = offset;
    lexer.value = value;
    lexer.previousEnd = previousEnd;
    lexer.token = T.LEFT_BRACE;
    return result;
  }

  private formalsLambda(): Expr {
    const lexer = this.lexer;
    const pos = this.pos;
    const mark = this.free.length;
    const { formals, ellipsis } = this.formalSet();
    let argument: string | undefined;
    if (lexer.token === T.AT) {
      lexer.next();
      if (lexer.token !== T.ID) this.unexpected(["identifier"]);
      argument = lexer.value as string;
      lexer.next();
      if (lexer.token !== T.COLON) this.unexpected(["':'"]);
    } else if (lexer.token !== T.COLON) this.unexpected(["':'", "'@'"]);
    return this.lambdaBody({ argument, formals, ellipsis, pos }, mark);
  }

  private formalSet(): { formals: Formal[]; ellipsis: boolean } {
    const lexer = this.lexer;
    lexer.next();
    const formals: Formal[] = [];
    let ellipsis = false;
    while (lexer.token !== T.RIGHT_BRACE) {
      if (lexer.token === T.ELLIPSIS) {
        ellipsis = true;
        lexer.next();
        if (lexer.token !== T.RIGHT_BRACE) this.unexpected(["'}'"]);
        break;
      }
      if (lexer.token !== T.ID) this.unexpected(formals.length === 0 ? [] : ["identifier", "'...'", "'}'"]);
      const name = lexer.value as string;
      const at = this.pos;
      lexer.next();
      let fallback: Expr | undefined;
      if (lexer.token === T.QUESTION) {
        lexer.next();
        fallback = this.expression();
      }
      formals.push({ name, fallback, pos: at });
      if (lexer.token === T.COMMA) lexer.next();
      else if (lexer.token !== T.RIGHT_BRACE) this.unexpected(["'}'", "','"]);
    }
    lexer.next();
    return { formals, ellipsis };
  }

  // ---- operators

  private pipes(): Expr {
    const lexer = this.lexer;
    let left = this.operators(1);
    if (lexer.token === T.PIPE_FROM) {
      const pos = this.pos;
      lexer.next();
      return call(left, this.pipeFromRest(), pos);
    }
    while (lexer.token === T.PIPE_INTO) {
      const pos = this.pos;
      lexer.next();
      left = call(this.operators(1), left, pos);
    }
    return left;
  }

  private pipeFromRest(): Expr {
    const left = this.operators(1);
    if (this.lexer.token !== T.PIPE_FROM) return left;
    const pos = this.pos;
    this.lexer.next();
    return call(left, this.pipeFromRest(), pos);
  }

  private operators(minimum: number): Expr {
    const lexer = this.lexer;
    if (++this.depth > maxDepth) lexer.fail("stack overflow; the expression is nested too deeply");
    const leftPos = this.pos;
    let left: Expr;
    if (lexer.token === T.NOT) {
      lexer.next();
      const operand = this.operators(notLevel + 1);
      left = { kind: "not", operand, pos: positionOf(operand) };
    } else if (lexer.token === T.MINUS) {
      const pos = this.pos;
      lexer.next();
      const operand = this.operators(negateLevel + 1);
      left = { kind: "call", callee: this.variable("__sub", 0), args: [{ kind: "int", value: 0 }, operand], pos };
    } else left = this.application();
    let forbidden = 0;
    for (;;) {
      const token = lexer.token;
      const level = binaryLevel[token]!;
      if (level === 0 || level < minimum) break;
      if (level === forbidden) this.unexpected();
      forbidden = level === 4 || level === 5 ? level : 0;
      const pos = this.pos;
      lexer.next();
      if (token === T.QUESTION) {
        left = { kind: "has", base: left, path: this.attrPath(), pos: positionOf(left) };
        continue;
      }
      const rightPos = this.pos;
      const right = this.operators(rightAssociative[token] === 1 ? level : level + 1);
      left = this.binary(token, { left, right, pos, leftPos, rightPos });
    }
    this.depth--;
    return left;
  }

  private binary(token: number, at: { left: Expr; right: Expr; pos: number; leftPos: number; rightPos: number }): Expr {
    const { left, right, pos } = at;
    switch (token) {
      case T.PLUS:
        return {
          kind: "concat",
          forceString: false,
          parts: [
            { pos: at.leftPos, expr: left },
            { pos: at.rightPos, expr: right },
          ],
          pos,
        };
      case T.MINUS:
        return { kind: "call", callee: this.variable("__sub", 0), args: [left, right], pos };
      case T.TIMES:
        return { kind: "call", callee: this.variable("__mul", 0), args: [left, right], pos };
      case T.DIVIDE:
        return { kind: "call", callee: this.variable("__div", 0), args: [left, right], pos };
      case T.LESS:
        return { kind: "call", callee: this.variable("__lessThan", 0), args: [left, right], pos };
      case T.GREATER:
        return { kind: "call", callee: this.variable("__lessThan", 0), args: [right, left], pos };
      case T.LEQ:
        return negation({ kind: "call", callee: this.variable("__lessThan", 0), args: [right, left], pos });
      case T.GEQ:
        return negation({ kind: "call", callee: this.variable("__lessThan", 0), args: [left, right], pos });
      default: {
        const operator = operatorText[token] as BinaryOperator;
        // The reference keeps no position for comparisons.
        return { kind: "binary", operator, left, right, pos: token === T.EQ || token === T.NEQ ? 0 : pos };
      }
    }
  }

  private application(): Expr {
    const lexer = this.lexer;
    const pos = this.pos;
    let left = this.selection();
    while (startsOperand(lexer.token)) {
      const argument = this.selection();
      this.warnIfCursed(argument);
      left = call(left, argument, pos);
    }
    return left;
  }

  private selection(): Expr {
    const lexer = this.lexer;
    const pos = this.pos;
    const base = this.simple();
    if (lexer.token === T.DOT) {
      lexer.next();
      const path = this.attrPath();
      let fallback: Expr | undefined;
      if (lexer.token === T.OR_KEYWORD) {
        lexer.next();
        fallback = this.selection();
        this.warnIfCursed(fallback);
      }
      return { kind: "select", base, path, fallback, pos };
    }
    if (lexer.token === T.OR_KEYWORD) {
      lexer.next();
      const made: CallExpr = { kind: "call", callee: base, args: [this.variable("or", pos)], pos };
      this.cursed.set(made, lexer.previousEnd);
      return made;
    }
    return base;
  }

  private attrPath(): AttrName[] {
    const path = [this.attrName()];
    while (this.lexer.token === T.DOT) {
      this.lexer.next();
      path.push(this.attrName());
    }
    return path;
  }

  private attrName(expected: readonly string[] = attrExpected): AttrName {
    const lexer = this.lexer;
    switch (lexer.token) {
      case T.ID:
      case T.OR_KEYWORD: {
        const name = lexer.value as string;
        lexer.next();
        return name;
      }
      case T.STRING_OPEN: {
        const expr = this.stringLiteral();
        return expr.kind === "string" ? expr.value : expr;
      }
      case T.DOLLAR_CURLY: {
        lexer.next();
        const expr = this.expression();
        this.expect(T.RIGHT_BRACE);
        return expr.kind === "string" ? expr.value : expr;
      }
      default:
        return this.unexpected(expected);
    }
  }

  // ---- operands

  private simple(): Expr {
    const lexer = this.lexer;
    const pos = this.pos;
    switch (lexer.token) {
      case T.ID: {
        const name = lexer.value as string;
        lexer.next();
        return name === "__curPos" ? { kind: "position", pos } : this.variable(name, pos);
      }
      case T.INT: {
        const value = lexer.value as number | bigint;
        lexer.next();
        return { kind: "int", value };
      }
      case T.FLOAT: {
        const value = lexer.value as number;
        lexer.next();
        return { kind: "float", value };
      }
      case T.STRING_OPEN:
        return this.stringLiteral();
      case T.INDENTED_OPEN:
        return this.indentedString();
      case T.PATH:
      case T.HOME_PATH:
        return this.path(pos);
      case T.SEARCH_PATH: {
        const value = lexer.value as string;
        lexer.next();
        return {
          kind: "call",
          callee: this.variable("__findFile", 0),
          args: [this.variable("__nixPath", 0), { kind: "string", value }],
          pos,
        };
      }
      case T.URI: {
        const value = lexer.value as string;
        this.lint(
          "url-literals",
          (fatal) =>
            `URL literals are ${fatal ? "disallowed" : "discouraged"}. Consider using a string literal "${value}" instead`,
          pos,
        );
        lexer.next();
        return { kind: "string", value };
      }
      case T.LEFT_PAREN: {
        lexer.next();
        const inner = this.expression();
        this.expect(T.RIGHT_PAREN);
        this.cursed.delete(inner);
        return inner;
      }
      case T.LEFT_BRACKET: {
        lexer.next();
        const elements: Expr[] = [];
        while (lexer.token !== T.RIGHT_BRACKET) {
          if (!startsOperand(lexer.token)) this.unexpected();
          const element = this.selection();
          this.warnIfCursed(element);
          elements.push(element);
        }
        lexer.next();
        return { kind: "list", elements, pos };
      }
      case T.REC: {
        lexer.next();
        if (lexer.token !== T.LEFT_BRACE) this.unexpected(["'{'"]);
        return this.recursiveSet(pos);
      }
      case T.LET: {
        lexer.next();
        if (lexer.token !== T.LEFT_BRACE) this.unexpected(["'{'"]);
        const base = this.recursiveSet(pos);
        return { kind: "select", base, path: ["body"], fallback: undefined, pos: 0 };
      }
      case T.LEFT_BRACE: {
        lexer.next();
        const attrs = emptyAttrs(pos);
        this.bindings(attrs, T.RIGHT_BRACE, false);
        this.expect(T.RIGHT_BRACE);
        return attrs;
      }
      default:
        return this.unexpected();
    }
  }

  private recursiveSet(pos: number): AttrsExpr {
    this.lexer.next();
    const attrs = emptyAttrs(pos);
    attrs.recursive = true;
    const mark = this.free.length;
    const outer = this.bindings(attrs, T.RIGHT_BRACE, true);
    this.expect(T.RIGHT_BRACE);
    this.close(mark, (name) => attrs.attrs.has(name));
    for (const name of outer) this.free.push(name);
    return attrs;
  }

  private path(pos: number): Expr {
    const lexer = this.lexer;
    const text = lexer.value as string;
    if (lexer.token === T.HOME_PATH) {
      if (this.options.pure) {
        throw new EvaluationError("eval-error", `the path '${text}' can not be resolved in pure mode`, 0);
      }
      this.lint(
        "absolute-path-literals",
        () =>
          `home path literals are not portable. Consider replacing path literal '${text}' by a string, relative path, or parameter`,
        pos,
      );
    } else {
      if (text.charCodeAt(0) === 47) {
        this.lint(
          "absolute-path-literals",
          () =>
            `absolute path literals are not portable. Consider replacing path literal '${text}' by a string, relative path, or parameter`,
          pos,
        );
      } else if (text.charCodeAt(0) !== 46) {
        this.lint(
          "short-path-literals",
          () => `relative path literal '${text}' should be prefixed with '.' for clarity: './${text}'`,
          pos,
        );
      }
    }
    const value = pathOfLiteral(text, this.source.directory, this.options);
    const expr: Expr = { kind: "path", value, literal: text };
    this.lastPiece = lexer.start;
    this.endOfPath = lexer.offset;
    if (!lexer.atInterpolation()) {
      lexer.next();
      return expr;
    }
    const parts: { pos: number; expr: Expr }[] = [{ pos, expr }];
    while (lexer.atInterpolation()) {
      const at = this.source.base + lexer.offset;
      lexer.offset += 2;
      lexer.next();
      const expr = this.expression();
      if (lexer.token !== T.RIGHT_BRACE) this.unexpected(["'}'"]);
      parts.push({ pos: at, expr });
      this.lastPiece = lexer.start;
      const chunk = lexer.pathChunk();
      if (chunk !== "") {
        this.lastPiece = lexer.start;
        parts.push({ pos: this.source.base + lexer.start, expr: { kind: "string", value: chunk } });
      }
      this.endOfPath = lexer.offset;
    }
    lexer.next();
    return { kind: "concat", forceString: false, parts, pos };
  }

  private stringLiteral(): Expr {
    const lexer = this.lexer;
    const pos = this.source.base + lexer.offset;
    let parts: { pos: number; expr: Expr }[] | undefined;
    for (;;) {
      const end = lexer.stringChunk();
      const chunk = lexer.chunk;
      if (end === "end-of-file") {
        this.unexpected(parts === undefined || chunk !== "" ? ["'\"'"] : ["string", "'${'", "'\"'"]);
      }
      if (end === "close" && parts === undefined) {
        lexer.next();
        this.noNul(chunk, pos);
        return { kind: "string", value: chunk };
      }
      const chunkPos = this.source.base + lexer.chunkStart;
      if (chunk !== "") {
        parts ??= [];
        parts.push({ pos: chunkPos, expr: { kind: "string", value: chunk } });
      }
      if (end === "close") break;
      parts ??= [];
      const at = this.pos;
      lexer.next();
      const expr = this.expression();
      if (lexer.token !== T.RIGHT_BRACE) this.unexpected(["'}'"]);
      parts.push({ pos: at, expr });
    }
    lexer.next();
    return { kind: "concat", forceString: true, parts: parts ?? [], pos };
  }

  private noNul(text: string, pos: number): void {
    if (text.includes("\0")) {
      const shown = text.replaceAll("\0", "\xe2\x90\x80");
      throw this.error(
        `input string '${shown}' cannot be represented as Nix string because it contains null bytes`,
        pos,
      );
    }
  }

  private indentedString(): Expr {
    const lexer = this.lexer;
    const pos = this.pos;
    const parts: IndentedPart[] = [];
    for (;;) {
      const end = lexer.indentedChunk();
      if (end === "end-of-file") {
        if (lexer.chunk !== "") parts.push({ pos, text: lexer.chunk, indents: true });
        this.unexpected(["indented string", "'${'", "end of an indented string"]);
      }
      if (end === "close") break;
      if (end === "text") {
        this.noNul(lexer.chunk, this.pos);
        parts.push({ pos: this.pos, text: lexer.chunk, indents: lexer.chunkIndents });
        continue;
      }
      const at = this.pos;
      lexer.next();
      const expr = this.expression();
      if (lexer.token !== T.RIGHT_BRACE) this.unexpected(["'}'"]);
      parts.push({ pos: at, expr });
    }
    lexer.next();
    return stripIndentation(parts, pos);
  }

  // ---- attribute sets

  /** Parses definitions up to `end`; returns the names that `inherit` takes from outside when the set is recursive. */
  private bindings(attrs: AttrsExpr, end: number, recursive: boolean): string[] {
    const lexer = this.lexer;
    const outer: string[] = [];
    const expected = end === T.IN ? bindingExpected.let : recursive ? bindingExpected.recursive : bindingExpected.set;
    while (lexer.token !== end) {
      if (lexer.token === T.INHERIT) {
        this.inherit(attrs, recursive ? outer : undefined);
        continue;
      }
      const pos = this.pos;
      const path: AttrName[] = [this.attrName(expected)];
      while (lexer.token === T.DOT) {
        lexer.next();
        path.push(this.attrName());
      }
      if (lexer.token !== T.ASSIGN) this.unexpected(["'.'", "'='"]);
      lexer.next();
      const start = lexer.start;
      const value = this.expression();
      if (lexer.token !== T.SEMICOLON) this.unexpected(["';'"]);
      this.define(attrs, path, { kind: "plain", value, pos, start, end: lexer.start });
      lexer.next();
    }
    return outer;
  }

  private inherit(attrs: AttrsExpr, outer: string[] | undefined): void {
    const lexer = this.lexer;
    lexer.next();
    let from = -1;
    if (lexer.token === T.LEFT_PAREN) {
      lexer.next();
      const expr = this.expression();
      this.expect(T.RIGHT_PAREN);
      from = attrs.inheritFrom.length;
      attrs.inheritFrom.push(expr);
    }
    while (lexer.token !== T.SEMICOLON) {
      const pos = this.pos;
      const name = this.attrName([]);
      if (typeof name !== "string") throw this.error("dynamic attributes not allowed in inherit", pos);
      const known = attrs.attrs.get(name);
      if (known !== undefined) throw this.duplicate([name], pos, known.pos);
      attrs.attrs.set(name, from < 0 ? { kind: "inherited", pos } : { kind: "inherited-from", from, pos });
      if (from < 0) (outer ?? this.free).push(name);
    }
    lexer.next();
  }

  private duplicate(path: readonly AttrName[], pos: number, previous: number): EvaluationError {
    return this.error(`attribute '${showAttrPath(path)}' already defined at ${showPosition(previous)}`, pos);
  }

  private define(target: AttrsExpr, path: readonly AttrName[], definition: AttrDefinition & { kind: "plain" }): void {
    let attrs = target;
    const pos = definition.pos;
    for (let i = 0; i + 1 < path.length; i++) {
      const name = path[i]!;
      const nested = emptyAttrs(0);
      if (typeof name !== "string") {
        attrs.dynamic.push({ name, value: nested, pos });
        attrs = nested;
        continue;
      }
      const known = attrs.attrs.get(name);
      if (known === undefined) {
        attrs.attrs.set(name, { kind: "plain", value: nested, pos, start: 0, end: 0 });
        attrs = nested;
      } else if (known.kind === "plain" && known.value.kind === "attrs") {
        known.start = known.end = 0;
        attrs = known.value;
      } else throw this.duplicate(path.slice(0, i + 1), pos, known.pos);
    }
    const last = path[path.length - 1]!;
    if (typeof last === "string") this.defineOne(attrs, path, last, definition);
    else attrs.dynamic.push({ name: last, value: definition.value, pos });
  }

  private defineOne(attrs: AttrsExpr, path: readonly AttrName[], name: string, definition: AttrDefinition): void {
    const known = attrs.attrs.get(name);
    if (known === undefined) {
      attrs.attrs.set(name, definition);
      return;
    }
    const added = definition.kind === "plain" && definition.value.kind === "attrs" ? definition.value : undefined;
    const present = known.kind === "plain" && known.value.kind === "attrs" ? known.value : undefined;
    if (added === undefined || present === undefined || known.kind !== "plain") {
      throw this.duplicate(path, definition.pos, known.pos);
    }
    // A `rec` on the added set is lost, and one on the present set now covers what is added; so it is upstream.
    known.start = known.end = 0;
    const shift = present.inheritFrom.length;
    for (const [key, inner] of added.attrs) {
      if (inner.kind === "inherited-from") inner.from += shift;
      this.defineOne(present, [...path, key], key, inner);
    }
    present.dynamic.push(...added.dynamic);
    present.inheritFrom.push(...added.inheritFrom);
  }
}

function call(callee: Expr, argument: Expr, pos: number): CallExpr {
  if (callee.kind === "call") {
    callee.args.push(argument);
    return callee;
  }
  return { kind: "call", callee, args: [argument], pos };
}

function negation(operand: CallExpr): Expr {
  return { kind: "not", operand, pos: operand.pos };
}

/** Returns the position that the reference uses for an expression as a whole. */
export function positionOf(expr: Expr): number {
  switch (expr.kind) {
    case "int":
    case "float":
    case "string":
    case "path":
    case "let":
      return 0;
    case "has":
      return positionOf(expr.base);
    case "list":
      return expr.elements.length === 0 ? 0 : positionOf(expr.elements[0]!);
    case "variable":
    case "select":
    case "attrs":
    case "lambda":
    case "call":
    case "with":
    case "if":
    case "assert":
    case "not":
    case "binary":
    case "concat":
    case "position":
      return expr.pos;
  }
}

/** Parses a whole source. */
export function parseSource(source: Source, options: ParserOptions): ParseResult {
  return new Parser(source, options, { offset: 0, reporting: true }).whole();
}

/** Parses a source that consists of definitions (`x = 1; inherit y;`), as the repl accepts them. */
export function parseDefinitions(
  source: Source,
  options: ParserOptions,
): { readonly attrs: AttrsExpr; readonly free: readonly string[] } {
  return new Parser(source, options, { offset: 0, reporting: true }).definitions();
}

/** Parses the one operand (an attribute selection, say) that starts at an offset. */
export function parseSelectionAt(source: Source, options: ParserOptions, offset: number): Expr {
  return new Parser(source, options, { offset, reporting: false }).operand();
}

/** Parses the one expression that starts at an offset; the source is known to be valid. */
export function parseExpressionAt(source: Source, options: ParserOptions, offset: number): Expr {
  return new Parser(source, options, { offset, reporting: false }).one();
}
