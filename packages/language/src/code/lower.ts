/**
 * Lowering: syntax tree to flat code. Variables become (depth, slot), names symbols, literals constants. Long lambda
 * bodies and attribute values are left as a note (source, offset, scope) and lowered when first run: of a large source
 * the text is parsed again, but only once, as the trees of parts inside such a part are kept.
 */

import { makeInt64 } from "../heap/number.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import type { AttrDefinition, AttrName, AttrsExpr, CallExpr, Expr, LambdaExpr } from "../syntax/ast.ts";
import { type ParserOptions, parseExpressionAt, positionOf } from "../syntax/parser.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { addLiteral } from "./literals.ts";
import { allocateCode, floatConstant, ints, pathConstant, stringConstant } from "./memory.ts";
import { addObservedSite, marked, siteOf } from "./observed.ts";
import { nearVariables, op } from "./opcodes.ts";
import { bindingScope, resolve, type Scope, withScope } from "./scope.ts";
import type { Source } from "./source.ts";

const lazyFrom = 120;
/** Length up to which sources keep their trees until all is lowered; a tree takes some twenty times the text. */
const keptLength = 262144;
const maxArity = 8;
const smallIntLimit = 1073741823;

/** The context of lowering one source, kept for the parts that are lowered later. */
export interface LowerContext {
  readonly source: Source;
  readonly parser: ParserOptions;
  isGlobal(name: string): boolean;
  /** False when an undefined variable must be found at once. */
  readonly lazy: boolean;
  /** True for the debugger: nodes are wrapped in OBSERVED ones. */
  readonly observed?: boolean;
  /** True for an observer of calls: calls are WATCHED_CALL nodes. */
  readonly watched?: boolean;
  /** Set when a part is lowered later. */
  readonly changes?: { lowered: boolean };
}

/** A part that is not lowered yet. */
export interface LazyNote {
  readonly context: LowerContext;
  readonly scope: Scope | null | (() => Scope | null);
  readonly offset: number;
  readonly name: number;
  /** The tree, when the text is not to be parsed again. */
  readonly expr: Expr | undefined;
}

const notes: (LazyNote | null | undefined)[] = [];
let patternCount = 0;
/** Makes the notes of an image. */
let loadedNote: (index: number) => LazyNote;

export function addLazyNote(note: LazyNote): number {
  notes.push(note);
  return notes.length - 1;
}

/** Returns the note of a node that is not lowered yet. */
export function lazyNote(index: number): LazyNote {
  return notes[index] ?? loadedNote(index);
}

/** Returns the notes of what is not lowered yet, null for what is by now, and the number of set patterns. */
export function notesAndPatterns(): { readonly notes: (LazyNote | null)[]; readonly patterns: number } {
  return { notes: notes.map((note, index) => (note === undefined ? loadedNote(index) : note)), patterns: patternCount };
}

/** Takes the notes of an image, which are made at their first use. */
export function takeNotes(count: number, patterns: number, make: (index: number) => LazyNote): void {
  for (let i = 0; i < count; i++) notes.push(undefined);
  patternCount = patterns;
  loadedNote = make;
}

export function scopeOfNote(note: LazyNote): Scope | null {
  return typeof note.scope === "function" ? note.scope() : note.scope;
}

/** Returns a number for the interpreter's memo of one set pattern. */
export function newPattern(): number {
  return patternCount++;
}

const arithmetic: ReadonlyMap<string, number> = new Map([
  ["__lessThan", op.LESS],
  ["__sub", op.SUB],
  ["__mul", op.MUL],
  ["__div", op.DIV],
]);

/** Lowers a whole source; returns the offset of its root node. */
export function lower(expr: Expr, context: LowerContext, scope: Scope | null): number {
  return new Lowering(context, context.source.text.length <= keptLength).expr(expr, scope);
}

/** Lowers the part noted by a LAZY node and turns the node into a FORWARD. Returns the new node. */
export function lowerLazy(node: number): number {
  const note = lazyNote(ints[node + 1]!);
  notes[ints[node + 1]!] = null;
  const { context, offset, name, expr } = note;
  const scope = scopeOfNote(note);
  if (context.changes !== undefined) context.changes.lowered = true;
  const lowering = new Lowering(context, true);
  const target = lowering.expr(expr ?? parseExpressionAt(context.source, context.parser, offset), scope, name);
  ints[node] = op.FORWARD;
  ints[node + 1] = target;
  return target;
}

class Lowering {
  private readonly context: LowerContext;
  private readonly keepTrees: boolean;

  constructor(context: LowerContext, keepTrees: boolean) {
    this.context = context;
    this.keepTrees = keepTrees;
  }

  private node(...cells: number[]): number {
    const at = allocateCode(cells.length);
    for (let i = 0; i < cells.length; i++) ints[at + i] = cells[i]!;
    return at;
  }

  /** Lowers an expression; `name` is the symbol + 1 of the attribute with this value, by which lambdas are named. */
  expr(expr: Expr, scope: Scope | null, name = 0): number {
    const node = this.plain(expr, scope, name);
    const site = this.context.observed === true ? siteOf(expr, scope) : undefined;
    // Variables that are bound cannot fail.
    if (site === undefined || (expr.kind === "variable" && ints[node] !== op.WITH_VARIABLE)) return node;
    return this.node(op.OBSERVED, addObservedSite(site), node);
  }

  /** Returns the body of a function with an observed node around it. */
  private observedBody(body: number, expr: { readonly pos: number }, at: { scope: Scope; name: number }): number {
    if (this.context.observed !== true) return body;
    const name = at.name > 0 ? `'${nameOf(at.name - 1)}'` : "anonymous lambda";
    const text = `while calling ${marked(name)}`;
    return this.node(op.OBSERVED, addObservedSite({ text, pos: expr.pos, scope: at.scope, onlyErrors: false }), body);
  }

  private plain(expr: Expr, scope: Scope | null, name: number): number {
    switch (expr.kind) {
      case "int":
        return this.integer(expr.value);
      case "float":
        return this.node(op.CONST, floatConstant(expr.value));
      case "string":
        return this.node(op.CONST, stringConstant(expr.value));
      case "path": {
        return this.node(op.CONST, pathConstant(expr.value, expr.literal));
      }
      case "variable":
        return this.variable(expr.name, scope, expr.pos);
      case "select":
        return this.select(expr.base, expr, scope);
      case "has":
        return this.has(expr, scope);
      case "attrs":
        return this.attrs(expr, scope);
      case "list": {
        const length = expr.elements.length;
        if (length === 0) return this.node(op.EMPTY_LIST);
        const elements = expr.elements.map((element) => this.expr(element, scope));
        return this.node(op.LIST, length, ...elements);
      }
      case "lambda":
        return this.lambda(expr, scope, name);
      case "call":
        return this.call(expr, scope);
      case "let": {
        const bound = this.bindings(expr.attrs, scope);
        const body = this.expr(expr.body, bound.scope);
        return this.node(op.LET, body, bound.values.length, ...bound.values);
      }
      case "with": {
        const base = this.expr(expr.scope, scope);
        const body = this.expr(expr.body, withScope(scope, expr.pos));
        return this.node(op.WITH, base, body, expr.pos);
      }
      case "if": {
        const condition = this.expr(expr.condition, scope);
        const yes = this.expr(expr.yes, scope);
        return this.node(op.IF, condition, yes, this.expr(expr.no, scope), expr.pos);
      }
      case "assert": {
        const condition = this.expr(expr.condition, scope);
        return this.node(op.ASSERT, condition, this.expr(expr.body, scope), expr.pos);
      }
      case "not":
        return this.node(op.NOT, this.expr(expr.operand, scope), expr.pos);
      case "binary":
        return this.binary(expr, scope);
      case "concat":
        return this.concat(expr, scope);
      case "position":
        return this.node(op.POSITION, expr.pos);
    }
  }

  private integer(value: number | bigint): number {
    if (typeof value === "number" && value < smallIntLimit) return this.node(op.INT, value);
    return this.node(op.CONST, makeInt64(value));
  }

  // ---- variables

  private place(depth: number, slot: number, pos: number): number {
    if (depth < nearVariables.depths) return this.node(nearVariable(depth, slot - 1), slot - 1, pos);
    return this.node(op.VARIABLE, depth, slot - 1, pos);
  }

  private variable(name: string, scope: Scope | null, pos: number): number {
    const found = resolve(scope, name);
    if (found.kind === "bound") {
      const { depth, slot } = found.place;
      return this.place(depth, slot, pos);
    }
    if (this.context.isGlobal(name)) return this.node(op.GLOBAL, intern(name), pos);
    const { withs } = found;
    if (withs.length === 0) throw new EvaluationError("undefined-variable", `undefined variable '${name}'`, pos);
    const cells: number[] = [op.WITH_VARIABLE, intern(name), pos, withs.length];
    for (const { depth, position } of withs) cells.push(depth, position);
    return this.node(...cells);
  }

  // ---- selection

  private key(name: AttrName, scope: Scope | null): number {
    if (typeof name === "string") return intern(name);
    return ~this.node(op.KEY, this.expr(name, scope), positionOf(name));
  }

  private select(base: Expr, expr: Expr & { kind: "select" }, scope: Scope | null): number {
    const from = this.expr(base, scope);
    const first = expr.path[0]!;
    if (expr.fallback === undefined && expr.path.length === 1 && typeof first === "string") {
      return this.node(op.SELECT1, from, intern(first), -1, 0, expr.pos);
    }
    const cells: number[] = [];
    for (const name of expr.path) cells.push(this.key(name, scope), -1, 0);
    const fallback = expr.fallback === undefined ? 0 : this.expr(expr.fallback, scope);
    return this.node(op.SELECT, from, fallback, expr.path.length, expr.pos, ...cells);
  }

  private has(expr: Expr & { kind: "has" }, scope: Scope | null): number {
    const base = this.expr(expr.base, scope);
    const first = expr.path[0]!;
    if (expr.path.length === 1 && typeof first === "string") return this.node(op.HAS1, base, intern(first), expr.pos);
    const keys = expr.path.map((name) => this.key(name, scope));
    return this.node(op.HAS, base, keys.length, expr.pos, ...keys);
  }

  // ---- functions

  private lambda(expr: LambdaExpr, scope: Scope | null, name: number): number {
    if (expr.formals === undefined) return this.curried(expr, scope, name);
    const names = new Map<string, number>();
    let slot = 0;
    for (const formal of expr.formals) names.set(formal.name, ++slot);
    const count = slot;
    if (expr.argument !== undefined) names.set(expr.argument, ++slot);
    const inner = bindingScope(scope, names);
    const fallbacks = expr.formals.map((formal) =>
      formal.fallback === undefined ? 0 : this.expr(formal.fallback, inner),
    );
    const plain = this.lazily(expr.body, inner, { start: expr.bodyStart, end: expr.bodyEnd }, name);
    const body = this.observedBody(plain, expr, { scope: inner, name });
    const flags = (expr.argument === undefined ? 0 : 1) | (expr.ellipsis ? 2 : 0);
    const cells: number[] = [op.PATTERN, body, 1, name, expr.pos, count, flags, newPattern()];
    expr.formals.forEach((formal, i) => {
      cells.push(intern(formal.name), fallbacks[i]!, formal.pos);
    });
    return this.node(...cells);
  }

  /** Lowers `a: b: c: …` to one node of several arguments. */
  private curried(expr: LambdaExpr, scope: Scope | null, name: number): number {
    const names = new Map<string, number>();
    const positions: number[] = [];
    let last = expr;
    let body: Expr = expr;
    while (body.kind === "lambda" && body.formals === undefined && positions.length < maxArity) {
      const argument = body.argument!;
      if (names.has(argument)) break;
      names.set(argument, names.size + 1);
      positions.push(body.pos);
      last = body;
      body = body.body;
    }
    const inner = bindingScope(scope, names);
    const plain = this.lazily(body, inner, { start: last.bodyStart, end: last.bodyEnd }, name);
    const code = this.observedBody(plain, last, { scope: inner, name });
    return this.node(op.LAMBDA, code, positions.length, name, ...positions);
  }

  private call(expr: CallExpr, scope: Scope | null): number {
    const { callee, args, pos } = expr;
    const isWatched = this.context.watched === true;
    if (callee.kind === "variable" && args.length === 2 && !isWatched) {
      const opcode = arithmetic.get(callee.name);
      if (opcode !== undefined && resolve(scope, callee.name).kind === "free") {
        const left = this.expr(args[0]!, scope);
        return this.node(opcode, left, this.expr(args[1]!, scope), pos);
      }
    }
    const target = this.expr(callee, scope);
    const values = args.map((arg) => this.expr(arg, scope));
    if (isWatched) return this.node(op.WATCHED_CALL, target, pos, values.length, ...values);
    if (values.length <= 3) return this.node(op.CALL1 - 1 + values.length, target, pos, ...values);
    return this.node(op.CALLN, target, pos, values.length, ...values);
  }

  // ---- operators

  private binary(expr: Expr & { kind: "binary" }, scope: Scope | null): number {
    const left = this.expr(expr.left, scope);
    const right = this.expr(expr.right, scope);
    switch (expr.operator) {
      case "==":
        return this.node(op.EQ, left, right, expr.pos);
      case "!=":
        return this.node(op.NEQ, left, right, expr.pos);
      case "&&":
        return this.node(op.AND, left, right, expr.pos);
      case "||":
        return this.node(op.OR, left, right, expr.pos);
      case "->":
        return this.node(op.IMPL, left, right, expr.pos);
      case "++":
        return this.node(op.CONCAT, left, right, expr.pos);
      case "//": {
        const place = (operand: Expr) =>
          operand.kind === "binary" && operand.operator === "//" ? -1 : positionOf(operand);
        return this.node(op.UPDATE, left, right, place(expr.left), place(expr.right));
      }
    }
  }

  private concat(expr: Expr & { kind: "concat" }, scope: Scope | null): number {
    const parts = expr.parts.map((part) => this.expr(part.expr, scope));
    if (!expr.forceString && parts.length === 2 && expr.parts[0]!.expr.kind !== "path") {
      return this.node(op.ADD, parts[0]!, parts[1]!, expr.parts[0]!.pos, expr.parts[1]!.pos, expr.pos);
    }
    const cells: number[] = [expr.forceString ? op.STRING_CONCAT : op.PATH_CONCAT, parts.length, expr.pos];
    parts.forEach((part, i) => {
      cells.push(part, expr.parts[i]!.pos);
    });
    return this.node(...cells);
  }

  // ---- sets and bindings

  /**
   * Lowers the values of a recursive scope: slots 1…n are the attributes, further ones the sources of `inherit (…)` that are
   * more than a variable or a selection from one.
   */
  private bindings(attrs: AttrsExpr, scope: Scope | null) {
    const names = new Map<string, number>();
    const entries = [...attrs.attrs];
    entries.forEach(([name], i) => {
      names.set(name, i + 1);
    });
    const fromSlots = slotsOfSources(attrs);
    const inner = bindingScope(scope, names);
    const outer = bindingScope(scope, new Map());
    const source = (from: number) => {
      const slot = fromSlots.slot[from]!;
      return slot === 0
        ? this.expr(attrs.inheritFrom[from]!, inner)
        : this.place(0, entries.length + slot, positionOf(attrs.inheritFrom[from]!));
    };
    const lowered = ([name, definition]: (typeof entries)[number]): number => {
      switch (definition.kind) {
        case "inherited":
          return this.variable(name, outer, definition.pos);
        case "inherited-from":
          return this.node(op.SELECT1, source(definition.from), intern(name), -1, 0, definition.pos);
        case "plain":
          return this.lazily(definition.value, inner, definition, intern(name) + 1);
      }
    };
    const values = entries.map(lowered);
    attrs.inheritFrom.forEach((from, i) => {
      if (fromSlots.slot[i] !== 0) values.push(this.expr(from, inner));
    });
    return { scope: inner, values, entries };
  }

  private attrs(expr: AttrsExpr, scope: Scope | null): number {
    if (expr.attrs.size === 0 && expr.dynamic.length === 0) return this.node(op.EMPTY_ATTRS);
    const { base, scope: dynamicScope } = expr.recursive
      ? this.recursiveAttrs(expr, scope)
      : { base: this.plainAttrs(expr, scope), scope };
    if (expr.dynamic.length === 0) return base;
    const cells: number[] = [op.DYNAMIC, base, expr.recursive ? 1 : 0, expr.dynamic.length, expr.pos];
    for (const { name, value, pos } of expr.dynamic) {
      cells.push(this.expr(name, dynamicScope), this.expr(value, dynamicScope), pos);
    }
    return this.node(...cells);
  }

  private recursiveAttrs(expr: AttrsExpr, scope: Scope | null): { base: number; scope: Scope } {
    const bound = this.bindings(expr, scope);
    const sorted = bound.entries
      .map(([name, definition], index) => ({ symbol: intern(name), index, pos: definition.pos }))
      .sort((a, b) => a.symbol - b.symbol);
    const literal = addLiteral(
      sorted.map((entry) => entry.symbol),
      sorted.map((entry) => entry.pos),
      expr.pos,
    );
    const overrides = bound.entries.findIndex(([name]) => name === "__overrides") + 1;
    const indices = sorted.map((entry) => entry.index);
    const base = this.node(
      op.REC_ATTRS,
      literal,
      indices.length,
      bound.values.length,
      overrides,
      ...indices,
      ...bound.values,
    );
    return { base, scope: bound.scope };
  }

  private plainAttrs(expr: AttrsExpr, scope: Scope | null): number {
    const fromSlots = slotsOfSources(expr);
    const inner = fromSlots.count > 0 ? bindingScope(scope, new Map()) : scope;
    const entries: { readonly name: string; readonly symbol: number; readonly definition: AttrDefinition }[] = [];
    expr.attrs.forEach((definition, name) => {
      entries.push({ name, symbol: intern(name), definition });
    });
    entries.sort((a, b) => a.symbol - b.symbol);
    const froms: number[] = [];
    expr.inheritFrom.forEach((from, i) => {
      if (fromSlots.slot[i] !== 0) froms.push(this.expr(from, inner));
    });
    const lowered = ({ name, symbol, definition }: (typeof entries)[number]): number => {
      switch (definition.kind) {
        case "inherited":
          return this.variable(name, inner, definition.pos);
        case "inherited-from": {
          const slot = fromSlots.slot[definition.from]!;
          const from = expr.inheritFrom[definition.from]!;
          const source = slot === 0 ? this.expr(from, inner) : this.place(0, slot, positionOf(from));
          return this.node(op.SELECT1, source, symbol, -1, 0, definition.pos);
        }
        case "plain":
          return this.lazily(definition.value, inner, definition, symbol + 1);
      }
    };
    const values = entries.map(lowered);
    const literal = addLiteral(
      entries.map((entry) => entry.symbol),
      entries.map((entry) => entry.definition.pos),
      expr.pos,
    );
    if (fromSlots.count > 0) return this.node(op.FROM_ATTRS, literal, values.length, froms.length, ...froms, ...values);
    const constant = values.length > 0 && values.every((value) => isConstantNode(ints[value]!));
    return this.node(constant ? op.CONSTANT_ATTRS : op.ATTRS, literal, values.length, 0, ...values);
  }

  private lazily(
    expr: Expr,
    scope: Scope | null,
    at: { readonly start: number; readonly end: number },
    name: number,
  ): number {
    if (!this.context.lazy || at.end - at.start <= lazyFrom || isShort(expr)) return this.expr(expr, scope, name);
    const kept = this.keepTrees ? expr : undefined;
    return this.node(op.LAZY, addLazyNote({ context: this.context, scope, offset: at.start, name, expr: kept }));
  }
}

function isShort(expr: Expr): boolean {
  return expr.kind === "lambda" || expr.kind === "string" || expr.kind === "variable";
}

/** Returns the opcode of a near variable. */
function nearVariable(depth: number, slot: number): number {
  const { first, slots } = nearVariables;
  return first + depth * slots + Math.min(slot, slots - 1);
}

/** Tells whether a node's value needs no environment; sets of only such nodes are made once. */
function isConstantNode(opcode: number): boolean {
  return opcode === op.INT || opcode === op.CONST || opcode === op.EMPTY_ATTRS || opcode === op.EMPTY_LIST;
}

/** Returns the slots of those sources of `inherit (…)` that get one (0: evaluated in place). */
function slotsOfSources(attrs: AttrsExpr): { slot: number[]; count: number } {
  let count = 0;
  const slot = attrs.inheritFrom.map((from) => (isSimpleSource(from) ? 0 : ++count));
  return { slot, count };
}

function isSimpleSource(expr: Expr): boolean {
  if (expr.kind === "variable") return true;
  return (
    expr.kind === "select" &&
    expr.fallback === undefined &&
    expr.path.every((name) => typeof name === "string") &&
    isSimpleSource(expr.base)
  );
}
