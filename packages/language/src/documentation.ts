/**
 * The documentation of expressions for `:doc`. Doc comments are not kept while parsing: the source of a function is parsed
 * once more on request.
 */
import { typeError } from "./code/arithmetic.ts";
import { call, type EvaluatorState, enterCall, evaluation, force, isDerivation, leaveCall } from "./code/interpret.ts";
import { ints } from "./code/memory.ts";
import { type Source, showPosition, sourceAt } from "./code/source.ts";
import { builtinOf, lambdaNode, partialCallee, partialCount } from "./heap/function.ts";
import { isBuiltin, isLambda, isSet, kind, kindOf, none, type Value } from "./heap/memory.ts";
import { attribute, positionOf } from "./heap/set.ts";
import { intern, nameOf } from "./heap/symbol.ts";
import type { AttrsExpr, Expr } from "./syntax/ast.ts";
import { parseSource } from "./syntax/parser.ts";
import { addFrame } from "./value/evaluation-error.ts";

/** Documentation of a value, or of the attribute that it was selected as. Comments are without their indentation. */
export type Documentation =
  | { readonly kind: "builtin"; readonly name: string; readonly arity: number }
  | {
      readonly kind: "function";
      readonly name: string | undefined;
      readonly position: string | undefined;
      readonly comment: string | undefined;
    }
  | {
      readonly kind: "attribute";
      readonly name: string;
      readonly position: string;
      readonly comment: string | undefined;
    };

const functor = intern("__functor");

/** Returns the documentation of a value itself. */
export function documentationOf(value: Value): Documentation | undefined {
  if (isBuiltin(value)) {
    const { name, arity } = builtinOf(value);
    return { kind: "builtin", name, arity };
  }
  const partial = kindOf(value) === kind.partialLambda;
  if (partial || isLambda(value)) {
    const node = lambdaNode(partial ? partialCallee(value) : value);
    const pos = ints[node + 4 + (partial ? partialCount(value) : 0)]!;
    const symbol = ints[node + 3]!;
    const source = sourceAt(pos);
    const known = source !== undefined && source.origin !== "internal";
    return {
      kind: "function",
      name: symbol > 0 ? nameOf(symbol - 1) : undefined,
      position: known ? showPosition(pos) : undefined,
      comment: known ? functionComment(source, pos, evaluation()) : undefined,
    };
  }
  if (isSet(value)) {
    const slot = isDerivation(value) ? none : attribute(value, functor);
    if (slot === none) return undefined;
    try {
      const partial = call(force(slot), value, 0);
      enterCall(0);
      const found = documentationOf(partial);
      leaveCall();
      return found;
    } catch (error) {
      throw addFrame(error, 0, "while partially calling '__functor' to retrieve documentation");
    }
  }
  return undefined;
}

/** Returns the documentation of the attribute `symbol` of a set: the place of its definition and the comment before it. */
export function attributeDocumentation(set: Value, symbol: number): Documentation | undefined {
  if (!isSet(set)) {
    throw addFrame(typeError("a set", set), 0, "while evaluating an attribute set to look for documentation");
  }
  if (attribute(set, symbol) === none) return undefined;
  const pos = positionOf(set, symbol);
  const source = sourceAt(pos);
  if (source === undefined || source.origin === "internal") return undefined;
  return {
    kind: "attribute",
    name: nameOf(symbol),
    position: showPosition(pos),
    // Upstream keeps the comments of files only.
    comment: source.origin === "file" ? commentBefore(source.text, pos - source.base) : undefined,
  };
}

const docComment = /^\/\*\*[^/*](?:[^*]|\*+[^*/])*\*+\/$/;

/** Returns the doc comment right before an offset; other comments may stand between. */
function commentBefore(text: string, offset: number): string | undefined {
  let end = offset;
  for (;;) {
    while (end > 0 && " \t\r\n".includes(text[end - 1]!)) end--;
    if (text.startsWith("*/", end - 2)) {
      const start = text.lastIndexOf("/*", end - 4);
      if (start < 0) return undefined;
      const comment = text.slice(start, end);
      if (docComment.test(comment)) return innerText(comment);
      end = start;
      continue;
    }
    const line = text.slice(text.lastIndexOf("\n", end - 1) + 1, end);
    if (!/^[ \t]*#/.test(line)) return undefined;
    end -= line.length;
  }
}

/** Returns a comment without its marks and the indentation that its lines share. */
function innerText(comment: string): string {
  const lines = `   ${comment.slice(3, -2)}`.split("\n");
  const width = (line: string) => line.search(/[^ ]/);
  const widths = lines.map(width).filter((found) => found >= 0);
  const shared = widths.length === 0 ? 0 : Math.min(...widths);
  return lines.map((line) => line.slice(Math.min(shared, line.length))).join("\n");
}

/** Returns the comment of the function at a position: before it, before the functions around it, or its attribute. */
function functionComment(source: Source, pos: number, owner: EvaluatorState): string | undefined {
  const quiet = { ...owner.parser, lint: () => undefined, warn: () => undefined };
  const finder = new FunctionFinder(source, pos);
  finder.visit(parseSource(source, quiet).expr, undefined);
  return finder.found;
}

class FunctionFinder {
  found: string | undefined;
  private readonly source: Source;
  private readonly pos: number;

  constructor(source: Source, pos: number) {
    this.source = source;
    this.pos = pos;
  }

  private comment(pos: number): string | undefined {
    return pos === 0 ? undefined : commentBefore(this.source.text, pos - this.source.base);
  }

  /** Searches for the function; `inherited` is the comment that it has if it has none of its own. */
  visit(root: Expr, inherited: string | undefined): void {
    let expr = root;
    let comment = inherited;
    while (expr.kind === "lambda") {
      comment = this.comment(expr.pos) ?? comment;
      if (expr.pos === this.pos) this.found ??= comment;
      for (const formal of expr.formals ?? []) this.visitAll([formal.fallback]);
      expr = expr.body;
    }
    switch (expr.kind) {
      case "int":
      case "float":
      case "string":
      case "path":
      case "variable":
      case "position":
        return;
      case "select":
        this.visitAll([expr.base, expr.fallback, ...expr.path.map(dynamic)]);
        return;
      case "has":
        this.visitAll([expr.base, ...expr.path.map(dynamic)]);
        return;
      case "attrs":
        this.attrs(expr);
        return;
      case "list":
        this.visitAll(expr.elements);
        return;
      case "call":
        this.visitAll([expr.callee, ...expr.args]);
        return;
      case "let":
        this.attrs(expr.attrs);
        this.visitAll([expr.body]);
        return;
      case "with":
        this.visitAll([expr.scope, expr.body]);
        return;
      case "if":
        this.visitAll([expr.condition, expr.yes, expr.no]);
        return;
      case "assert":
        this.visitAll([expr.condition, expr.body]);
        return;
      case "not":
        this.visitAll([expr.operand]);
        return;
      case "binary":
        this.visitAll([expr.left, expr.right]);
        return;
      case "concat":
        this.visitAll(expr.parts.map((part) => part.expr));
        return;
    }
  }

  private visitAll(exprs: readonly (Expr | undefined)[]): void {
    for (const expr of exprs) if (expr !== undefined) this.visit(expr, undefined);
  }

  private attrs(attrs: AttrsExpr): void {
    for (const definition of attrs.attrs.values()) {
      if (definition.kind !== "plain") continue;
      const { value } = definition;
      this.visit(value, value.kind === "lambda" ? this.comment(definition.pos) : undefined);
    }
    for (const { name, value } of attrs.dynamic) this.visitAll([name, value]);
    this.visitAll(attrs.inheritFrom);
  }
}

function dynamic(name: string | Expr): Expr | undefined {
  return typeof name === "string" ? undefined : name;
}

/** Splits an expression that ends with `.name` into the base of the selection and the name. */
export function lastSelection(expr: Expr): { readonly base: Expr; readonly name: string } | undefined {
  if (expr.kind !== "select" || expr.fallback !== undefined) return undefined;
  const name = expr.path.at(-1);
  if (typeof name !== "string") return undefined;
  const base = expr.path.length === 1 ? expr.base : { ...expr, path: expr.path.slice(0, -1) };
  return { base, name };
}
