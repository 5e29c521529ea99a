/**
 * The interpreter: evaluating, forcing, calling, coercing and comparing. These are mutually recursive and hot, so they share
 * one file (longer than others for that reason) and one set of module variables; `enter` sets the running evaluation. Node
 * layouts are described in lower.ts; the switch uses bare numbers because only literals become a jump table.
 */

import { canonicalPath, FirnError } from "@firn/formats";
import type { EvalHost } from "../host.ts";
import { type ParserOptions, parseExpressionAt, parseSelectionAt } from "../syntax/parser.ts";
import { baseNameOfPath } from "../syntax/path-text.ts";
import { showExpr, showIdentifier } from "../syntax/print.ts";
import { type Context, contextElements, contextOf, mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError, Failure, wrapError } from "../value/evaluation-error.ts";
import { type DefinedAt, literalAt, literals } from "../value/places.ts";
import { showValue } from "../value/print.ts";
import { suggest } from "../value/suggestions.ts";
import { formatFixed } from "../value/text.ts";
import {
  Attrs,
  Builtin,
  blackHole,
  ContextString,
  done,
  E1,
  E2,
  E4,
  EN,
  type Env,
  emptyAttrs,
  emptyList,
  Float,
  failed,
  filled,
  flatShape,
  isFunctionValue,
  isList,
  Lambda,
  type List,
  makeAttrs,
  namesOf,
  PartialBuiltin,
  PartialLambda,
  Path,
  peekSlot,
  type Slot,
  shapeOf,
  showType,
  Thunk,
  update,
  type Value,
} from "../value/value.ts";
import type { CodeStore } from "./code-store.ts";
import { lowerLazy } from "./lower.ts";
import { constantAt, constants, intern, ints, symbolNames } from "./memory.ts";
import { lineAndColumn, sourceAt } from "./source.ts";

const A = ints;

// ---- whose evaluation is running

/** Functions of the debugger that the interpreter calls. */
export interface DebuggerHooks {
  /** Runs an observed node (opcode 50). */
  observe(node: number, env: Env): Value;
  enterTry(): void;
  leaveTry(): void;
  /** Stops for `builtins.break`. */
  breakpoint(): void;
  traced(what: "trace" | "warning"): void;
}

/** The state of one evaluator. */
export interface EvaluatorState {
  readonly host: EvalHost;
  readonly parser: ParserOptions;
  /** Values of global names, by symbol. */
  readonly globals: (Slot | undefined)[];
  readonly copiedPaths: Map<string, ContextString>;
  /** Lowered code of earlier processes, if the host keeps it. */
  code: CodeStore | undefined;
  /** True to add a frame for every function call to traces. */
  showTrace: boolean;
  depth: number;
  /** Called once the number of imported files shows that the evaluation is a long one. */
  readonly whenLong: () => void;
  /** The debugger; set before anything is lowered, because it needs observed code. */
  debugger?: DebuggerHooks;
}

let current: EvaluatorState;
let globals: (Slot | undefined)[] = [];
let depth = 0;
let maxDepth = 10000;
let showTrace = false;

/** The previously running evaluation, and the call depth of the current one. */
interface Entered {
  readonly previous: EvaluatorState | undefined;
  readonly depth: number;
}

/** Makes `evaluation` the running one; returns the data with which `leave` undoes that. */
export function enter(evaluation: EvaluatorState): Entered {
  const previous = current as EvaluatorState | undefined;
  if (previous !== undefined) previous.depth = depth;
  select(evaluation);
  return { previous, depth };
}

/** Restores the previous evaluation, also after an error, which leaves the depth at which it was thrown. */
export function leave(entered: Entered): void {
  current.depth = entered.depth;
  select(entered.previous ?? current);
}

function select(evaluation: EvaluatorState): void {
  current = evaluation;
  globals = evaluation.globals;
  depth = evaluation.depth;
  maxDepth = evaluation.host.mode.maxCallDepth;
  showTrace = evaluation.showTrace;
}

export function evaluation(): EvaluatorState {
  return current;
}

export function host(): EvalHost {
  return current.host;
}

/** Returns the call depth, for builtins that swallow errors and must restore it. */
export function callDepth(): number {
  return depth;
}

export function restoreCallDepth(saved: number): void {
  depth = saved;
}

const sym = {
  functor: intern("__functor"),
  toString: intern("__toString"),
  outPath: intern("outPath"),
  type: intern("type"),
  overrides: intern("__overrides"),
  file: intern("file"),
  line: intern("line"),
  column: intern("column"),
};

// ---- errors

export function typeError(wanted: string, value: Value, pos = 0): EvaluationError {
  return new EvaluationError("type-error", `expected ${wanted} but found ${showType(value)}: ${showValue(value)}`, pos);
}

function withFrame(error: EvaluationError, pos: number, text: string): EvaluationError {
  if (text !== "") error.addFrame(pos, text);
  return error;
}

function frame(error: unknown, pos: number, text: string): unknown {
  return text === "" ? wrapError(error) : addFrame(error, pos, text);
}

export function enterCall(pos: number): void {
  if (++depth > maxDepth + 1) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
}

/** Ends a call that `enterCall` began. */
export function leaveCall(): void {
  depth--;
}

// ---- thunks

/** The applications `f a` and `f a b`, called when forced. */
class Application {
  readonly callee: Slot;
  readonly first: Slot;
  readonly second: Slot | undefined;
  constructor(callee: Slot, first: Slot, second: Slot | undefined) {
    this.callee = callee;
    this.first = first;
    this.second = second;
  }
}

const applicationCode = 1;
const nativeCode = 2;

/** Delays a call. When no trace is wanted, a plain function's body becomes the thunk's code at once. */
export function delayCall1(callee: Slot, a: Slot): Thunk {
  if (callee instanceof Lambda && !showTrace) {
    const n = callee.node;
    if (A[n] === 15 && A[n + 2] === 1) return new Thunk(A[n + 1]!, new E1(callee.env, a));
  }
  return new Thunk(applicationCode, new Application(callee, a, undefined));
}

export function delayCall2(callee: Slot, a: Slot, b: Slot): Thunk {
  const known = peekSlot(callee);
  if (known instanceof Lambda && !showTrace) {
    const n = known.node;
    if (A[n] === 15 && A[n + 2] === 2) return new Thunk(A[n + 1]!, new E2(known.env, a, b));
  }
  return new Thunk(applicationCode, new Application(callee, a, b));
}

/** Marks a value as used: if the reference had delayed it, it would no longer be delayed. */
function wanted(value: Value): Value {
  if (value instanceof Lambda) value.fresh = false;
  return value;
}

/** Forces a slot and returns its value; throws the evaluation error of a failed thunk. */
export function force(slot: Slot): Value {
  if (typeof slot !== "object") return slot;
  if (!(slot instanceof Thunk)) return wanted(slot);
  return slot.code === done ? (slot.value as Value) : forceThunk(slot, 0);
}

export function forceAt(slot: Slot, pos: number): Value {
  if (typeof slot !== "object") return slot;
  if (!(slot instanceof Thunk)) return wanted(slot);
  return slot.code === done ? (slot.value as Value) : forceThunk(slot, pos);
}

function forceThunk(thunk: Thunk, pos: number): Value {
  const code = thunk.code;
  if (code === done) return thunk.value as Value;
  if (code < 0) {
    if (code === failed) (thunk.value as Failure).rethrow();
    throw new EvaluationError("infinite-recursion", "infinite recursion encountered", pos);
  }
  const env = thunk.value;
  thunk.code = blackHole;
  let value: Value;
  try {
    if (code > nativeCode) value = ev(code, env as Env);
    else if (code === applicationCode) {
      const { callee, first, second } = env as Application;
      value =
        second === undefined ? call(forceAt(callee, pos), first, pos) : call2(forceAt(callee, pos), first, second, pos);
    } else value = (env as () => Value)();
  } catch (error) {
    const wrapped = wrapError(error);
    if (wrapped instanceof EvaluationError && wrapped.origin === undefined) {
      thunk.code = failed;
      thunk.value = new Failure(wrapped);
    } else thunk.code = code;
    throw wrapped;
  }
  if (typeof value === "object" && !(value instanceof Attrs)) value = ownValue(value);
  thunk.code = done;
  thunk.value = value;
  return value;
}

/**
 * Returns the value that a delayed expression holds. Functions are equal when they are the same value in the reference, where
 * each delayed expression has its own copy of the function; only variables share it.
 */
function ownValue(value: Value): Value {
  if (value instanceof ContextString || isList(value)) return value;
  if (value instanceof Lambda) return new Lambda(value.node, value.env, false);
  if (value instanceof PartialLambda) return new PartialLambda(value.lambda, value.args);
  if (value instanceof Builtin) return new Builtin(value.name, value.arity, value.call, value.traced);
  if (value instanceof PartialBuiltin) return new PartialBuiltin(value.builtin, value.args);
  return value;
}

// ---- environments

function rawVariable(p: number, e: Env): Slot | undefined {
  switch (A[p]) {
    case 60:
      return (e as E1).a;
    case 61:
      return (e as E2).b;
    case 62:
      return (e as E4).c;
    case 63:
      return (e as E4).d;
    case 64:
      return (e as EN).slots[A[p + 1]!];
    case 65:
      return (e!.up as E1).a;
    case 66:
      return (e!.up as E2).b;
    case 67:
      return (e!.up as E4).c;
    case 68:
      return (e!.up as E4).d;
    case 69:
      return (e!.up as EN).slots[A[p + 1]!];
    case 70:
      return (e!.up!.up as E1).a;
    case 71:
      return (e!.up!.up as E2).b;
    case 72:
      return (e!.up!.up as E4).c;
    case 73:
      return (e!.up!.up as E4).d;
    case 74:
      return (e!.up!.up as EN).slots[A[p + 1]!];
    case 75:
      return (e!.up!.up!.up as E1).a;
    case 76:
      return (e!.up!.up!.up as E2).b;
    case 77:
      return (e!.up!.up!.up as E4).c;
    case 78:
      return (e!.up!.up!.up as E4).d;
    case 79:
      return (e!.up!.up!.up as EN).slots[A[p + 1]!];
    default: {
      let env = e;
      for (let d = A[p + 1]!; d > 0; d--) env = env!.up;
      const slot = A[p + 2]!;
      if (slot >= 0) return (env as EN).slots[slot];
      switch (slot) {
        case -1:
          return (env as E1).a;
        case -2:
          return (env as E2).b;
        case -3:
          return (env as E4).c;
        default:
          return (env as E4).d;
      }
    }
  }
}

/** Returns the value of a variable two environments out (`kind` up to 4) or three. */
function farVariable(kind: number, p: number, e: Env): Value {
  const env = kind < 5 ? e : e!.up;
  const at = kind < 5 ? kind : kind - 5;
  return slotValue(env, at === 4 ? A[p + 1]! : ~at, A[p + 2]!);
}

/** Returns the value of a slot in the numbering of `rawVariable`; the environment keeps it without its thunk. */
function slotValue(e: Env, slot: number, pos: number): Value {
  if (slot >= 0) {
    const t = (e as EN).slots;
    const v = t[slot]!;
    return v instanceof Thunk ? (t[slot] = v.code === done ? (v.value as Value) : forceThunk(v, pos)) : wanted(v);
  }
  switch (slot) {
    case -1: {
      const t = e as E1;
      const v = t.a;
      return v instanceof Thunk ? (t.a = v.code === done ? (v.value as Value) : forceThunk(v, pos)) : wanted(v);
    }
    case -2: {
      const t = e as E2;
      const v = t.b;
      return v instanceof Thunk ? (t.b = v.code === done ? (v.value as Value) : forceThunk(v, pos)) : wanted(v);
    }
    case -3: {
      const t = e as E4;
      const v = t.c;
      return v instanceof Thunk ? (t.c = v.code === done ? (v.value as Value) : forceThunk(v, pos)) : wanted(v);
    }
    default: {
      const t = e as E4;
      const v = t.d;
      return v instanceof Thunk ? (t.d = v.code === done ? (v.value as Value) : forceThunk(v, pos)) : wanted(v);
    }
  }
}

const unset = undefined as unknown as Slot;

/** Makes an environment whose slots are the delayed nodes at A[q…]; they see the environment itself. */
function bindEnv(up: Env, q: number, count: number): Env {
  switch (count) {
    case 0:
      return new E1(up, unset);
    case 1: {
      const e = new E1(up, unset);
      e.a = delay(A[q]!, e);
      return e;
    }
    case 2: {
      const e = new E2(up, unset, unset);
      e.a = delay(A[q]!, e);
      e.b = delay(A[q + 1]!, e);
      return e;
    }
    case 3: {
      const e = new E4(up, unset, unset, unset, unset);
      e.a = delay(A[q]!, e);
      e.b = delay(A[q + 1]!, e);
      e.c = delay(A[q + 2]!, e);
      return e;
    }
    case 4: {
      const e = new E4(up, unset, unset, unset, unset);
      e.a = delay(A[q]!, e);
      e.b = delay(A[q + 1]!, e);
      e.c = delay(A[q + 2]!, e);
      e.d = delay(A[q + 3]!, e);
      return e;
    }
    default: {
      const slots = new Array<Slot>(count);
      const e = new EN(up, slots);
      for (let i = 0; i < count; i++) slots[i] = delay(A[q + i]!, e);
      return e;
    }
  }
}

function slotOf(e: Env, count: number, i: number): Slot {
  if (count > 4) return (e as EN).slots[i]!;
  switch (i) {
    case 0:
      return (e as E1).a;
    case 1:
      return (e as E2).b;
    case 2:
      return (e as E4).c;
    default:
      return (e as E4).d;
  }
}

function setSlot(e: Env, at: { count: number; index: number }, slot: Slot): void {
  if (at.count > 4) (e as EN).slots[at.index] = slot;
  else if (at.index === 0) (e as E1).a = slot;
  else if (at.index === 1) (e as E2).b = slot;
  else if (at.index === 2) (e as E4).c = slot;
  else (e as E4).d = slot;
}

// ---- delaying

/** Returns the value of a node when that costs nothing and cannot fail, else a thunk. For arguments and bindings. */
function delay(p: number, e: Env): Slot {
  switch (A[p]) {
    case 1:
      return A[p + 1]!;
    case 2:
      return (constants[A[p + 1]!] ?? constantAt(A[p + 1]!)) as Value;
    case 7:
      return globals[A[p + 1]!]!;
    case 9: {
      const base = peek(A[p + 1]!, e);
      if (base instanceof Attrs) {
        const slot = base.get(A[p + 2]!);
        if (slot !== undefined) {
          const value = peekSlot(slot);
          if (value !== undefined) return ownValue(value);
        }
      }
      break;
    }
    case 15:
    case 16:
      return new Lambda(p, e, true);
    case 48:
      return emptyList;
    case 58:
      return delay(A[p + 1]!, e);
    default:
      if (A[p]! >= 60 || A[p] === 6) return delayVariable(p, e);
  }
  return new Thunk(p, e);
}

/** Returns the content of a variable, without the thunk around a value; a variable that is not yet set is delayed. */
function delayVariable(p: number, e: Env): Slot {
  switch (A[p]) {
    case 60: {
      const t = e as E1;
      const v = t.a;
      if (v instanceof Thunk) return v.code === done ? (t.a = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    case 61: {
      const t = e as E2;
      const v = t.b;
      if (v instanceof Thunk) return v.code === done ? (t.b = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    case 64: {
      const t = (e as EN).slots;
      const v = t[A[p + 1]!]!;
      if (v instanceof Thunk) return v.code === done ? (t[A[p + 1]!] = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    case 65: {
      const t = e!.up as E1;
      const v = t.a;
      if (v instanceof Thunk) return v.code === done ? (t.a = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    case 66: {
      const t = e!.up as E2;
      const v = t.b;
      if (v instanceof Thunk) return v.code === done ? (t.b = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    case 69: {
      const t = (e!.up as EN).slots;
      const v = t[A[p + 1]!]!;
      if (v instanceof Thunk) return v.code === done ? (t[A[p + 1]!] = v.value as Value) : v;
      return v === undefined ? new Thunk(p, e) : v;
    }
    default: {
      const slot = rawVariable(p, e);
      if (slot instanceof Thunk) return slot.code === done ? (slot.value as Value) : slot;
      return slot === undefined ? new Thunk(p, e) : slot;
    }
  }
}

/**
 * Returns the value or thunk as `delay` does, but evaluates only nodes that the reference does not delay either: elements of
 * lists and sets can be printed.
 */
function delayElement(p: number, e: Env): Slot {
  const slot = knownElement(p, e);
  return slot === undefined ? new Thunk(p, e) : slot;
}

/** Returns an element when no part of it has to be delayed, else undefined. */
function knownElement(p: number, e: Env): Slot | undefined {
  switch (A[p]) {
    case 1:
      return A[p + 1]!;
    case 2:
      return (constants[A[p + 1]!] ?? constantAt(A[p + 1]!)) as Value;
    case 7:
      return globals[A[p + 1]!]!;
    case 48:
      return emptyList;
    default:
      return A[p]! >= 60 || A[p] === 6 ? delayVariable(p, e) : undefined;
  }
}

/** Returns the value of a node if it is known already. */
function peek(p: number, e: Env): Value | undefined {
  const op = A[p]!;
  if (op >= 60 || op === 6) {
    const slot = rawVariable(p, e);
    return slot === undefined ? undefined : peekSlot(slot);
  }
  if (op === 7) return peekSlot(globals[A[p + 1]!]!);
  if (op === 9) {
    const base = peek(A[p + 1]!, e);
    if (!(base instanceof Attrs)) return undefined;
    const slot = base.get(A[p + 2]!);
    return slot === undefined ? undefined : peekSlot(slot);
  }
  return undefined;
}

/**
 * Returns the value of an operand that is a small number, a builtin or a near variable with a value: the cases for which a
 * call of `ev` would cost too much.
 */
function ready(p: number, e: Env): Value | undefined {
  let slot: Slot | undefined;
  switch (A[p]) {
    case 1:
      return A[p + 1]!;
    case 7:
      slot = globals[A[p + 1]!];
      break;
    case 60:
      slot = (e as E1).a;
      break;
    case 61:
      slot = (e as E2).b;
      break;
    case 64:
      slot = (e as EN).slots[A[p + 1]!];
      break;
    case 65:
      slot = (e!.up as E1).a;
      break;
    case 66:
      slot = (e!.up as E2).b;
      break;
    case 69:
      slot = (e!.up as EN).slots[A[p + 1]!];
      break;
    case 70:
      slot = (e!.up!.up as E1).a;
      break;
    case 74:
      slot = (e!.up!.up as EN).slots[A[p + 1]!];
      break;
    default:
      return undefined;
  }
  return slot instanceof Thunk ? undefined : slot;
}

function operand(p: number, e: Env): Value {
  return ready(p, e) ?? ev(p, e);
}

/** Tells whether running a body forces the variable of this opcode before anything else. */
function forcesFirst(body: number, variable: number): boolean {
  let p = body;
  for (let steps = 0; steps < 8; steps++) {
    switch (A[p]) {
      case 23:
      case 25:
      case 27:
      case 30:
      case 31:
      case 32:
      case 33:
      case 37:
      case 41:
      case 58:
        p = A[p + 1]!;
        break;
      default:
        return A[p] === variable;
    }
  }
  return false;
}

/** Returns an argument that the function forces first: a sum or difference of known numbers is computed at once. */
function strictArgument(p: number, e: Env): Slot {
  const x = ready(A[p + 1]!, e);
  const y = ready(A[p + 2]!, e);
  if (typeof x === "number" && typeof y === "number") {
    const result = A[p] === 41 ? x - y : x + y;
    if (result >= -9007199254740991 && result <= 9007199254740991) return result;
  }
  return delay(p, e);
}

function isSum(p: number): boolean {
  return A[p] === 41 || A[p] === 27;
}

// ---- the interpreter proper

/** Runs a node in an environment. */
export function ev(start: number, env: Env): Value {
  let p = start;
  let e = env;
  try {
    for (;;) {
      switch (A[p]) {
        case 1:
          return A[p + 1]!;
        case 2:
          return (constants[A[p + 1]!] ?? constantAt(A[p + 1]!)) as Value;
        case 60: {
          const t = e as E1;
          const v = t.a;
          return v instanceof Thunk ? (t.a = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 61: {
          const t = e as E2;
          const v = t.b;
          return v instanceof Thunk ? (t.b = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 62: {
          const t = e as E4;
          const v = t.c;
          return v instanceof Thunk ? (t.c = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 63: {
          const t = e as E4;
          const v = t.d;
          return v instanceof Thunk ? (t.d = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 64: {
          const r = (e as EN).slots;
          const v = r[A[p + 1]!]!;
          return v instanceof Thunk
            ? (r[A[p + 1]!] = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!))
            : v;
        }
        case 65: {
          const t = e!.up as E1;
          const v = t.a;
          return v instanceof Thunk ? (t.a = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 66: {
          const t = e!.up as E2;
          const v = t.b;
          return v instanceof Thunk ? (t.b = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 67: {
          const t = e!.up as E4;
          const v = t.c;
          return v instanceof Thunk ? (t.c = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 68: {
          const t = e!.up as E4;
          const v = t.d;
          return v instanceof Thunk ? (t.d = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!)) : v;
        }
        case 69: {
          const r = (e!.up as EN).slots;
          const v = r[A[p + 1]!]!;
          return v instanceof Thunk
            ? (r[A[p + 1]!] = v.code === done ? (v.value as Value) : forceThunk(v, A[p + 2]!))
            : v;
        }
        case 70:
        case 71:
        case 72:
        case 73:
        case 74:
        case 75:
        case 76:
        case 77:
        case 78:
        case 79:
          return farVariable(A[p]! - 70, p, e!.up!.up);
        case 6: {
          let far = e;
          for (let d = A[p + 1]!; d > 0; d--) far = far!.up;
          return slotValue(far, A[p + 2]!, A[p + 3]!);
        }
        case 7:
          return forceAt(globals[A[p + 1]!]!, A[p + 2]!);
        case 8:
          return forceAt(withVariable(p, e), A[p + 2]!);
        case 9:
          return select1(p, e);
        case 10:
          return selectPath(p, e);
        case 11: {
          const v = operand(A[p + 1]!, e);
          return v instanceof Attrs ? v.get(A[p + 2]!) !== undefined : notASet(v);
        }
        case 12:
          return hasPath(p, e);
        case 13:
          return evalAttrs(p, e);
        case 14:
          return evalList(p, e);
        case 15:
        case 16:
          return new Lambda(p, e, false);
        case 17: {
          const f = operand(A[p + 1]!, e);
          const q = A[p + 3]!;
          if (f instanceof Lambda) {
            f.fresh = false;
            const n = f.node;
            // A set is looked at before anything else is done, and to make it can neither fail nor be seen.
            if (A[n] === 16) return callPattern(f, A[q] === 13 ? evalAttrs(q, e) : delay(q, e), A[p + 2]!);
            if (A[n + 2] !== 1) return new PartialLambda(f, [delay(q, e)]);
            const strict = isSum(q) && forcesFirst(A[n + 1]!, 60);
            const a = strict ? strictArgument(q, e) : delay(q, e);
            return body(A[n + 1]!, new E1(f.env, a), n + 4, A[p + 2]!);
          }
          if (f instanceof Builtin && f.arity === 1) return callBuiltin1(f, delay(q, e), A[p + 2]!);
          return call(f, delay(q, e), A[p + 2]!);
        }
        case 18: {
          const f = operand(A[p + 1]!, e);
          const a = delay(A[p + 3]!, e);
          const q = A[p + 4]!;
          if (f instanceof Lambda) {
            f.fresh = false;
            const n = f.node;
            if (A[n] === 15 && A[n + 2] === 2) {
              const b = isSum(q) && forcesFirst(A[n + 1]!, 61) ? strictArgument(q, e) : delay(q, e);
              return body(A[n + 1]!, new E2(f.env, a, b), n + 5, A[p + 2]!);
            }
          }
          const b = delay(q, e);
          return call2(f, a, b, A[p + 2]!);
        }
        case 19: {
          const f = operand(A[p + 1]!, e);
          const a = delay(A[p + 3]!, e);
          const b = delay(A[p + 4]!, e);
          const c = delay(A[p + 5]!, e);
          if (f instanceof Lambda) {
            f.fresh = false;
            const n = f.node;
            if (A[n] === 15 && A[n + 2] === 3) {
              return body(A[n + 1]!, new E4(f.env, a, b, c, unset), n + 6, A[p + 2]!);
            }
          }
          const pos = A[p + 2]!;
          if (f instanceof Builtin && f.arity === 3) return callBuiltin3(f, [a, b], c, pos);
          return call(call2(f, a, b, pos), c, pos);
        }
        case 20:
          return callMany(p, e);
        case 21:
          e = bindEnv(e, p + 3, A[p + 2]!);
          p = A[p + 1]!;
          continue;
        case 22:
          e = new E1(e, delay(A[p + 1]!, e));
          p = A[p + 2]!;
          continue;
        case 23: {
          const c = A[p + 1]!;
          let v: Value;
          if (A[c] === 37) {
            const x = ready(A[c + 1]!, e);
            const y = ready(A[c + 2]!, e);
            v = typeof x === "number" && typeof y === "number" ? x < y : ev(c, e);
          } else v = operand(c, e);
          if (v === true) p = A[p + 2]!;
          else if (v === false) p = A[p + 3]!;
          else throw typeError("a Boolean", v, A[p + 4]!);
          continue;
        }
        case 24: {
          const v = ev(A[p + 1]!, e);
          if (v === true) {
            p = A[p + 2]!;
            continue;
          }
          if (v !== false) throw typeError("a Boolean", v, A[p + 3]!);
          return assertFailed(p, e);
        }
        case 25: {
          const v = ev(A[p + 1]!, e);
          if (v === true) return false;
          if (v === false) return true;
          throw typeError("a Boolean", v, A[p + 2]!);
        }
        case 27: {
          const a = operand(A[p + 1]!, e);
          if (typeof a !== "number") return add(a, p, e);
          const b = operand(A[p + 2]!, e);
          if (typeof b === "number") {
            const sum = a + b;
            if (sum >= -9007199254740991 && sum <= 9007199254740991) return sum;
          }
          return addToInteger(a, b, A[p + 4]!);
        }
        case 28:
          return pathConcat(p, e);
        case 29:
          return stringConcat(p, e);
        case 30: {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          return typeof a === "string" && typeof b === "string" ? a === b : equal(wanted(a), wanted(b), A[p + 3]!);
        }
        case 31: {
          const a = ev(A[p + 1]!, e);
          return !equal(wanted(a), wanted(ev(A[p + 2]!, e)), A[p + 3]!);
        }
        case 32: {
          const v = ev(A[p + 1]!, e);
          if (v === false) return false;
          if (v !== true) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the AND (&&) operator");
        }
        case 33: {
          const v = ev(A[p + 1]!, e);
          if (v === true) return true;
          if (v !== false) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the OR (||) operator");
        }
        case 34: {
          const v = ev(A[p + 1]!, e);
          if (v === false) return true;
          if (v !== true) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the IMPL (->) operator");
        }
        case 35: {
          const right = updateOperand(p, e, false);
          const left = updateOperand(p, e, true);
          return update(left, right);
        }
        case 36: {
          const a = ev(A[p + 1]!, e);
          const b = ev(A[p + 2]!, e);
          if (!isList(a)) throw concatError(a, A[p + 3]!);
          if (!isList(b)) throw concatError(b, A[p + 3]!);
          return a.length === 0 ? b : b.length === 0 ? a : joined(a, b);
        }
        case 37: {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          return typeof a === "number" && typeof b === "number" ? a < b : less(a, b);
        }
        case 41: {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          if (typeof a === "number" && typeof b === "number") {
            const r = a - b;
            if (r >= -9007199254740991 && r <= 9007199254740991) return r;
          }
          return subtract(a, b);
        }
        case 42:
          return multiply(ev(A[p + 1]!, e), ev(A[p + 2]!, e));
        case 43:
          return divide(ev(A[p + 1]!, e), ev(A[p + 2]!, e));
        case 44:
          return recAttrs(p, recEnv(p, e));
        case 45:
          return dynamicAttrs(p, e);
        case 46:
          return positionAttrs(A[p + 1]!);
        case 47:
          return emptyAttrs;
        case 48:
          return emptyList;
        case 51:
          return constantAttrs(p, e);
        case 55:
          return fromAttrs(p, e);
        case 57:
          p = lowerLazy(p);
          continue;
        case 58:
          p = A[p + 1]!;
          continue;
        default:
          if (A[p] === 50) return current.debugger!.observe(p, e);
          throw new Error(`bad opcode ${A[p]} at ${p}`);
      }
    }
  } catch (error) {
    // Only operators whose operands get a frame add one; p still points at the operator then.
    switch (A[p]) {
      case 23:
        throw addFrame(error, A[p + 4]!, "while evaluating a branch condition");
      case 24:
        if (error instanceof AssertError) throw error.error;
        throw addFrame(error, A[p + 3]!, "in the condition of the assert statement");
      case 25:
        throw addFrame(error, A[p + 2]!, "in the argument of the not operator");
      case 32:
        throw leftOrRight(error, p, "in the left operand of the AND (&&) operator");
      case 33:
        throw leftOrRight(error, p, "in the left operand of the OR (||) operator");
      case 34:
        throw leftOrRight(error, p, "in the left operand of the IMPL (->) operator");
      case 37:
        throw addFrame(error, A[p + 3]!, "while calling the 'lessThan' builtin");
      case 41:
        throw addFrame(error, A[p + 3]!, "while calling the 'sub' builtin");
      case 42:
        throw addFrame(error, A[p + 3]!, "while calling the 'mul' builtin");
      case 43:
        throw addFrame(error, A[p + 3]!, "while calling the 'div' builtin");
      default:
        throw error;
    }
  }
}

/** The failure of a logical operator's right operand, to which `rightBoolean` has added its frame already. */
class RightOperandError {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function leftOrRight(error: unknown, p: number, text: string): unknown {
  if (error instanceof RightOperandError) return error.error;
  return addFrame(error, A[p + 3]!, text);
}

function rightBoolean(p: number, e: Env, text: string): boolean {
  try {
    const v = ev(A[p + 2]!, e);
    if (v === true || v === false) return v;
    throw typeError("a Boolean", v, A[p + 3]!);
  } catch (error) {
    throw new RightOperandError(addFrame(error, A[p + 3]!, text));
  }
}

function updateOperand(p: number, e: Env, left: boolean): Attrs {
  const pos = left ? A[p + 3]! : A[p + 4]!;
  if (pos === -1) return ev(left ? A[p + 1]! : A[p + 2]!, e) as Attrs;
  try {
    const v = operand(left ? A[p + 1]! : A[p + 2]!, e);
    if (v instanceof Attrs) return v;
    throw typeError("a set", v);
  } catch (error) {
    throw addFrame(error, pos, `in the ${left ? "left" : "right"} operand of the update (//) operator`);
  }
}

function concatError(value: Value, pos: number): EvaluationError {
  return withFrame(typeError("a list", value), pos, "while evaluating one of the elements to concatenate");
}

function withVariable(p: number, e: Env): Slot {
  const symbol = A[p + 1]!;
  const count = A[p + 3]!;
  let at = 0;
  let env = e;
  for (let i = 0; i < count; i++) {
    const target = A[p + 4 + 2 * i]!;
    while (at < target) {
      env = env!.up;
      at++;
    }
    const pos = A[p + 5 + 2 * i]!;
    const scope = forceAt((env as E1).a, pos);
    if (!(scope instanceof Attrs)) {
      throw withFrame(typeError("a set", scope), pos, "while evaluating the first subexpression of a with expression");
    }
    (env as E1).a = scope;
    const slot = scope.get(symbol);
    if (slot !== undefined) return slot;
  }
  throw new EvaluationError("undefined-variable", `undefined variable '${symbolNames[symbol]}'`, A[p + 2]!);
}

// ---- selection

function select1(p: number, e: Env): Value {
  const base = operand(A[p + 1]!, e);
  if (base instanceof Attrs) {
    const shape = base.shape;
    if (shape !== null) {
      let i: number;
      if (shape.id === A[p + 3]) i = A[p + 4]!;
      else {
        i = shape.find(A[p + 2]!);
        if (i < 0) throw missing(base, A[p + 2]!, A[p + 5]!);
        A[p + 3] = shape.id;
        A[p + 4] = i;
      }
      let slot = base[i]!;
      if (!(slot instanceof Thunk)) {
        if (slot !== undefined) return slot;
        slot = base.make(i);
      }
      return (base[i] = slot.code === done ? (slot.value as Value) : selected(slot, base, p));
    }
    const slot = base.get(A[p + 2]!);
    if (slot === undefined) throw missing(base, A[p + 2]!, A[p + 5]!);
    if (!(slot instanceof Thunk)) return slot;
    return slot.code === done ? (slot.value as Value) : selected(slot, base, p);
  }
  throw withFrame(typeError("a set", base), A[p + 5]!, "while selecting an attribute");
}

function selected(slot: Thunk, owner: Attrs, p: number): Value {
  const symbol = A[p + 2]!;
  try {
    return forceThunk(slot, needsPosition(slot) ? owner.positionOf(symbol) || A[p + 5]! : 0);
  } catch (error) {
    const defined = owner.positionOf(symbol);
    if (defined === 0) throw error;
    throw selectFrame(error, defined, showIdentifier(symbolNames[symbol]!));
  }
}

/** Tells whether forcing a thunk needs its position, as only delayed calls and endless recursion do. */
function needsPosition(thunk: Thunk): boolean {
  return thunk.code <= nativeCode;
}

function selectFrame(error: unknown, defined: number, path: string): unknown {
  if (sourceAt(defined)?.origin === "internal") return error;
  return addFrame(error, defined, `while evaluating the attribute '${path}'`);
}

function missing(base: Attrs, symbol: number, pos: number): EvaluationError {
  const name = symbolNames[symbol]!;
  const error = new EvaluationError("eval-error", `attribute ${quoteName(name)} missing`, pos);
  error.suggestions = suggest(attrNames(base), name);
  return error;
}

/** Returns a name as the reference writes it in messages: `'name'`, quoted inside when it is no identifier. */
function quoteName(name: string): string {
  return `'${showIdentifier(name)}'`;
}

function attrNames(attrs: Attrs): string[] {
  return namesOf(attrs).keys.map((key) => symbolNames[key]!);
}

/** Returns the symbol of a key, computing it when dynamic. */
function keyOf(key: number, e: Env): number {
  if (key >= 0) return key;
  const node = ~key;
  return intern(plainString(ev(A[node + 1]!, e), A[node + 2]!, "while evaluating an attribute name"));
}

function selectPath(p: number, e: Env): Value {
  const fallback = A[p + 2]!;
  const count = A[p + 3]!;
  const pos = A[p + 4]!;
  let slot: Slot = operand(A[p + 1]!, e);
  let owner: Attrs | null = null;
  let symbol = 0;
  try {
    for (let cell = p + 5, end = cell + 3 * count; cell < end; cell += 3) {
      const key = A[cell]!;
      const name = key >= 0 ? key : keyOf(key, e);
      const base = forceAt(slot, pos);
      if (!(base instanceof Attrs)) {
        if (fallback !== 0) return ev(fallback, e);
        throw withFrame(typeError("a set", base), pos, "while selecting an attribute");
      }
      const shape = base.shape;
      let next: Slot | undefined;
      if (shape === null) next = base.get(name);
      else {
        let index: number;
        if (key >= 0 && A[cell + 1] === shape.id) index = A[cell + 2]!;
        else {
          index = shape.find(name);
          A[cell + 1] = shape.id;
          A[cell + 2] = index;
        }
        if (index >= 0) {
          next = base.at(index);
          if (next instanceof Thunk && next.code === done) next = base[index] = next.value as Value;
        }
      }
      if (next === undefined) {
        if (fallback !== 0) return ev(fallback, e);
        throw missing(base, name, pos);
      }
      slot = next;
      owner = base;
      symbol = name;
    }
    if (!(slot instanceof Thunk)) return slot;
    if (owner === null || !needsPosition(slot)) return forceThunk(slot, pos);
    return forceThunk(slot, owner.positionOf(symbol) || pos);
  } catch (error) {
    const defined = owner === null ? 0 : owner.positionOf(symbol);
    if (defined === 0) throw error;
    throw selectFrame(error, defined, showKeys(p, e));
  }
}

/** Returns the path of a select for a frame; a key that cannot be computed is shown as code, read again from the source. */
function showKeys(p: number, e: Env): string {
  const parts: string[] = [];
  for (let i = 0; i < A[p + 3]!; i++) {
    const key = A[p + 5 + 3 * i]!;
    const saved = depth;
    try {
      parts.push(showIdentifier(symbolNames[keyOf(key, e)]!));
    } catch {
      // The name itself is what fails; its error is on the way already.
      depth = saved;
      parts.push(`"\${${keySource(p, i)}}"`);
    }
  }
  return parts.join(".");
}

function keySource(p: number, i: number): string {
  const pos = A[p + 4]!;
  const source = sourceAt(pos);
  if (source === undefined) return "";
  const expr = parseSelectionAt(source, current.parser, pos - source.base);
  const name = expr.kind === "select" ? expr.path[i] : undefined;
  return name === undefined || typeof name === "string" ? "" : showExpr(name);
}

/** Returns the result of `?` for a value without attributes. */
function notASet(value: Value): false {
  wanted(value);
  return false;
}

function hasPath(p: number, e: Env): boolean {
  let slot: Slot = operand(A[p + 1]!, e);
  const count = A[p + 2]!;
  for (let i = 0; i < count; i++) {
    const base = forceAt(slot, A[p + 3]!);
    const symbol = keyOf(A[p + 4 + i]!, e);
    if (!(base instanceof Attrs)) return false;
    const next = base.get(symbol);
    if (next === undefined) return false;
    slot = next;
  }
  return true;
}

// ---- sets and lists

function evalAttrs(p: number, e: Env): Attrs {
  return literalSet(A[p + 1]!, p + 4, e);
}

/** Makes a set whose nodes are at A[nodes…]. Values that would be delayed are made at their first use. */
function literalSet(index: number, nodes: number, e: Env): Attrs {
  const literal = literals[index] ?? literalAt(index);
  literal.nodes = nodes;
  const { shape } = literal;
  const attrs = new Attrs(shape, shape.size, literal);
  for (let i = 0; i < shape.size; i++) {
    const slot = knownElement(A[nodes + i]!, e);
    attrs[i] = slot as Slot;
    if (slot === undefined) attrs.unmade = e;
  }
  return attrs;
}

/** Makes a set of constants. The set is new each time, which is visible when values are printed; its values are made once. */
function constantAttrs(p: number, e: Env): Attrs {
  const made = constants[A[p + 3]!] as Attrs | undefined;
  if (made === undefined) return (constants[A[p + 3]!] = evalAttrs(p, e));
  return filled(made.shape!, made, made.origin as DefinedAt);
}

function fromAttrs(p: number, e: Env): Attrs {
  const sources = A[p + 3]!;
  return literalSet(A[p + 1]!, p + 4 + sources, bindEnv(e, p + 4, sources));
}

/**
 * Makes the environment of a recursive set. With `__overrides` nothing may be looked up before that is known, so every slot
 * starts as a thunk.
 */
function recEnv(p: number, up: Env): Env {
  const count = A[p + 3]!;
  const q = p + 5 + A[p + 2]!;
  if (A[p + 4] === 0) return bindEnv(up, q, count);
  const slots = new Array<Slot>(count).fill(unset);
  const e: Env =
    count > 4
      ? new EN(up, slots)
      : count > 2
        ? new E4(up, unset, unset, unset, unset)
        : count === 2
          ? new E2(up, unset, unset)
          : new E1(up, unset);
  for (let i = 0; i < count; i++) setSlot(e, { count, index: i }, new Thunk(A[q + i]!, e));
  return e;
}

function recAttrs(p: number, env: Env): Attrs {
  const count = A[p + 2]!;
  const slots = A[p + 3]!;
  const literal = literals[A[p + 1]!] ?? literalAt(A[p + 1]!);
  const attrs = new Attrs(literal.shape, count, literal);
  for (let i = 0; i < count; i++) attrs[i] = slotOf(env, slots, A[p + 5 + i]!);
  return A[p + 4] === 0 ? attrs : overridden(p, env, attrs);
}

/** Applies `__overrides`, which replaces attributes of a recursive set, for the set itself and for its values. */
function overridden(p: number, env: Env, attrs: Attrs): Attrs {
  const count = A[p + 3]!;
  const overrides = force(slotOf(env, count, A[p + 4]! - 1));
  if (!(overrides instanceof Attrs)) {
    throw withFrame(typeError("a set", overrides), 0, "while evaluating the `__overrides` attribute");
  }
  const shape = attrs.shape!;
  const overriding = shapeOf(overrides);
  for (let i = 0; i < overriding.size; i++) {
    const own = shape.find(overriding.keys[i]!);
    if (own >= 0) setSlot(env, { count, index: A[p + 5 + own]! }, overrides[i]!);
  }
  return update(attrs, overrides);
}

function dynamicAttrs(p: number, outer: Env): Attrs {
  const baseNode = A[p + 1]!;
  let e = outer;
  let base: Attrs;
  if (A[p + 2] === 1 && A[baseNode] === 44) {
    e = recEnv(baseNode, outer);
    base = recAttrs(baseNode, e);
  } else base = ev(baseNode, e) as Attrs;
  const shape = shapeOf(base);
  const last = shape.size + A[p + 3]!;
  const symbols = new Array<number>(last);
  const values = new Array<Slot>(last);
  const positions = new Array<number>(last);
  let size = 0;
  for (; size < shape.size; size++) {
    symbols[size] = shape.keys[size]!;
    values[size] = base[size]!;
    positions[size] = base.positionOf(shape.keys[size]!);
  }
  for (let i = 0; i < A[p + 3]!; i++) {
    const cell = p + 4 + 3 * i;
    const pos = A[cell + 2]!;
    const name = ev(A[cell]!, e);
    if (name === null) continue;
    const text = plainString(name, pos, "while evaluating the name of a dynamic attribute");
    const symbol = intern(text);
    const known = symbols.indexOf(symbol);
    if (known >= 0 && known < size) {
      throw new EvaluationError(
        "eval-error",
        `dynamic attribute ${quoteName(text)} already defined at ${place(positions[known]!)}`,
        pos,
      );
    }
    symbols[size] = symbol;
    values[size] = delayElement(A[cell + 1]!, e);
    positions[size++] = pos;
  }
  if (size < last) symbols.length = values.length = positions.length = size;
  return makeAttrs(symbols, values, positions);
}

function place(pos: number): string {
  const { line, column } = lineAndColumn(pos);
  return `${sourceAt(pos)?.name}:${line}:${column}`;
}

function evalList(p: number, e: Env): List {
  const count = A[p + 1]!;
  const list = new Array<Slot>(count);
  for (let i = 0; i < count; i++) list[i] = delayElement(A[p + 2 + i]!, e);
  return list;
}

/** Returns the value of `__curPos` and `unsafeGetAttrPos`; null when the place is unknown. */
export function positionAttrs(pos: number): Value {
  const source = sourceAt(pos);
  if (source === undefined || source.origin !== "file") return null;
  const { line, column } = lineAndColumn(pos);
  return makeAttrs([sym.file, sym.line, sym.column], [source.name, line, column], null);
}

// ---- calls

/** Number of calls between two polls for an interrupt: every endless evaluation makes calls. */
const pollEvery = 4096;
let callsUntilPoll = pollEvery;

function pollInterrupt(): void {
  callsUntilPoll = pollEvery;
  if (current.host.interrupted?.() === true) throw new FirnError("interrupted", "interrupted by the user");
}

/** Counts a step of a loop that does not call functions, for interrupts. */
export function countStep(): void {
  if (--callsUntilPoll === 0) pollInterrupt();
}

const largeList = 65536;

function joined(a: List, b: List): List {
  if (a.length + b.length > largeList) pollInterrupt();
  return a.concat(b);
}

/** Runs a function body; `at` is the cell with the position of the lambda. */
function body(code: number, e: Env, at: number, pos: number): Value {
  if (--callsUntilPoll === 0) pollInterrupt();
  if (++depth > maxDepth + 1) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
  const value = showTrace ? tracedBody(code, e, at, pos) : ev(code, e);
  depth--;
  return value;
}

function tracedBody(code: number, e: Env, at: number, pos: number): Value {
  try {
    return ev(code, e);
  } catch (error) {
    // The name stands before the positions, at most eight cells back; the node is known by its body.
    let name = 0;
    for (let back = 4; back <= 12; back++) {
      const n = at - back;
      if ((A[n] === 15 && A[n + 1] === code) || (A[n] === 16 && A[n + 1] === code)) {
        name = A[n + 3]!;
        break;
      }
    }
    const callee = name > 0 ? `'${symbolNames[name - 1]}'` : "anonymous lambda";
    const traced = addFrame(error, A[at]!, `while calling ${callee}`);
    throw pos === 0 ? traced : addFrame(traced, pos, "from call site");
  }
}

/** Calls a function with one argument. */
export function call(f: Value, a: Slot, pos: number): Value {
  if (f instanceof Lambda) {
    f.fresh = false;
    const n = f.node;
    if (A[n] === 16) return callPattern(f, a, pos);
    if (A[n + 2] === 1) return body(A[n + 1]!, new E1(f.env, a), n + 4, pos);
    return new PartialLambda(f, [a]);
  }
  if (f instanceof Builtin) {
    if (f.arity === 1) return callBuiltin1(f, a, pos);
    return new PartialBuiltin(f, [a]);
  }
  if (f instanceof PartialLambda) {
    const { lambda, args } = f;
    const n = lambda.node;
    const count = args.length + 1;
    if (count < A[n + 2]!) return new PartialLambda(lambda, [...args, a]);
    return body(A[n + 1]!, argumentEnv(lambda.env, args, a), n + 3 + count, pos);
  }
  if (f instanceof PartialBuiltin) {
    const { builtin, args } = f;
    if (args.length + 1 < builtin.arity) return new PartialBuiltin(builtin, [...args, a]);
    return args.length === 1 ? callBuiltin2(builtin, args[0]!, a, pos) : callBuiltin3(builtin, args, a, pos);
  }
  if (f instanceof Attrs) {
    const functor = f.get(sym.functor);
    if (functor !== undefined) {
      try {
        const at = f.positionOf(sym.functor);
        return call2(forceAt(functor, at), f, a, at);
      } catch (error) {
        throw addFrame(error, pos, "while calling a functor (an attribute set with a '__functor' attribute)");
      }
    }
  }
  throw new EvaluationError(
    "type-error",
    `attempt to call something which is not a function but ${showType(f)}: ${showValue(f)}`,
    pos,
  );
}

function argumentEnv(up: Env, args: readonly Slot[], last: Slot): Env {
  switch (args.length) {
    case 0:
      return new E1(up, last);
    case 1:
      return new E2(up, args[0]!, last);
    case 2:
      return new E4(up, args[0]!, args[1]!, last, unset);
    case 3:
      return new E4(up, args[0]!, args[1]!, args[2]!, last);
    default:
      return new EN(up, [...args, last]);
  }
}

/** Calls a function with two arguments. */
export function call2(f: Value, a: Slot, b: Slot, pos: number): Value {
  if (f instanceof Lambda && A[f.node] === 15) {
    f.fresh = false;
    const n = f.node;
    if (A[n + 2] === 2) return body(A[n + 1]!, new E2(f.env, a, b), n + 5, pos);
    if (A[n + 2]! > 2) return new PartialLambda(f, [a, b]);
  }
  if (f instanceof Builtin) {
    if (f.arity === 2) return callBuiltin2(f, a, b, pos);
    if (f.arity === 3) return new PartialBuiltin(f, [a, b]);
  }
  return call(call(f, a, pos), b, pos);
}

function callMany(p: number, e: Env): Value {
  let f = operand(A[p + 1]!, e);
  const pos = A[p + 2]!;
  const count = A[p + 3]!;
  const args = new Array<Slot>(count);
  for (let i = 0; i < count; i++) args[i] = delay(A[p + 4 + i]!, e);
  for (let i = 0; i < count; ) {
    if (f instanceof Lambda && A[f.node] === 15) {
      f.fresh = false;
      const n: number = f.node;
      const arity = A[n + 2]!;
      const given = args.slice(i, i + arity);
      i += given.length;
      if (given.length < arity) return new PartialLambda(f, given);
      const last = given.pop()!;
      f = body(A[n + 1]!, argumentEnv(f.env, given, last), n + 3 + arity, pos);
    } else f = call(f, args[i++]!, pos);
  }
  return f;
}

function callBuiltin1(f: Builtin, a: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(a, unset, unset);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function callBuiltin2(f: Builtin, a: Slot, b: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(a, b, unset);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function callBuiltin3(f: Builtin, args: readonly Slot[], c: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(args[0]!, args[1]!, c);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function builtinFrame(error: unknown, f: Builtin, pos: number): unknown {
  return f.traced ? addFrame(error, pos, `while calling the '${f.name}' builtin`) : error;
}

/** The last shape a pattern was matched against, and the indices of its formals in it. */
interface PatternMemo {
  shape: object | null;
  indices: number[];
}
const patternMemos: (PatternMemo | undefined)[] = [];

function lambdaName(n: number): string {
  const name = A[n + 3]!;
  return name > 0 ? symbolNames[name - 1]! : "anonymous lambda";
}

function matchPattern(n: number, attrs: Attrs, pos: number): PatternMemo {
  const shape = flatShape(attrs);
  const count = A[n + 5]!;
  const indices = new Array<number>(count);
  let found = 0;
  let absent = -1;
  for (let i = 0; i < count; i++) {
    const symbol = A[n + 8 + 3 * i]!;
    const index = shape.find(symbol);
    indices[i] = index;
    if (index >= 0) found++;
    else if (A[n + 9 + 3 * i] === 0 && (absent < 0 || symbol < absent)) absent = symbol;
  }
  if (absent >= 0) {
    const text = `function '${lambdaName(n)}' called without required argument '${symbolNames[absent]}'`;
    throw withFrame(new EvaluationError("type-error", text, A[n + 4]!), pos, "from call site");
  }
  if ((A[n + 6]! & 2) === 0 && found !== shape.size) {
    const formals = new Set<number>();
    for (let i = 0; i < count; i++) formals.add(A[n + 8 + 3 * i]!);
    for (const key of shape.keys) {
      if (formals.has(key)) continue;
      const text = `function '${lambdaName(n)}' called with unexpected argument '${showIdentifier(symbolNames[key]!)}'`;
      const error = new EvaluationError("type-error", text, A[n + 4]!);
      error.suggestions = suggest(
        [...formals].map((formal) => symbolNames[formal]!),
        symbolNames[key]!,
      );
      throw withFrame(error, pos, "from call site");
    }
  }
  return { shape, indices };
}

function patternArgument(n: number, a: Slot, pos: number): Attrs {
  try {
    const v = forceAt(a, A[n + 4]!);
    if (v instanceof Attrs) return v;
    throw withFrame(typeError("a set", v), A[n + 4]!, "while evaluating the value passed for the lambda argument");
  } catch (error) {
    throw pos === 0 ? error : addFrame(error, pos, "from call site");
  }
}

function callPattern(f: Lambda, a: Slot, pos: number): Value {
  const n = f.node;
  if (--callsUntilPoll === 0) pollInterrupt();
  if (++depth > maxDepth + 1) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
  const attrs = a instanceof Attrs ? a : patternArgument(n, a, pos);
  const shape = flatShape(attrs);
  const count = A[n + 5]!;
  const whole = A[n + 6]! & 1;
  const memoIndex = A[n + 7]!;
  let memo = patternMemos[memoIndex];
  if (memo === undefined || memo.shape !== shape) {
    memo = matchPattern(n, attrs, pos);
    while (patternMemos.length <= memoIndex) patternMemos.push(undefined);
    patternMemos[memoIndex] = memo;
  }
  const indices = memo.indices;
  const total = count + whole;
  let e: Env;
  if (total > 4) {
    const slots = new Array<Slot>(total);
    e = new EN(f.env, slots);
    if (whole === 1) slots[count] = attrs;
    // Values first: defaults may refer to any other formal.
    for (let i = 0; i < count; i++) {
      const index = indices[i]!;
      slots[i] = index >= 0 ? attrs.at(index) : unset;
    }
    for (let i = 0; i < count; i++) if (indices[i]! < 0) slots[i] = delay(A[n + 9 + 3 * i]!, e);
  } else {
    e =
      total <= 1
        ? new E1(f.env, unset)
        : total === 2
          ? new E2(f.env, unset, unset)
          : new E4(f.env, unset, unset, unset, unset);
    for (let i = 0; i < total; i++) {
      const index = i === count ? 0 : indices[i]!;
      if (index < 0) continue;
      const slot = i === count ? attrs : attrs.at(index);
      if (i === 0) (e as E1).a = slot;
      else if (i === 1) (e as E2).b = slot;
      else if (i === 2) (e as E4).c = slot;
      else (e as E4).d = slot;
    }
    for (let i = 0; i < count; i++) {
      if (indices[i]! < 0) setSlot(e, { count: 0, index: i }, delay(A[n + 9 + 3 * i]!, e));
    }
  }
  const value = showTrace ? tracedBody(A[n + 1]!, e, n + 4, pos) : ev(A[n + 1]!, e);
  depth--;
  return value;
}

/** Returns the formals of a lambda, in source order; undefined when it takes a plain argument. */
export function formalsOf(f: Value): { symbol: number; optional: boolean; pos: number }[] | undefined {
  if (!(f instanceof Lambda) || A[f.node] !== 16) return undefined;
  const n = f.node;
  const formals: { symbol: number; optional: boolean; pos: number }[] = [];
  for (let i = 0; i < A[n + 5]!; i++) {
    formals.push({ symbol: A[n + 8 + 3 * i]!, optional: A[n + 9 + 3 * i] !== 0, pos: A[n + 10 + 3 * i]! });
  }
  return formals;
}

export function hasEllipsis(f: Lambda): boolean {
  return (A[f.node + 6]! & 2) !== 0;
}

/** Returns the position of a lambda, 0 for anything else. */
export function positionOfValue(value: Value): number {
  return value instanceof Lambda ? A[value.node + 4]! : 0;
}

/** Returns the position of a slot that is about to be forced, known only for calls of lambdas. */
export function positionOfSlot(slot: Slot): number {
  if (!(slot instanceof Thunk)) return positionOfValue(slot);
  if (slot.code === done) return positionOfValue(slot.value as Value);
  return slot.code === applicationCode ? positionOfSlot((slot.value as Application).callee) : 0;
}

// ---- numbers

const smallest = -9223372036854775808n;
const largest = 9223372036854775807n;

/** Returns a 64-bit integer in its canonical form, or undefined when it does not fit. */
export function toInt(value: bigint): number | bigint | undefined {
  if (value < smallest || value > largest) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function isNumber(value: Value): value is number | bigint | Float {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Float;
}

function toDouble(value: number | bigint | Float): number {
  return value instanceof Float ? value.value : Number(value);
}

function operandError(value: Value, float: boolean, text: string): EvaluationError {
  return withFrame(typeError(float ? "a float" : "an integer", value), 0, text);
}

/** Checks both operands of an arithmetic builtin; true when the result is a float. */
function arithmeticOperands(a: Value, b: Value, words: { first: string; second: string }): boolean {
  const float = a instanceof Float || b instanceof Float;
  if (!isNumber(a)) throw operandError(a, float, words.first);
  if (!isNumber(b)) throw operandError(b, float, words.second);
  return float;
}

function overflow(verb: string, a: Value, symbol: string, b: Value): EvaluationError {
  return new EvaluationError("eval-error", `integer overflow in ${verb} ${String(a)} ${symbol} ${String(b)}`);
}

type Number64 = number | bigint;

export function addNumbers(a: Value, b: Value): Value {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  if (
    arithmeticOperands(a, b, {
      first: "while evaluating the first argument of the addition",
      second: "while evaluating the second argument of the addition",
    })
  ) {
    return new Float(toDouble(a as Number64) + toDouble(b as Number64));
  }
  const sum = toInt(BigInt(a as Number64) + BigInt(b as Number64));
  if (sum === undefined) throw overflow("adding", a, "+", b);
  return sum;
}

export function subtract(a: Value, b: Value): Value {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  if (
    arithmeticOperands(a, b, {
      first: "while evaluating the first argument of the subtraction",
      second: "while evaluating the second argument of the subtraction",
    })
  ) {
    return new Float(toDouble(a as Number64) - toDouble(b as Number64));
  }
  const difference = toInt(BigInt(a as Number64) - BigInt(b as Number64));
  if (difference === undefined) throw overflow("subtracting", a, "-", b);
  return difference;
}

export function multiply(a: Value, b: Value): Value {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product;
  }
  if (
    arithmeticOperands(a, b, {
      first: "while evaluating the first argument of the multiplication",
      second: "while evaluating the second argument of the multiplication",
    })
  ) {
    return new Float(toDouble(a as Number64) * toDouble(b as Number64));
  }
  const product = toInt(BigInt(a as Number64) * BigInt(b as Number64));
  if (product === undefined) throw overflow("multiplying", a, "*", b);
  return product;
}

export function divide(a: Value, b: Value): Value {
  if (!isNumber(b)) throw operandError(b, true, "while evaluating the second operand of the division");
  if (toDouble(b) === 0) throw new EvaluationError("eval-error", "division by zero");
  const float = a instanceof Float || b instanceof Float;
  if (!isNumber(a)) throw operandError(a, float, "while evaluating the first operand of the division");
  if (float) return new Float(toDouble(a) / toDouble(b));
  if (typeof a === "number" && typeof b === "number") {
    const quotient = Math.trunc(a / b);
    return quotient === 0 ? 0 : quotient;
  }
  const quotient = toInt(BigInt(a as Number64) / BigInt(b as Number64));
  if (quotient === undefined) throw overflow("dividing", a, "/", b);
  return quotient;
}

// ---- concatenation and coercion

/** Mode of coercion that accepts numbers, lists and booleans too, as `toString` and derivation attributes do. */
export const coerceMore = 1;
/** Mode of coercion that copies paths to the store. */
export const coerceCopy = 2;
/** Mode of coercion that keeps a path's trailing slash. */
const coerceRaw = 4;

function partError(value: Value, wanted: string, pos: number): EvaluationError {
  return new EvaluationError("eval-error", `cannot add ${showType(value)} to ${wanted}`, pos);
}

const segment = "while evaluating a path segment";

function add(left: Value, p: number, e: Env): Value {
  if (!(isNumber(left) || typeof left === "string" || left instanceof Path)) {
    const copy = left instanceof ContextString ? coerceCopy : 0;
    const head = coerceToString(left, copy | coerceRaw, segment, A[p + 3]!);
    return joinStrings(head, coerceToString(ev(A[p + 2]!, e), copy, segment, A[p + 4]!));
  }
  const right = ev(A[p + 2]!, e);
  if (typeof left === "string") {
    if (typeof right === "string") return left + right;
    return joinStrings(left, coerceToString(right, coerceCopy, segment, A[p + 4]!));
  }
  if (typeof left === "number" || typeof left === "bigint") return addToInteger(left, right, A[p + 4]!);
  if (left instanceof Float) {
    if (!isNumber(right)) throw partError(right, "a float", A[p + 4]!);
    return new Float(left.value + toDouble(right));
  }
  const tail = coerceToString(right, 0, segment, A[p + 4]!);
  if (typeof tail !== "string") throw pathContextError(A[p + 5]!);
  return new Path(canonicalPath(left.path + tail));
}

function addToInteger(left: Number64, right: Value, pos: number): Value {
  if (right instanceof Float) return new Float(Number(left) + right.value);
  if (typeof right !== "number" && typeof right !== "bigint") throw partError(right, "an integer", pos);
  const sum = toInt(BigInt(left) + BigInt(right));
  if (sum === undefined) {
    const error = overflow("adding", left, "+", right);
    error.pos = pos;
    throw error;
  }
  return sum;
}

function pathContextError(pos: number): EvaluationError {
  return new EvaluationError("eval-error", "a string that refers to a store path cannot be appended to a path", pos);
}

export type StringValue = string | ContextString;

export function textOfString(value: StringValue): string {
  return typeof value === "string" ? value : value.text;
}

export function contextOfString(value: StringValue): Context | null {
  return typeof value === "string" ? null : value.context;
}

export function makeString(text: string, context: Context | null): StringValue {
  return context === null ? text : new ContextString(text, context);
}

function joinStrings(x: StringValue, y: StringValue): StringValue {
  return makeString(textOfString(x) + textOfString(y), mergeContexts(contextOfString(x), contextOfString(y)));
}

function pathConcat(p: number, e: Env): Value {
  const count = A[p + 1]!;
  let text = "";
  let context: Context | null = null;
  for (let i = 0; i < count; i++) {
    const part = coerceToString(ev(A[p + 3 + 2 * i]!, e), i === 0 ? coerceRaw : 0, segment, A[p + 4 + 2 * i]!);
    text += textOfString(part);
    context = mergeContexts(context, contextOfString(part));
  }
  if (context !== null) throw pathContextError(A[p + 2]!);
  return new Path(canonicalPath(text));
}

function stringConcat(p: number, e: Env): Value {
  const count = A[p + 1]!;
  let text = "";
  let context: Context | null = null;
  for (let i = 0; i < count; i++) {
    const value = operand(A[p + 3 + 2 * i]!, e);
    if (typeof value === "string") text += value;
    else {
      const part = coerceToString(value, coerceCopy, segment, A[p + 4 + 2 * i]!);
      if (typeof part === "string") text += part;
      else {
        text += part.text;
        context = mergeContexts(context, part.context);
      }
    }
  }
  return context === null ? text : new ContextString(text, context);
}

/** Coerces a value to a string; `mode` is the permitted coercions, `text` the frame of a refusal. */
export function coerceToString(slot: Slot, mode: number, text: string, pos: number): StringValue {
  const value = forceAt(slot, pos);
  if (typeof value === "string" || value instanceof ContextString) return value;
  if (value instanceof Path) {
    if ((mode & coerceCopy) !== 0) return copyPath(value.path);
    return (mode & coerceRaw) !== 0 ? value.path : canonicalPath(value.path);
  }
  if (value instanceof Attrs) {
    enterCall(pos);
    const result = coerceAttrs(value, mode, text, pos);
    depth--;
    return result;
  }
  if ((mode & coerceMore) !== 0) {
    if (value === true) return "1";
    if (value === false || value === null) return "";
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    if (value instanceof Float) return formatFixed(value.value);
    if (isList(value)) return coerceList(value, mode, text, pos);
  }
  throw withFrame(
    new EvaluationError("type-error", `cannot coerce ${showType(value)} to a string: ${showValue(value)}`),
    pos,
    text,
  );
}

function coerceAttrs(value: Attrs, mode: number, text: string, pos: number): StringValue {
  const toText = value.get(sym.toString);
  if (toText !== undefined) {
    const result = call(forceAt(toText, pos), value, pos);
    return coerceToString(result, mode & ~coerceRaw, "while evaluating the result of the `__toString` attribute", pos);
  }
  const outPath = value.get(sym.outPath);
  if (outPath === undefined) {
    throw withFrame(
      new EvaluationError("type-error", `cannot coerce ${showType(value)} to a string: ${showValue(value)}`),
      pos,
      text,
    );
  }
  return coerceToString(outPath, mode, text, pos);
}

function coerceList(list: List, mode: number, text: string, pos: number): StringValue {
  enterCall(pos);
  let result = "";
  let context: Context | null = null;
  for (let i = 0; i < list.length; i++) {
    const item = list[i]!;
    let part: StringValue;
    try {
      part = coerceToString(item, mode, "while evaluating one element of the list", pos);
    } catch (error) {
      throw frame(error, pos, text);
    }
    result += textOfString(part);
    context = mergeContexts(context, contextOfString(part));
    const value = peekSlot(item);
    if (i < list.length - 1 && !(isList(value) && value.length === 0)) result += " ";
  }
  depth--;
  return makeString(result, context);
}

/** Copies a path to the store, once per evaluation. */
export function copyPath(path: string): ContextString {
  const clean = canonicalPath(path);
  const known = current.copiedPaths.get(clean);
  if (known !== undefined) return known;
  if (clean.endsWith(".drv")) throw new EvaluationError("eval-error", "file names are not allowed to end in '.drv'");
  const storePath = current.host.addPathToStore({ path: clean, name: baseNameOfPath(clean), method: "nar" });
  current.host.allowPath(storePath);
  const result = new ContextString(storePath, contextOf({ kind: "opaque", path: storePath }));
  current.copiedPaths.set(clean, result);
  return result;
}

/** Returns the text of a string without context; errors are worded as for builtin arguments. */
export function plainString(value: Value, pos: number, text: string): string {
  if (typeof value === "string") return value;
  if (value instanceof ContextString) throw withFrame(contextError(value), pos, text);
  throw withFrame(typeError("a string", value, pos), pos, text);
}

function contextError(value: ContextString): EvaluationError {
  const element = firstElement(value.context);
  return new EvaluationError(
    "eval-error",
    `the string '${value.text}' is not allowed to refer to a store path (such as '${element}')`,
  );
}

function firstElement(context: Context): string {
  const element = contextElements(context)[0]!;
  switch (element.kind) {
    case "opaque":
      return element.path;
    case "deep":
      return `${element.drvPath} (deep)`;
    case "output":
      return `${element.drvPath}^${element.output}`;
  }
}

// ---- comparing

/** Compares values as `==`; elements of lists and sets that are the same slot are equal whatever they are. */
function equal(a: Value, b: Value, pos: number): boolean {
  if (typeof a === "string") {
    if (typeof b === "string") return a === b;
    return b instanceof ContextString && b.text === a;
  }
  if (a === null || typeof a === "boolean") return a === b;
  if (typeof a === "number" || typeof a === "bigint") {
    if (b instanceof Float) return Number(a) === b.value;
    return a === b;
  }
  if (a instanceof ContextString) {
    if (b instanceof ContextString) return a.text === b.text;
    return a.text === b;
  }
  if (a instanceof Float) {
    if (b instanceof Float) return a.value === b.value;
    return (typeof b === "number" || typeof b === "bigint") && a.value === Number(b);
  }
  if (a instanceof Path) return b instanceof Path && a.path === b.path;
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    enterCall(pos);
    for (let i = 0; i < a.length; i++) {
      if (!equalSlots(a[i]!, b[i]!, pos)) {
        depth--;
        return false;
      }
    }
    depth--;
    return true;
  }
  if (a instanceof Attrs) {
    if (!(b instanceof Attrs)) return false;
    enterCall(pos);
    const result = equalAttrs(a, b, pos);
    depth--;
    return result;
  }
  return false;
}

export function equalSlots(a: Slot, b: Slot, pos: number): boolean {
  if (a === b) {
    forceAt(a, pos);
    return true;
  }
  const x = forceAt(a, pos);
  const y = forceAt(b, pos);
  if (x === y && typeof x === "object") return true;
  return equal(x, y, pos);
}

export function isDerivation(attrs: Attrs): boolean {
  const type = attrs.get(sym.type);
  if (type === undefined) return false;
  const value = force(type);
  return value === "derivation" || (value instanceof ContextString && value.text === "derivation");
}

function equalAttrs(a: Attrs, b: Attrs, pos: number): boolean {
  if (isDerivation(a) && isDerivation(b)) {
    const x = a.get(sym.outPath);
    const y = b.get(sym.outPath);
    if (x !== undefined && y !== undefined) return equalSlots(x, y, pos);
  }
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  if (shapeA.size !== shapeB.size) return false;
  for (let i = 0; i < shapeA.size; i++) {
    if (shapeA.keys[i] !== shapeB.keys[i] || !equalSlots(a[i]!, b[i]!, pos)) return false;
  }
  return true;
}

function basicType(value: Value): string {
  if (value instanceof ContextString) return "string";
  if (typeof value === "bigint") return "number";
  if (isFunctionValue(value)) return "function";
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (isList(value)) return "list";
  if (value instanceof Attrs) return "set";
  if (value instanceof Path) return "path";
  return "float";
}

/** Compares forced values as `<`; errors of nested comparisons get their frame here. */
export function less(a: Value, b: Value, text = ""): boolean {
  try {
    if (isNumber(a) && isNumber(b)) {
      if (a instanceof Float || b instanceof Float) return toDouble(a) < toDouble(b);
      return a < b;
    }
    const type = basicType(a);
    if (type !== basicType(b)) {
      throw new EvaluationError(
        "eval-error",
        `cannot compare ${showType(a)} with ${showType(b)}; values are ${showValue(a)} and ${showValue(b)}`,
      );
    }
    if (type === "string") return textOfString(a as StringValue) < textOfString(b as StringValue);
    if (a instanceof Path) return a.path < (b as Path).path;
    if (isList(a)) {
      const other = b as List;
      for (let i = 0; ; i++) {
        if (i === other.length) return false;
        if (i === a.length) return true;
        if (!equalSlots(a[i]!, other[i]!, 0)) {
          return less(force(a[i]!), force(other[i]!), "while comparing two list elements");
        }
      }
    }
    throw new EvaluationError(
      "eval-error",
      `cannot compare ${showType(a)} with ${showType(b)}; values of that type are incomparable (values are ${showValue(a)} and ${showValue(b)})`,
    );
  } catch (error) {
    throw frame(error, 0, text);
  }
}

// ---- failed assertions

function assertFailed(p: number, e: Env): never {
  const pos = A[p + 3]!;
  const source = sourceAt(pos)!;
  const expr = parseExpressionAt(source, current.parser, pos - source.base);
  const shown = expr.kind === "assert" ? showExpr(expr.condition) : "";
  let condition = A[p + 1]!;
  while (A[condition] === 58) condition = A[condition + 1]!;
  let failure = new EvaluationError("assertion-failed", `assertion '${shown}' failed`, pos);
  if (A[condition] === 30) {
    const left = ev(A[condition + 1]!, e);
    const right = ev(A[condition + 2]!, e);
    try {
      explainInequality(left, right, 0);
    } catch (error) {
      if (error instanceof EvaluationError && error.kind === "assertion-failed") {
        failure = withFrame(error, pos, `while evaluating the condition of the assertion '${shown}'`);
      } else throw new AssertError(error);
    }
  }
  throw new AssertError(failure);
}

/** The failure of an assertion itself, to which the interpreter adds no frame for its condition. */
class AssertError {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function unequal(message: string): EvaluationError {
  return new EvaluationError("assertion-failed", message);
}

/** Finds the first difference of two unequal values and throws an error that describes it. */
function explainInequality(left: Slot, right: Slot, pos: number): void {
  const a = forceAt(left, pos);
  const b = forceAt(right, pos);
  if (left === right) return;
  const show = (value: Value) => `'${showValue(value)}'`;
  if (isNumber(a) && isNumber(b)) {
    if (equal(a, b, pos)) return;
    throw unequal(`${showType(a)} with value ${show(a)} is not equal to ${showType(b)} with value ${show(b)}`);
  }
  const type = basicType(a);
  if (type !== basicType(b)) {
    throw unequal(`${showType(a)} of value ${show(a)} is not equal to ${showType(b)} of value ${show(b)}`);
  }
  switch (type) {
    case "boolean":
    case "string":
    case "path":
      if (!equal(a, b, pos)) throw unequal(`${type} ${show(a)} is not equal to ${type} ${show(b)}`);
      return;
    case "list":
      explainLists(a as List, b as List, pos);
      return;
    case "set":
      explainSets(a as Attrs, b as Attrs, pos);
      return;
    case "function":
      throw unequal("distinct functions and immediate comparisons of identical functions compare as unequal");
    default:
  }
}

function explainLists(a: List, b: List, pos: number): void {
  if (a.length !== b.length) {
    throw unequal(
      `list of size '${a.length}' is not equal to list of size '${b.length}', left hand side is '${showValue(a)}', right hand side is '${showValue(b)}'`,
    );
  }
  for (let i = 0; i < a.length; i++) {
    try {
      explainInequality(a[i]!, b[i]!, pos);
    } catch (error) {
      throw addFrame(error, pos, `while comparing list element ${i}`);
    }
  }
}

function explainSets(a: Attrs, b: Attrs, pos: number): void {
  const show = (value: Value) => `'${showValue(value)}'`;
  if (isDerivation(a) && isDerivation(b)) {
    const x = a.get(sym.outPath);
    const y = b.get(sym.outPath);
    if (x !== undefined && y !== undefined) {
      try {
        explainInequality(x, y, pos);
        return;
      } catch (error) {
        throw addFrame(error, pos, "while comparing a derivation by its 'outPath' attribute");
      }
    }
  }
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  if (shapeA.size !== shapeB.size) {
    throw unequal(`attribute names of attribute set ${show(a)} differs from attribute set ${show(b)}`);
  }
  for (let i = 0; i < shapeA.size; i++) {
    const x = shapeA.keys[i]!;
    const y = shapeB.keys[i]!;
    if (x !== y) {
      if (shapeB.find(x) < 0) {
        throw unequal(`attribute name ${quoteName(symbolNames[x]!)} is contained in ${show(a)}, but not in ${show(b)}`);
      }
      throw unequal(
        `attribute name ${quoteName(symbolNames[y]!)} is missing in ${show(a)}, but is contained in ${show(b)}`,
      );
    }
    try {
      explainInequality(a[i]!, b[i]!, pos);
    } catch (error) {
      let traced = error;
      const placeA = a.positionOf(x);
      const placeB = b.positionOf(y);
      if (placeB !== 0) traced = addFrame(traced, placeB, "where right hand side is");
      if (placeA !== 0) traced = addFrame(traced, placeA, "where left hand side is");
      throw addFrame(traced, pos, `while comparing attribute ${quoteName(symbolNames[x]!)}`);
    }
  }
}
