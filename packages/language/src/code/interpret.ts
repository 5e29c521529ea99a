/**
 * The interpreter: evaluating, forcing, calling, coercing and comparing. These are mutually recursive and hot, so they share
 * one file (longer than others for that reason) and one set of module variables; `enter` sets the running evaluation. Node
 * layouts are described in lower.ts, those of values in heap/memory.ts. The switch uses bare numbers because only literals become a
 * jump table; bits and cells of values are bare numbers where it runs most.
 */

import { canonicalPath, FirnError } from "@firn/formats";
import {
  type BuiltinInfo,
  builtinOf,
  copyFunction,
  makeLambda,
  makePartialBuiltin,
  makePartialLambda,
  markUsed,
  partialArgument,
  partialCallee,
  partialCount,
  withArgument,
} from "../heap/function.ts";
import { allocateList, firstElement, joinLists, listLength } from "../heap/list.ts";
import {
  allocate,
  bool,
  emptyList,
  emptyString,
  falseValue,
  giveBack,
  type HeapLimit,
  heap,
  isFloat,
  isFunction,
  isLambda,
  isList,
  isPath,
  isSet,
  isString,
  kindOf,
  limitHeap,
  nextAddress,
  none,
  nullValue,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, isInteger, isNumber, makeFloat, makeInteger, numberOf, sumOf } from "../heap/number.ts";
import { makePath, pathString, placedPathString, placedPathText } from "../heap/path.ts";
import {
  attribute,
  emptySet,
  firstValue,
  flatOrNone,
  flatSet,
  makeSet,
  namesOf,
  positionOf,
  positionOfSet,
  setMemberCall,
  shapeOf,
  update,
  valueAt,
} from "../heap/set.ts";
import { findKey, firstKey, keyAt, keysOf, makeShape, shapeSize } from "../heap/shape.ts";
import {
  type ContextId,
  compareStrings,
  contextIdOf,
  equalStrings,
  isText,
  joinAll,
  joinStrings,
  makeDecimal,
  makeString,
  stringText,
} from "../heap/string.ts";
import { intern, nameOf, symbolOf } from "../heap/symbol.ts";
import { addTable } from "../heap/tables.ts";
import {
  application2Code,
  applicationCode,
  blackHole,
  done,
  failed,
  forgetNative,
  makeThunk,
  nativeCode,
  nativeOf,
  peekSlot,
} from "../heap/thunk.ts";
import {
  comparePaths,
  hasTreeRoots,
  samePaths,
  shownBelowTree,
  shownPath,
  type TreeRoot,
  useTreeRoots,
} from "../heap/tree-root.ts";
import type { EvalHost } from "../host.ts";
import { type ParserOptions, parseExpressionAt, parseSelectionAt } from "../syntax/parser.ts";
import { baseNameOfPath } from "../syntax/path-text.ts";
import { showExpr, showIdentifier } from "../syntax/print.ts";
import { contextElements, contextOf, mergeContexts } from "../value/context.ts";
import {
  addFrame,
  EvaluationError,
  evaluationErrorKinds,
  isInterruption,
  wrapError,
} from "../value/evaluation-error.ts";
import { showValue } from "../value/print.ts";
import { suggest } from "../value/suggestions.ts";
import { formatFixed } from "../value/text.ts";
import { showType } from "../value/type.ts";
import { divide, multiply, overflow, subtract, typeError } from "./arithmetic.ts";
import type { CallObserver } from "./call-observer.ts";
import type { CodeStore } from "./code-store.ts";
import { literalAt } from "./literals.ts";
import { lowerLazy } from "./lower.ts";
import { constantAt, firstCode, ints } from "./memory.ts";
import { lineAndColumn, type Source, sourceAt } from "./source.ts";

const A = ints;
const H = heap;

/** The address of an environment; 0 is none. */
export type Env = number;

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

/** Hears of applications of functions whose code says so. */
export interface ApplicationHooks {
  /** Returns the value of a function, its node and environment, for an argument; `run` computes it. */
  apply(node: number, env: Env, argument: Slot, run: () => Value): Value;
  /** Hears that the place of an argument was asked for, which differs from one application to the next. */
  askedForPlace: boolean;
  /** True where an image is in use or made, so that it matters in which order things are evaluated. */
  readonly isWatching: boolean;
  /** Runs what must leave no trace; returns false when it fails. */
  tryOut(work: () => void): boolean;
  /** Is set when an error came of a set whose values are forced in the order of their symbols, and was caught. */
  isVisible: boolean;
}

/** The state of one evaluator. */
export interface EvaluatorState {
  host: EvalHost;
  /** Hears of applications, where images are made or used. */
  applications?: ApplicationHooks;
  heapLimit: HeapLimit;
  readonly parser: ParserOptions;
  /** Values of global names, by symbol; undefined or `none` for other names. */
  readonly globals: Slot[];
  readonly copiedPaths: Map<string, Value>;
  /** Lowered code of earlier processes, if the host keeps it. */
  code: CodeStore | undefined;
  /** True to add a frame for every function call to traces. */
  showTrace: boolean;
  depth: number;
  /** The trees that are read where they lie. */
  readonly treeRoots: TreeRoot[];
  /** Called once the number of imported files shows that the evaluation is a long one. */
  readonly whenLong: () => void;
  /** The debugger; set before anything is lowered, because it needs observed code. */
  debugger?: DebuggerHooks;
  /** Hears of calls; set before anything is lowered, because it needs code that tells of them. */
  readonly calls?: CallObserver;
}

let current: EvaluatorState;
let globals: Slot[] = [];
let depth = 0;
let maxDepth = 10000;
let showTrace = false;
/** Hears of the calls of the running evaluation. */
let calls: CallObserver | undefined;
/** True when the next call has been told already. */
let told = false;

/** The previously running evaluation, the call depth of the current one, and the bounds of the heap. */
interface Entered {
  readonly previous: EvaluatorState | undefined;
  readonly limit: HeapLimit;
  readonly depth: number;
}

let nesting = 0;

/** Tells whether an evaluation is running. */
export function isEvaluating(): boolean {
  return nesting > 0;
}

/** Makes `evaluation` the running one; returns the data with which `leave` undoes that. */
export function enter(evaluation: EvaluatorState): Entered {
  nesting++;
  const previous = current as EvaluatorState | undefined;
  if (previous !== undefined) previous.depth = depth;
  const entered = { previous, depth, limit: limitHeap(evaluation.heapLimit) };
  select(evaluation);
  return entered;
}

/** Restores the previous evaluation, also after an error, which leaves the depth at which it was thrown. */
export function leave(entered: Entered): void {
  nesting--;
  current.depth = entered.depth;
  select(entered.previous ?? current);
  limitHeap(entered.limit);
}

function select(evaluation: EvaluatorState): void {
  current = evaluation;
  globals = evaluation.globals;
  depth = evaluation.depth;
  maxDepth = evaluation.host.mode.maxCallDepth;
  showTrace = evaluation.showTrace;
  calls = evaluation.calls;
  useTreeRoots(evaluation.treeRoots);
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
  missing: intern("__missing"),
  toString: intern("__toString"),
  outPath: intern("outPath"),
  type: intern("type"),
  overrides: intern("__overrides"),
  file: intern("file"),
  line: intern("line"),
  column: intern("column"),
};

// ---- errors

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

/** Makes an environment of one value; it also holds callee and arguments of a delayed call. */
function env1(up: number, a: number): Env {
  const e = allocate(2);
  H[e] = up;
  H[e + 1] = a;
  return e;
}

function env2(up: number, a: number, b: number): Env {
  const e = allocate(4);
  H[e] = up;
  H[e + 1] = a;
  H[e + 2] = b;
  return e;
}

/** Delays a call. When no trace is wanted, a plain function's body becomes the thunk's code at once. */
export function delayCall1(callee: Slot, a: Slot): Slot {
  if ((callee & 7) === 6 && !showTrace && calls === undefined) {
    const at = (callee >>> 2) - 1;
    if ((H[at]! & 15) === 2) {
      const n = H[at]! >>> 5;
      if (A[n] === 15 && A[n + 2] === 1) return makeThunk(A[n + 1]!, env1(H[at + 1]!, a));
    }
  }
  return makeThunk(applicationCode, env1(callee, a));
}

export function delayCall2(callee: Slot, a: Slot, b: Slot): Slot {
  const known = peekSlot(callee);
  if ((known & 7) === 6 && !showTrace && calls === undefined) {
    const at = (known >>> 2) - 1;
    if ((H[at]! & 15) === 2) {
      const n = H[at]! >>> 5;
      if (A[n] === 15 && A[n + 2] === 2) return makeThunk(A[n + 1]!, env2(H[at + 1]!, a, b));
    }
  }
  return makeThunk(application2Code, env2(callee, a, b));
}

setMemberCall(delayCall2);

/** Forces a slot and returns its value; throws the evaluation error of a failed thunk. */
export function force(slot: Slot): Value {
  if ((slot & 7) === 0) {
    const at = slot >>> 2;
    return H[at] === done ? (H[at + 1] as Value) : forceThunk(slot, 0);
  }
  markUsed(slot);
  return slot as Value;
}

export function forceAt(slot: Slot, pos: number): Value {
  if ((slot & 7) === 0) {
    const at = slot >>> 2;
    return H[at] === done ? (H[at + 1] as Value) : forceThunk(slot, pos);
  }
  markUsed(slot);
  return slot as Value;
}

/** The errors of failed thunks: with all frames that the first way out adds to them. Forcing again throws a copy. */
const failures: (EvaluationError | undefined)[] = [];

function forceThunk(thunk: number, pos: number): Value {
  const at = thunk >>> 2;
  const code = H[at]!;
  if (code < 0) {
    if (code === done) return H[at + 1] as Value;
    if (code === failed) throw failures[H[at + 1]!]!.again();
    throw new EvaluationError("infinite-recursion", "infinite recursion encountered", pos);
  }
  const env = H[at + 1]!;
  H[at] = blackHole;
  let value: Value;
  try {
    value = code >= firstCode ? ev(code, env) : runDelayed(code, env, pos);
  } catch (error) {
    const wrapped = wrapError(error);
    if (wrapped instanceof EvaluationError && wrapped.origin === undefined) {
      H[at] = failed;
      H[at + 1] = failures.push(wrapped) - 1;
    } else H[at] = code;
    throw wrapped;
  }
  if ((value & 7) === 6) value = ownValue(value);
  H[at] = done;
  H[at + 1] = value;
  return value;
}

/** Runs a delayed call, or a function of the program. */
function runDelayed(code: number, env: number, pos: number): Value {
  switch (code) {
    case applicationCode:
      return call(forceAt(H[env] as Slot, pos), H[env + 1] as Slot, pos);
    case application2Code:
      return call2(forceAt(H[env] as Slot, pos), H[env + 1] as Slot, H[env + 2] as Slot, pos);
    default: {
      const value = nativeOf(env)();
      forgetNative(env);
      return value;
    }
  }
}

/**
 * Returns the value that a delayed expression holds. Functions are equal when they are the same value in the reference, where
 * each delayed expression has its own copy of the function; only variables share it.
 */
function ownValue(value: Value): Value {
  return isFunction(value) ? copyFunction(value) : value;
}

// ---- environments

/** Returns the index of the cell with the content of a variable. */
function variableCell(p: number, e: Env): number {
  const op = A[p]!;
  if (op >= 60) {
    if (op < 65) return e + 1 + A[p + 1]!;
    if (op < 70) return H[e]! + 1 + A[p + 1]!;
    if (op < 75) return H[H[e]!]! + 1 + A[p + 1]!;
    return H[H[H[e]!]!]! + 1 + A[p + 1]!;
  }
  let env = e;
  for (let d = A[p + 1]!; d > 0; d--) env = H[env]!;
  return env + 1 + A[p + 2]!;
}

/** Returns the value in a cell of an environment, which keeps it without its thunk. */
function cellValue(cell: number, pos: number): Value {
  const slot = H[cell]!;
  if ((slot & 7) !== 0) return slot as Value;
  const at = slot >>> 2;
  const value = H[at] === done ? H[at + 1]! : forceThunk(slot, pos);
  H[cell] = value;
  return value as Value;
}

/**
 * Gives back the thunks of two arguments that were made from `next` on, after a call: unless more was made, only its environment, or the
 * builtin, knew of them.
 */
function giveBackThunks(next: number, a: Slot, b: Slot): void {
  if (a === next << 2) giveBack(next, b === (next + 2) << 2 ? 4 : 2);
  else if (b === next << 2) giveBack(next, 2);
}

/** Makes an environment whose slots are the delayed nodes at A[q…]; they see the environment itself. */
function bindEnv(up: Env, q: number, count: number): Env {
  const e = allocate((count + 2) & -2);
  H[e] = up;
  for (let i = 0; i < count; i++) H[e + 1 + i] = delay(A[q + i]!, e);
  return e;
}

// ---- delaying

/** Returns the value of a node when that costs nothing and cannot fail, else a thunk. For arguments and bindings. */
function delay(p: number, e: Env): Slot {
  const op = A[p]!;
  if (op >= 60) return delayVariable(p, e);
  switch (op) {
    case 1: // INT
      return ((A[p + 1]! << 1) | 1) as Slot;
    case 2: // CONST
      return constant(p);
    case 7: // GLOBAL
      return globals[A[p + 1]!]!;
    case 9: /* SELECT1 */ {
      const base = peek(A[p + 1]!, e);
      if ((base & 7) === 2) {
        const value = peekSlot(attribute(base, A[p + 2]!));
        if (value !== none) return ownValue(value);
      }
      break;
    }
    case 15: // LAMBDA
    case 16: // PATTERN
      return makeLambda(p, e, true);
    case 48: // EMPTY_LIST
      return emptyList;
    case 58: // FORWARD
      return delay(A[p + 1]!, e);
    case 6: // VARIABLE
      return delayVariable(p, e);
    default:
  }
  return makeThunk(p, e);
}

/** Returns the value of a constant. */
function constant(p: number): Value {
  const cell = A[p + 1]!;
  if ((cell & 7) !== 0) return cell as Value;
  const value = constantAt(cell);
  A[p + 1] = value;
  return value;
}

/** Returns the content of a variable, without the thunk around a value; a variable that is not yet set is delayed. */
function delayVariable(p: number, e: Env): Slot {
  const cell = variableCell(p, e);
  const slot = H[cell]!;
  if ((slot & 7) !== 0) return slot as Slot;
  const at = slot >>> 2;
  if (H[at] === done) return (H[cell] = H[at + 1]!) as Slot;
  return slot === none ? makeThunk(p, e) : (slot as Slot);
}

/**
 * Returns the value or thunk as `delay` does, but evaluates only nodes that the reference does not delay either: elements of
 * lists and sets can be printed.
 */
function delayElement(p: number, e: Env): Slot {
  const op = A[p]!;
  if (op >= 60) return delayVariable(p, e);
  switch (op) {
    case 1: // INT
      return ((A[p + 1]! << 1) | 1) as Slot;
    case 2: // CONST
      return constant(p);
    case 7: // GLOBAL
      return globals[A[p + 1]!]!;
    case 48: // EMPTY_LIST
      return emptyList;
    case 6: // VARIABLE
      return delayVariable(p, e);
    default:
      return makeThunk(p, e);
  }
}

/** Returns the value of a node if it is known already, else `none`. */
function peek(p: number, e: Env): Value {
  const op = A[p]!;
  if (op >= 60 || op === 6) return peekSlot(H[variableCell(p, e)] as Slot);
  if (op === 7) return peekSlot(globals[A[p + 1]!]!);
  if (op === 9) {
    const base = peek(A[p + 1]!, e);
    if ((base & 7) === 2) return peekSlot(attribute(base, A[p + 2]!));
  }
  return none as Value;
}

/**
 * Returns the value of an operand that is a small number, a builtin or a near variable with a value, else `none`: the cases for which
 * a call of `ev` would cost too much.
 */
function ready(p: number, e: Env): Value {
  const op = A[p]!;
  let slot: number;
  if (op >= 60) {
    if (op < 65) slot = H[e + 1 + A[p + 1]!]!;
    else if (op < 70) slot = H[H[e]! + 1 + A[p + 1]!]!;
    else if (op < 75) slot = H[H[H[e]!]! + 1 + A[p + 1]!]!;
    else return none as Value;
  } else if (op === 1) return ((A[p + 1]! << 1) | 1) as Value;
  else if (op === 7) slot = globals[A[p + 1]!]!;
  else return none as Value;
  return ((slot & 7) === 0 ? none : slot) as Value;
}

function operand(p: number, e: Env): Value {
  const known = ready(p, e);
  return known === none ? ev(p, e) : known;
}

/** Tells whether running a body forces the variable of this opcode before anything else. */
function forcesFirst(body: number, variable: number): boolean {
  let p = body;
  for (let steps = 0; steps < 8; steps++) {
    switch (A[p]) {
      case 23: // IF
      case 25: // NOT
      case 27: // ADD
      case 30: // EQ
      case 31: // NEQ
      case 32: // AND
      case 33: // OR
      case 37: // LESS
      case 41: // SUB
      case 58: // FORWARD
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
  if ((x & y & 1) === 1) return makeInteger(A[p] === 41 ? (x >> 1) - (y >> 1) : (x >> 1) + (y >> 1));
  return delay(p, e);
}

function isSum(p: number): boolean {
  return A[p] === 41 || A[p] === 27;
}

/** Returns an argument of a builtin that forces it before anything that can be seen. */
function builtinArgument(p: number, e: Env): Slot {
  if (isSum(p)) return strictArgument(p, e);
  if (A[p] !== 42) return delay(p, e);
  const x = ready(A[p + 1]!, e);
  const y = ready(A[p + 2]!, e);
  if ((x & y & 1) === 1) {
    const product = (x >> 1) * (y >> 1);
    if (Number.isSafeInteger(product)) return makeInteger(product + 0);
  }
  return delay(p, e);
}

// ---- the interpreter proper

/** Runs a node in an environment. */
export function ev(start: number, env: Env): Value {
  let p = start;
  let e = env;
  try {
    for (;;) {
      switch (A[p]) {
        case 1: // INT
          return ((A[p + 1]! << 1) | 1) as Value;
        case 2: /* CONST */ {
          const v = A[p + 1]!;
          return (v & 7) !== 0 ? (v as Value) : constant(p);
        }
        case 60: /* VARIABLE_0_0 */ {
          const v = H[e + 1]!;
          if ((v & 7) !== 0) return v as Value;
          const at = v >>> 2;
          const r = H[at] === -1 ? H[at + 1]! : forceThunk(v, A[p + 2]!);
          H[e + 1] = r;
          return r as Value;
        }
        case 61: /* VARIABLE_0_1 */ {
          const v = H[e + 2]!;
          if ((v & 7) !== 0) return v as Value;
          const at = v >>> 2;
          const r = H[at] === -1 ? H[at + 1]! : forceThunk(v, A[p + 2]!);
          H[e + 2] = r;
          return r as Value;
        }
        case 62: // VARIABLE_0_2
        case 63: // VARIABLE_0_3
        case 64: /* VARIABLE_0_N */ {
          const cell = e + 1 + A[p + 1]!;
          const v = H[cell]!;
          if ((v & 7) !== 0) return v as Value;
          const at = v >>> 2;
          const r = H[at] === -1 ? H[at + 1]! : forceThunk(v, A[p + 2]!);
          H[cell] = r;
          return r as Value;
        }
        case 65: // VARIABLE_1_0
        case 66: // VARIABLE_1_1
        case 67: // VARIABLE_1_2
        case 68: // VARIABLE_1_3
        case 69: /* VARIABLE_1_N */ {
          const cell = H[e]! + 1 + A[p + 1]!;
          const v = H[cell]!;
          if ((v & 7) !== 0) return v as Value;
          const at = v >>> 2;
          const r = H[at] === -1 ? H[at + 1]! : forceThunk(v, A[p + 2]!);
          H[cell] = r;
          return r as Value;
        }
        case 70: // VARIABLE_2_0
        case 71: // VARIABLE_2_1
        case 72: // VARIABLE_2_2
        case 73: // VARIABLE_2_3
        case 74: /* VARIABLE_2_N */ {
          const v = cellValue(H[H[e]!]! + 1 + A[p + 1]!, A[p + 2]!);
          markUsed(v);
          return v;
        }
        case 75: // VARIABLE_3_0
        case 76: // VARIABLE_3_1
        case 77: // VARIABLE_3_2
        case 78: // VARIABLE_3_3
        case 79: /* VARIABLE_3_N */ {
          const v = cellValue(H[H[H[e]!]!]! + 1 + A[p + 1]!, A[p + 2]!);
          markUsed(v);
          return v;
        }
        case 6: /* VARIABLE */ {
          let far = e;
          for (let d = A[p + 1]!; d > 0; d--) far = H[far]!;
          const v = cellValue(far + 1 + A[p + 2]!, A[p + 3]!);
          markUsed(v);
          return v;
        }
        case 7: // GLOBAL
          return forceAt(globals[A[p + 1]!]!, A[p + 2]!);
        case 8: // WITH_VARIABLE
          return forceAt(withVariable(p, e), A[p + 2]!);
        case 9: // SELECT1
          return select1(p, e);
        case 10: // SELECT
          return selectPath(p, e);
        case 11: /* HAS1 */ {
          const v = operand(A[p + 1]!, e);
          if ((v & 7) === 2) return bool(attribute(v, A[p + 2]!) !== none);
          markUsed(v);
          return falseValue;
        }
        case 12: // HAS
          return bool(hasPath(p, e));
        case 13: // ATTRS
          return literalSet(A[p + 1]!, p + 4, e);
        case 14: // LIST
          return evalList(p, e);
        case 15: // LAMBDA
        case 16: // PATTERN
          return makeLambda(p, e, false);
        case 17: /* CALL1 */ {
          const f = operand(A[p + 1]!, e);
          const q = A[p + 3]!;
          const next = nextAddress();
          if ((f & 7) === 6) {
            const at = (f >>> 2) - 1;
            const head = H[at]!;
            if ((head & 15) === 2) {
              if ((head & 16) !== 0) H[at] = head & ~16;
              const n = head >>> 5;
              // A set is looked at before anything else is done, and to make it can neither fail nor be seen.
              if (A[n] === 16) {
                return callPattern(f, A[q] === 13 ? literalSet(A[q + 1]!, q + 4, e) : delay(q, e), A[p + 2]!);
              }
              if (A[n + 2] !== 1) return makePartialLambda(f, [delay(q, e)]);
              const strict = isSum(q) && forcesFirst(A[n + 1]!, 60);
              const a = strict ? strictArgument(q, e) : delay(q, e);
              const v = body(A[n + 1]!, env1(H[at + 1]!, a), 2, n + 4, A[p + 2]!);
              if (a === next << 2) giveBack(next, 2);
              return v;
            }
            if ((head & 15) === 4) {
              const info = builtinOf(f);
              if (info.arity === 1) {
                const a = delay(q, e);
                const v = callBuiltin1(info, a, A[p + 2]!);
                if (a === next << 2) giveBack(next, 2);
                return v;
              }
            }
          }
          return call(f, delay(q, e), A[p + 2]!);
        }
        case 18: /* CALL2 */ {
          const f = operand(A[p + 1]!, e);
          const q = A[p + 4]!;
          const next = nextAddress();
          if ((f & 7) === 6 && (H[(f >>> 2) - 1]! & 15) === 4) {
            const info = builtinOf(f);
            if (info.strict) {
              const a = builtinArgument(A[p + 3]!, e);
              const b = builtinArgument(q, e);
              const v = callBuiltin2(info, a, b, A[p + 2]!);
              giveBackThunks(next, a, b);
              return v;
            }
          }
          const a = delay(A[p + 3]!, e);
          if ((f & 7) === 6) {
            const at = (f >>> 2) - 1;
            const head = H[at]!;
            if ((head & 15) === 2) {
              if ((head & 16) !== 0) H[at] = head & ~16;
              const n = head >>> 5;
              if (A[n] === 15 && A[n + 2] === 2) {
                const b = isSum(q) && forcesFirst(A[n + 1]!, 61) ? strictArgument(q, e) : delay(q, e);
                const v = body(A[n + 1]!, env2(H[at + 1]!, a, b), 4, n + 5, A[p + 2]!);
                giveBackThunks(next, a, b);
                return v;
              }
            }
          }
          const b = delay(q, e);
          return call2(f, a, b, A[p + 2]!);
        }
        case 19: /* CALL3 */ {
          const f = operand(A[p + 1]!, e);
          const a = delay(A[p + 3]!, e);
          const b = delay(A[p + 4]!, e);
          const c = delay(A[p + 5]!, e);
          if ((f & 7) === 6) {
            const at = (f >>> 2) - 1;
            const head = H[at]!;
            if ((head & 15) === 2) {
              if ((head & 16) !== 0) H[at] = head & ~16;
              const n = head >>> 5;
              if (A[n] === 15 && A[n + 2] === 3) {
                const inner = allocate(4);
                H[inner] = H[at + 1]!;
                H[inner + 1] = a;
                H[inner + 2] = b;
                H[inner + 3] = c;
                return body(A[n + 1]!, inner, 4, n + 6, A[p + 2]!);
              }
            }
          }
          const pos = A[p + 2]!;
          if (kindOf(f) === 4 && builtinOf(f).arity === 3) return callBuiltin3(builtinOf(f), a, b, c, pos);
          return call(call2(f, a, b, pos), c, pos);
        }
        case 20: // CALLN
          return callMany(p, e);
        case 53: /* HOOKED */ {
          const hooks = current.applications;
          if (hooks !== undefined) {
            const code = A[p + 1]!;
            const inner = e;
            return hooks.apply(A[p + 2]!, H[e]!, H[e + 1] as Slot, () => ev(code, inner));
          }
          p = A[p + 1]!;
          continue;
        }
        case 21: // LET
          e = bindEnv(e, p + 3, A[p + 2]!);
          p = A[p + 1]!;
          continue;
        case 22: // WITH
          e = env1(e, delay(A[p + 1]!, e));
          p = A[p + 2]!;
          continue;
        case 23: /* IF */ {
          const c = A[p + 1]!;
          let v: Value;
          if (A[c] === 37) {
            const x = ready(A[c + 1]!, e);
            const y = ready(A[c + 2]!, e);
            v = (x & y & 1) === 1 ? (x < y ? trueValue : falseValue) : ev(c, e);
          } else v = operand(c, e);
          if (v === trueValue) p = A[p + 2]!;
          else if (v === falseValue) p = A[p + 3]!;
          else throw typeError("a Boolean", v, A[p + 4]!);
          continue;
        }
        case 24: /* ASSERT */ {
          const v = ev(A[p + 1]!, e);
          if (v === trueValue) {
            p = A[p + 2]!;
            continue;
          }
          if (v !== falseValue) throw typeError("a Boolean", v, A[p + 3]!);
          return assertFailed(p, e);
        }
        case 25: /* NOT */ {
          const v = ev(A[p + 1]!, e);
          if (v === trueValue) return falseValue;
          if (v === falseValue) return trueValue;
          throw typeError("a Boolean", v, A[p + 2]!);
        }
        case 27: /* ADD */ {
          const a = operand(A[p + 1]!, e);
          if ((a & 1) === 0) return add(a, p, e);
          const b = operand(A[p + 2]!, e);
          if ((b & 1) === 1) {
            const sum = (a >> 1) + (b >> 1);
            if (sum >= -1073741824 && sum < 1073741824) return ((sum << 1) | 1) as Value;
          }
          return addToInteger(a, b, A[p + 4]!);
        }
        case 28: // PATH_CONCAT
          return pathConcat(p, e);
        case 29: // STRING_CONCAT
          return stringConcat(p, e);
        case 30: /* EQ */ {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          if ((a & 7) === 4 && (b & 7) === 4) return bool(equalStrings(a, b));
          markUsed(a);
          markUsed(b);
          return bool(equal(a, b, A[p + 3]!));
        }
        case 31: /* NEQ */ {
          const a = ev(A[p + 1]!, e);
          markUsed(a);
          const b = ev(A[p + 2]!, e);
          markUsed(b);
          return bool(!equal(a, b, A[p + 3]!));
        }
        case 32: /* AND */ {
          const v = ev(A[p + 1]!, e);
          if (v === falseValue) return falseValue;
          if (v !== trueValue) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the AND (&&) operator");
        }
        case 33: /* OR */ {
          const v = ev(A[p + 1]!, e);
          if (v === trueValue) return trueValue;
          if (v !== falseValue) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the OR (||) operator");
        }
        case 34: /* IMPL */ {
          const v = ev(A[p + 1]!, e);
          if (v === falseValue) return trueValue;
          if (v !== trueValue) throw typeError("a Boolean", v, A[p + 3]!);
          return rightBoolean(p, e, "in the right operand of the IMPL (->) operator");
        }
        case 35: /* UPDATE */ {
          const right = updateOperand(p, e, false);
          const left = updateOperand(p, e, true);
          return update(left, right);
        }
        case 36: /* CONCAT */ {
          const a = ev(A[p + 1]!, e);
          const b = ev(A[p + 2]!, e);
          if (!isList(a)) throw concatError(a, A[p + 3]!);
          if (!isList(b)) throw concatError(b, A[p + 3]!);
          const size = listLength(a);
          if (size === 0) return b;
          if (listLength(b) === 0) return a;
          if (size + listLength(b) > largeList) pollInterrupt();
          return joinLists(a, b);
        }
        case 37: /* LESS */ {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          return bool((a & b & 1) === 1 ? a < b : less(a, b));
        }
        case 41: /* SUB */ {
          const a = operand(A[p + 1]!, e);
          const b = operand(A[p + 2]!, e);
          if ((a & b & 1) === 1) {
            const r = (a >> 1) - (b >> 1);
            if (r >= -1073741824 && r < 1073741824) return ((r << 1) | 1) as Value;
          }
          return subtract(a, b);
        }
        case 42: // MUL
          return multiply(ev(A[p + 1]!, e), ev(A[p + 2]!, e));
        case 43: // DIV
          return divide(ev(A[p + 1]!, e), ev(A[p + 2]!, e));
        case 44: // REC_ATTRS
          return recAttrs(p, recEnv(p, e));
        case 45: // DYNAMIC
          return dynamicAttrs(p, e);
        case 46: // POSITION
          return positionAttrs(A[p + 1]!);
        case 47: // EMPTY_ATTRS
          return emptySet;
        case 48: // EMPTY_LIST
          return emptyList;
        case 51: // CONSTANT_ATTRS
          return constantAttrs(p, e);
        case 55: // FROM_ATTRS
          return fromAttrs(p, e);
        case 57: // LAZY
          p = lowerLazy(p);
          continue;
        case 58: // FORWARD
          p = A[p + 1]!;
          continue;
        default:
          if (A[p] === 50) return current.debugger!.observe(p, e);
          if (A[p] === 52) return watchedCall(p, e);
          throw new Error(`bad opcode ${A[p]} at ${p}`);
      }
    }
  } catch (error) {
    // Only operators whose operands get a frame add one; p still points at the operator then.
    switch (A[p]) {
      case 23: // IF
        throw addFrame(error, A[p + 4]!, "while evaluating a branch condition");
      case 24: // ASSERT
        if (error instanceof AssertError) throw error.error;
        throw addFrame(error, A[p + 3]!, "in the condition of the assert statement");
      case 25: // NOT
        throw addFrame(error, A[p + 2]!, "in the argument of the not operator");
      case 32: // AND
        throw leftOrRight(error, p, "in the left operand of the AND (&&) operator");
      case 33: // OR
        throw leftOrRight(error, p, "in the left operand of the OR (||) operator");
      case 34: // IMPL
        throw leftOrRight(error, p, "in the left operand of the IMPL (->) operator");
      case 37: // LESS
        throw addFrame(error, A[p + 3]!, "while calling the 'lessThan' builtin");
      case 41: // SUB
        throw addFrame(error, A[p + 3]!, "while calling the 'sub' builtin");
      case 42: // MUL
        throw addFrame(error, A[p + 3]!, "while calling the 'mul' builtin");
      case 43: // DIV
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

function rightBoolean(p: number, e: Env, text: string): Value {
  try {
    const v = ev(A[p + 2]!, e);
    if (v === trueValue || v === falseValue) return v;
    throw typeError("a Boolean", v, A[p + 3]!);
  } catch (error) {
    throw new RightOperandError(addFrame(error, A[p + 3]!, text));
  }
}

function updateOperand(p: number, e: Env, left: boolean): Value {
  const pos = left ? A[p + 3]! : A[p + 4]!;
  if (pos === -1) return ev(left ? A[p + 1]! : A[p + 2]!, e);
  try {
    const v = operand(left ? A[p + 1]! : A[p + 2]!, e);
    if ((v & 7) === 2) return v;
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
      env = H[env]!;
      at++;
    }
    const pos = A[p + 5 + 2 * i]!;
    const scope = forceAt(H[env + 1] as Slot, pos);
    if (!isSet(scope)) {
      throw withFrame(typeError("a set", scope), pos, "while evaluating the first subexpression of a with expression");
    }
    H[env + 1] = scope;
    const slot = attribute(scope, symbol);
    if (slot !== none) return slot;
  }
  const error = new EvaluationError("undefined-variable", `undefined variable '${nameOf(symbol)}'`, A[p + 2]!);
  at = 0;
  env = e;
  for (let i = 0; i < count && error.hint === undefined; i++) {
    for (const target = A[p + 4 + 2 * i]!; at < target; at++) env = H[env]!;
    error.hint = adviceOf(H[env + 1] as Value, symbol);
  }
  throw error;
}

// ---- selection

function select1(p: number, e: Env): Value {
  const base = operand(A[p + 1]!, e);
  if ((base & 7) !== 2) {
    throw withFrame(typeError("a set", base), A[p + 5]!, "while selecting an attribute");
  }
  let at = base >>> 2;
  let shape = H[at]!;
  if (shape < 0) {
    at = flatOrNone(base);
    if (at === 0) {
      const slot = attribute(base, A[p + 2]!);
      if (slot === none) throw missing(base, A[p + 2]!, A[p + 5]!);
      if ((slot & 7) !== 0) return slot as Value;
      return H[slot >>> 2] === done ? (H[(slot >>> 2) + 1] as Value) : selected(slot, base, p);
    }
    shape = H[at]!;
  }
  let cell: number;
  if (shape === A[p + 3]) cell = at + 2 + A[p + 4]!;
  else {
    const i = findKey(shape, A[p + 2]!);
    if (i < 0) throw missing(base, A[p + 2]!, A[p + 5]!);
    A[p + 3] = shape;
    A[p + 4] = i;
    cell = at + 2 + i;
  }
  const slot = H[cell]!;
  if ((slot & 7) !== 0) return slot as Value;
  const thunk = slot >>> 2;
  const value = H[thunk] === -1 ? H[thunk + 1]! : selected(slot as Slot, base, p);
  H[cell] = value;
  return value as Value;
}

function selected(slot: Slot, owner: Value, p: number): Value {
  const symbol = A[p + 2]!;
  try {
    return forceThunk(slot, needsPosition(slot) ? positionOf(owner, symbol) || A[p + 5]! : 0);
  } catch (error) {
    const defined = positionOf(owner, symbol);
    if (defined === 0) throw error;
    throw selectFrame(error, defined, showIdentifier(nameOf(symbol)));
  }
}

/** Tells whether forcing a thunk needs its position, as only delayed calls and endless recursion do. */
function needsPosition(thunk: number): boolean {
  return H[thunk >>> 2]! <= nativeCode;
}

function selectFrame(error: unknown, defined: number, path: string): unknown {
  if (sourceAt(defined)?.origin === "internal") return error;
  return addFrame(error, defined, `while evaluating the attribute '${path}'`);
}

function missing(base: Value, symbol: number, pos: number): EvaluationError {
  const name = nameOf(symbol);
  const error = new EvaluationError("eval-error", `attribute ${quoteName(name)} missing`, pos);
  error.suggestions = suggest(attrNames(base), name);
  error.hint = adviceOf(base, symbol);
  return error;
}

/** Returns what a set's function `__missing` says about a name that the set lacks; undefined when it says nothing. */
function adviceOf(set: Value, symbol: number): string | undefined {
  const slot = attribute(set, sym.missing);
  if (slot === none) return undefined;
  try {
    const advice = call(force(slot), makeString(nameOf(symbol)), 0);
    return isString(advice) ? stringText(advice) : undefined;
  } catch (error) {
    // The name is missing all the same, and that is the error to tell.
    if (error instanceof EvaluationError && !isInterruption(error)) return undefined;
    throw error;
  }
}

/** Returns a name as the reference writes it in messages: `'name'`, quoted inside when it is no identifier. */
function quoteName(name: string): string {
  return `'${showIdentifier(name)}'`;
}

function attrNames(set: Value): string[] {
  return keysOf(namesOf(set)).map(nameOf);
}

/** Returns the symbol of a key, computing it when dynamic. */
function keyOf(key: number, e: Env): number {
  if (key >= 0) return key;
  const node = ~key;
  return symbolOf(plainString(ev(A[node + 1]!, e), A[node + 2]!, "while evaluating an attribute name"));
}

function selectPath(p: number, e: Env): Value {
  const fallback = A[p + 2]!;
  const count = A[p + 3]!;
  const pos = A[p + 4]!;
  let slot: Slot = operand(A[p + 1]!, e);
  let owner = none as Value;
  let symbol = 0;
  try {
    for (let cell = p + 5, end = cell + 3 * count; cell < end; cell += 3) {
      const key = A[cell]!;
      const name = key >= 0 ? key : keyOf(key, e);
      const base = forceAt(slot, pos);
      if ((base & 7) !== 2) {
        if (fallback !== 0) return ev(fallback, e);
        throw withFrame(typeError("a set", base), pos, "while selecting an attribute");
      }
      const at = flatOrNone(base);
      let next = none;
      if (at === 0) next = attribute(base, name);
      else {
        const shape = H[at]!;
        let index: number;
        if (key >= 0 && A[cell + 1] === shape) index = A[cell + 2]!;
        else {
          index = findKey(shape, name);
          A[cell + 1] = shape;
          A[cell + 2] = index;
        }
        if (index >= 0) {
          const place = at + 2 + index;
          next = H[place] as Slot;
          if ((next & 7) === 0 && H[next >>> 2] === done) next = H[place] = H[(next >>> 2) + 1] as Slot;
        }
      }
      if (next === none) {
        if (fallback !== 0) return ev(fallback, e);
        throw missing(base, name, pos);
      }
      slot = next;
      owner = base;
      symbol = name;
    }
    if ((slot & 7) !== 0) return slot as Value;
    if (owner === none || !needsPosition(slot)) return forceThunk(slot, pos);
    return forceThunk(slot, positionOf(owner, symbol) || pos);
  } catch (error) {
    const defined = owner === none ? 0 : positionOf(owner, symbol);
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
      parts.push(showIdentifier(nameOf(keyOf(key, e))));
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

function hasPath(p: number, e: Env): boolean {
  let slot: Slot = operand(A[p + 1]!, e);
  const count = A[p + 2]!;
  for (let i = 0; i < count; i++) {
    const base = forceAt(slot, A[p + 3]!);
    const symbol = keyOf(A[p + 4 + i]!, e);
    if (!isSet(base)) return false;
    const next = attribute(base, symbol);
    if (next === none) return false;
    slot = next;
  }
  return true;
}

// ---- sets and lists

/** Makes a set whose nodes are at A[nodes…]. */
function literalSet(index: number, nodes: number, e: Env): Value {
  const places = literalAt(index);
  const shape = H[places]!;
  const size = H[shape]!;
  const set = allocate((size + firstValue + 1) & -2);
  H[set] = shape;
  H[set + 1] = places;
  for (let i = 0; i < size; i++) H[set + 2 + i] = delayElement(A[nodes + i]!, e);
  return ((set << 2) | 2) as Value;
}

/** Makes a set of constants. The set is new each time, which is visible when values are printed; its values are made once. */
function constantAttrs(p: number, e: Env): Value {
  const made = A[p + 3]!;
  if (made === 0) {
    const first = literalSet(A[p + 1]!, p + 4, e);
    A[p + 3] = first;
    return first;
  }
  const from = made >>> 2;
  const cells = (H[H[from]!]! + firstValue + 1) & -2;
  const set = allocate(cells);
  for (let i = 0; i < cells; i++) H[set + i] = H[from + i]!;
  return ((set << 2) | 2) as Value;
}

function fromAttrs(p: number, e: Env): Value {
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
  const e = allocate((count + 2) & -2);
  H[e] = up;
  for (let i = 0; i < count; i++) H[e + 1 + i] = makeThunk(A[q + i]!, e);
  return e;
}

function recAttrs(p: number, env: Env): Value {
  const count = A[p + 2]!;
  const places = literalAt(A[p + 1]!);
  const set = allocate((count + firstValue + 1) & -2);
  H[set] = H[places]!;
  H[set + 1] = places;
  for (let i = 0; i < count; i++) H[set + 2 + i] = H[env + 1 + A[p + 5 + i]!]!;
  const value = ((set << 2) | 2) as Value;
  return A[p + 4] === 0 ? value : overridden(p, env, value);
}

/** Applies `__overrides`, which replaces attributes of a recursive set, for the set itself and for its values. */
function overridden(p: number, env: Env, set: Value): Value {
  const overrides = force(H[env + A[p + 4]!] as Slot);
  if (!isSet(overrides)) {
    throw withFrame(typeError("a set", overrides), 0, "while evaluating the `__overrides` attribute");
  }
  const shape = shapeOf(set);
  const overriding = shapeOf(overrides);
  for (let i = 0; i < shapeSize(overriding); i++) {
    const own = findKey(shape, keyAt(overriding, i));
    if (own >= 0) H[env + 1 + A[p + 5 + own]!] = valueAt(overrides, i);
  }
  return update(set, overrides);
}

function dynamicAttrs(p: number, outer: Env): Value {
  const baseNode = A[p + 1]!;
  let e = outer;
  let base: Value;
  if (A[p + 2] === 1 && A[baseNode] === 44) {
    e = recEnv(baseNode, outer);
    base = recAttrs(baseNode, e);
  } else base = ev(baseNode, e);
  const shape = shapeOf(base);
  const known = shapeSize(shape);
  if (known === 0 && A[p + 3] === 1) return singleAttr(p + 5, A[p + 4]!, e);
  const symbols: number[] = [];
  const values: Slot[] = [];
  const positions: number[] = [];
  for (let i = 0; i < known; i++) {
    const symbol = keyAt(shape, i);
    symbols.push(symbol);
    values.push(valueAt(base, i));
    positions.push(positionOf(base, symbol));
  }
  for (let i = 0; i < A[p + 3]!; i++) {
    const cell = p + 5 + 3 * i;
    const pos = A[cell + 2]!;
    const name = ev(A[cell]!, e);
    if (name === nullValue) continue;
    const symbol = symbolOf(plainString(name, pos, "while evaluating the name of a dynamic attribute"));
    const other = symbols.indexOf(symbol);
    if (other >= 0) {
      const text = `dynamic attribute ${quoteName(nameOf(symbol))} already defined at ${place(positions[other]!)}`;
      throw new EvaluationError("eval-error", text, pos);
    }
    symbols.push(symbol);
    values.push(delayElement(A[cell + 1]!, e));
    positions.push(pos);
  }
  return makeSet(symbols, values, positions, A[p + 4]!);
}

const singleKey = [0];

/** Makes a set of one dynamic attribute, or of none when its name is null. */
function singleAttr(cell: number, whole: number, e: Env): Value {
  const pos = A[cell + 2]!;
  const name = ev(A[cell]!, e);
  if (name === nullValue) return emptySet;
  singleKey[0] = symbolOf(plainString(name, pos, "while evaluating the name of a dynamic attribute"));
  const shape = makeShape(singleKey);
  const places = allocate(4);
  H[places] = shape;
  H[places + 1] = pos;
  H[places + 2] = whole;
  const set = allocate(4);
  H[set] = shape;
  H[set + 1] = places;
  H[set + 2] = delayElement(A[cell + 1]!, e);
  return ((set << 2) | 2) as Value;
}

function place(pos: number): string {
  const { line, column } = lineAndColumn(pos);
  return `${sourceAt(pos)?.name}:${line}:${column}`;
}

function evalList(p: number, e: Env): Value {
  const count = A[p + 1]!;
  const list = allocateList(count);
  const at = firstElement(list);
  for (let i = 0; i < count; i++) H[at + i] = delayElement(A[p + 2 + i]!, e);
  return list;
}

/** The strings of sources' names, by the number of the source. */
const sourceNames: Value[] = [];

addTable({
  mark(marker) {
    for (const name of sourceNames) marker.slot(name);
  },
  sweep(kept) {
    patternShapes.fill(0);
    patternIndices.fill(0);
    failures.forEach((_, number) => {
      if (!kept.failures.has(number)) failures[number] = undefined;
    });
  },
  save(to) {
    to.cells("names of sources", sourceNames);
    // An error of an image is never shown: what is caught is told by its kind.
    to.texts(
      "failures",
      failures.flatMap((failure) => (failure === undefined ? ["", ""] : [failure.kind, failure.message])),
    );
  },
  load(from) {
    for (const name of from.cells("names of sources")) sourceNames.push(name as Value);
    const texts = from.texts("failures");
    for (let i = 0; i < texts.length; i += 2) {
      const found = evaluationErrorKinds.find((known) => known === texts[i]);
      failures.push(found === undefined ? undefined : new EvaluationError(found, texts[i + 1]!));
    }
  },
});

function sourceName(source: Source): Value {
  while (sourceNames.length <= source.index) sourceNames.push(none as Value);
  if (sourceNames[source.index] === none) sourceNames[source.index] = makeString(shownPath(source.name));
  return sourceNames[source.index]!;
}

/** The name of the source whose places are those of arguments that an image was made for. */
export const argumentsName = "\xc2\xabarguments\xc2\xbb";

/** Returns the value of `__curPos` and `unsafeGetAttrPos`; null when the place is unknown. */
export function positionAttrs(pos: number): Value {
  const source = sourceAt(pos);
  if (source?.name === argumentsName && current.applications !== undefined) current.applications.askedForPlace = true;
  if (source === undefined || source.origin !== "file") return nullValue;
  const { line, column } = lineAndColumn(pos);
  const values = [sourceName(source), makeInteger(line), makeInteger(column)];
  return makeSet([sym.file, sym.line, sym.column], values, null);
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

/**
 * Runs a function body in an environment of its own with some cells; `at` is the cell with the position of the lambda. When it made
 * nothing, nothing refers to the environment: it is given back.
 */
function body(code: number, e: Env, cells: number, at: number, pos: number): Value {
  if (--callsUntilPoll === 0) pollInterrupt();
  if (++depth > maxDepth + 1) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
  const value = showTrace ? tracedBody(code, e, at, pos) : ev(code, e);
  depth--;
  giveBack(e, cells);
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
    const callee = name > 0 ? `'${nameOf(name - 1)}'` : "anonymous lambda";
    const traced = addFrame(error, A[at]!, `while calling ${callee}`);
    throw pos === 0 ? traced : addFrame(traced, pos, "from call site");
  }
}

/** Calls a function with one argument. */
export function call(f: Value, a: Slot, pos: number): Value {
  if (calls !== undefined) {
    if (!told) return watched(f, [a], pos);
    told = false;
  }
  if ((f & 7) === 6) {
    const at = (f >>> 2) - 1;
    const head = H[at]!;
    switch (head & 15) {
      case 2: {
        if ((head & 16) !== 0) H[at] = head & ~16;
        const n = head >>> 5;
        if (A[n] === 16) return callPattern(f, a, pos);
        if (A[n + 2] === 1) return body(A[n + 1]!, env1(H[at + 1]!, a), 2, n + 4, pos);
        return makePartialLambda(f, [a]);
      }
      case 3: {
        const lambda = (H[at + 1]! >>> 2) - 1;
        const n = H[lambda]! >>> 5;
        const count = (head >>> 4) + 1;
        if (count < A[n + 2]!) return withArgument(f, a);
        const e = allocate((count + 2) & -2);
        H[e] = H[lambda + 1]!;
        for (let i = 1; i < count; i++) H[e + i] = H[at + 1 + i]!;
        H[e + count] = a;
        return body(A[n + 1]!, e, (count + 2) & -2, n + 3 + count, pos);
      }
      case 4: {
        const info = builtinOf(f);
        if (info.arity === 1) return callBuiltin1(info, a, pos);
        return makePartialBuiltin(f, [a]);
      }
      case 5: {
        const info = builtinOf(partialCallee(f));
        const count = partialCount(f);
        if (count + 1 < info.arity) return withArgument(f, a);
        const first = partialArgument(f, 0);
        return count === 1
          ? callBuiltin2(info, first, a, pos)
          : callBuiltin3(info, first, partialArgument(f, 1), a, pos);
      }
      default:
    }
  } else if ((f & 7) === 2) {
    const functor = attribute(f, sym.functor);
    if (functor !== none) return callFunctor(f, functor, a, pos);
  }
  throw new EvaluationError(
    "type-error",
    `attempt to call something which is not a function but ${showType(f)}: ${showValue(f)}`,
    pos,
  );
}

/** Calls a set with `__functor`. This counts as a call of its own: the function need not be one that counts. */
function callFunctor(f: Value, functor: Slot, a: Slot, pos: number): Value {
  try {
    enterCall(pos);
    const at = positionOf(f, sym.functor);
    const value = call2(forceAt(functor, at), f, a, at);
    depth--;
    return value;
  } catch (error) {
    throw addFrame(error, pos, "while calling a functor (an attribute set with a '__functor' attribute)");
  }
}

/** Calls a function with two arguments. */
export function call2(f: Value, a: Slot, b: Slot, pos: number): Value {
  if (calls !== undefined) return watched(f, [a, b], pos);
  if ((f & 7) === 6) {
    const at = (f >>> 2) - 1;
    const head = H[at]!;
    if ((head & 15) === 2) {
      const n = head >>> 5;
      if (A[n] === 15) {
        if ((head & 16) !== 0) H[at] = head & ~16;
        if (A[n + 2] === 2) return body(A[n + 1]!, env2(H[at + 1]!, a, b), 4, n + 5, pos);
        if (A[n + 2]! > 2) return makePartialLambda(f, [a, b]);
      }
    } else if ((head & 15) === 4) {
      const info = builtinOf(f);
      if (info.arity === 2) return callBuiltin2(info, a, b, pos);
      if (info.arity === 3) return makePartialBuiltin(f, [a, b]);
    }
  }
  return call(call(f, a, pos), b, pos);
}

/** Makes a call of which the observer of calls hears. */
function watched(f: Value, args: readonly Slot[], pos: number): Value {
  const observer = calls!;
  observer.enter(f, args, pos);
  try {
    let value = f;
    for (const argument of args) {
      told = true;
      value = call(value, argument, pos);
    }
    return value;
  } finally {
    told = false;
    observer.leave();
  }
}

function watchedCall(p: number, e: Env): Value {
  const f = operand(A[p + 1]!, e);
  const args: Slot[] = [];
  for (let i = 0; i < A[p + 3]!; i++) args.push(delay(A[p + 4 + i]!, e));
  return watched(f, args, A[p + 2]!);
}

function callMany(p: number, e: Env): Value {
  let f = operand(A[p + 1]!, e);
  const pos = A[p + 2]!;
  const count = A[p + 3]!;
  if (isLambda(f)) {
    const at = (f >>> 2) - 1;
    const n = H[at]! >>> 5;
    if (A[n] === 15 && A[n + 2] === count) {
      markUsed(f);
      const inner = allocate((count + 2) & -2);
      H[inner] = H[at + 1]!;
      for (let i = 0; i < count; i++) H[inner + 1 + i] = delay(A[p + 4 + i]!, e);
      return body(A[n + 1]!, inner, (count + 2) & -2, n + 3 + count, pos);
    }
  }
  const args = new Array<Slot>(count);
  for (let i = 0; i < count; i++) args[i] = delay(A[p + 4 + i]!, e);
  for (let i = 0; i < count; ) {
    const at = (f >>> 2) - 1;
    if (isLambda(f) && A[H[at]! >>> 5] === 15) {
      markUsed(f);
      const n = H[at]! >>> 5;
      const arity = A[n + 2]!;
      if (count - i < arity) return makePartialLambda(f, args.slice(i));
      const inner = allocate((arity + 2) & -2);
      H[inner] = H[at + 1]!;
      for (let k = 0; k < arity; k++) H[inner + 1 + k] = args[i + k]!;
      i += arity;
      f = body(A[n + 1]!, inner, (arity + 2) & -2, n + 3 + arity, pos);
    } else f = call(f, args[i++]!, pos);
  }
  return f;
}

function callBuiltin1(f: BuiltinInfo, a: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(a, none, none);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function callBuiltin2(f: BuiltinInfo, a: Slot, b: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(a, b, none);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function callBuiltin3(f: BuiltinInfo, a: Slot, b: Slot, c: Slot, pos: number): Value {
  enterCall(pos);
  try {
    const value = f.call(a, b, c);
    depth--;
    return value;
  } catch (error) {
    throw builtinFrame(error, f, pos);
  }
}

function builtinFrame(error: unknown, f: BuiltinInfo, pos: number): unknown {
  return f.traced ? addFrame(error, pos, `while calling the '${f.name}' builtin`) : error;
}

/** By the number of a set pattern: the last shape that it was matched against, and where the indices of its formals in it are. */
let patternShapes = new Int32Array(4096);
let patternIndices = new Int32Array(4096);

function lambdaName(n: number): string {
  const name = A[n + 3]!;
  return name > 0 ? nameOf(name - 1) : "anonymous lambda";
}

/** Finds the formals of a pattern in a shape; returns the address of their indices. */
function matchPattern(n: number, shape: number, pos: number): number {
  const count = A[n + 5]!;
  const memo = A[n + 7]!;
  if (memo >= patternShapes.length) {
    const shapes = new Int32Array(2 * memo);
    shapes.set(patternShapes);
    patternShapes = shapes;
    const indices = new Int32Array(2 * memo);
    indices.set(patternIndices);
    patternIndices = indices;
  }
  let at = patternIndices[memo]!;
  if (at === 0) {
    at = allocate((count + 1) & -2);
    patternIndices[memo] = at;
  }
  patternShapes[memo] = 0;
  let found = 0;
  let absent = -1;
  for (let i = 0; i < count; i++) {
    const symbol = A[n + 8 + 3 * i]!;
    const index = findKey(shape, symbol);
    H[at + i] = index;
    if (index >= 0) found++;
    else if (A[n + 9 + 3 * i] === 0 && (absent < 0 || symbol < absent)) absent = symbol;
  }
  if (absent >= 0) {
    const text = `function '${lambdaName(n)}' called without required argument '${nameOf(absent)}'`;
    throw withFrame(new EvaluationError("type-error", text, A[n + 4]!), pos, "from call site");
  }
  if ((A[n + 6]! & 2) === 0 && found !== H[shape]) throw unexpectedArgument(n, shape, pos);
  patternShapes[memo] = shape;
  return at;
}

function unexpectedArgument(n: number, shape: number, pos: number): unknown {
  const count = A[n + 5]!;
  const formals = new Set<number>();
  for (let i = 0; i < count; i++) formals.add(A[n + 8 + 3 * i]!);
  let key = 0;
  for (let i = 0; ; i++) {
    key = H[shape + firstKey + i]!;
    if (!formals.has(key)) break;
  }
  const text = `function '${lambdaName(n)}' called with unexpected argument '${showIdentifier(nameOf(key))}'`;
  const error = new EvaluationError("type-error", text, A[n + 4]!);
  error.suggestions = suggest([...formals].map(nameOf), nameOf(key));
  return withFrame(error, pos, "from call site");
}

function patternArgument(n: number, a: Slot, pos: number): Value {
  try {
    const v = forceAt(a, A[n + 4]!);
    if ((v & 7) === 2) return v;
    throw withFrame(typeError("a set", v), A[n + 4]!, "while evaluating the value passed for the lambda argument");
  } catch (error) {
    throw pos === 0 ? error : addFrame(error, pos, "from call site");
  }
}

function callPattern(f: Value, a: Slot, pos: number): Value {
  const lambda = (f >>> 2) - 1;
  const n = H[lambda]! >>> 5;
  const hooks = (A[n + 6]! & 4) === 0 ? undefined : current.applications;
  if (hooks === undefined) return applyPattern(f, a, pos);
  const set = (a & 7) === 2 ? a : patternArgument(n, a, pos);
  return hooks.apply(n, H[lambda + 1]!, set, () => applyPattern(f, set, pos));
}

function applyPattern(f: Value, a: Slot, pos: number): Value {
  const lambda = (f >>> 2) - 1;
  const n = H[lambda]! >>> 5;
  if (--callsUntilPoll === 0) pollInterrupt();
  if (++depth > maxDepth + 1) {
    throw new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded", pos);
  }
  const set = (a & 7) === 2 ? a : patternArgument(n, a, pos);
  const from = flatSet(set);
  const shape = H[from]!;
  const count = A[n + 5]!;
  const whole = A[n + 6]! & 1;
  const memo = A[n + 7]!;
  const indices = patternShapes[memo] === shape ? patternIndices[memo]! : matchPattern(n, shape, pos);
  const e = allocate((count + whole + 2) & -2);
  H[e] = H[lambda + 1]!;
  if (whole === 1) H[e + 1 + count] = set;
  // Values first: defaults may refer to any other formal.
  let defaults = false;
  for (let i = 0; i < count; i++) {
    const index = H[indices + i]!;
    if (index >= 0) H[e + 1 + i] = H[from + 2 + index]!;
    else defaults = true;
  }
  if (defaults) {
    for (let i = 0; i < count; i++) {
      if (H[e + 1 + i] === 0) H[e + 1 + i] = delay(A[n + 9 + 3 * i]!, e);
    }
  }
  const value = showTrace ? tracedBody(A[n + 1]!, e, n + 4, pos) : ev(A[n + 1]!, e);
  depth--;
  giveBack(e, (count + whole + 2) & -2);
  return value;
}

/** A formal argument of a set pattern. */
interface Formal {
  readonly symbol: number;
  readonly optional: boolean;
  readonly pos: number;
}

/** Returns the formals of a lambda, in source order; undefined when it takes a plain argument. */
export function formalsOf(f: Value): Formal[] | undefined {
  if (!isLambda(f)) return undefined;
  const n = H[(f >>> 2) - 1]! >>> 5;
  if (A[n] !== 16) return undefined;
  const formals: Formal[] = [];
  for (let i = 0; i < A[n + 5]!; i++) {
    formals.push({ symbol: A[n + 8 + 3 * i]!, optional: A[n + 9 + 3 * i] !== 0, pos: A[n + 10 + 3 * i]! });
  }
  return formals;
}

export function hasEllipsis(f: Value): boolean {
  return (A[(H[(f >>> 2) - 1]! >>> 5) + 6]! & 2) !== 0;
}

/** Returns the position of a lambda or of the literal that a set is, 0 for anything else. */
export function positionOfValue(value: Value): number {
  if (isSet(value)) return positionOfSet(value);
  return isLambda(value) ? A[(H[(value >>> 2) - 1]! >>> 5) + 4]! : 0;
}

/** Returns the position of a slot that is about to be forced, known only for calls of lambdas. */
export function positionOfSlot(slot: Slot): number {
  if ((slot & 7) !== 0) return positionOfValue(slot as Value);
  const at = slot >>> 2;
  switch (H[at]) {
    case done:
      return positionOfValue(H[at + 1] as Value);
    case applicationCode:
    case application2Code:
      return positionOfSlot(H[H[at + 1]!] as Slot);
    default:
      return 0;
  }
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

/** Adds to anything but a small integer. */
function add(left: Value, p: number, e: Env): Value {
  if ((left & 7) === 4) {
    const right = ev(A[p + 2]!, e);
    return concatenate(left, (right & 7) === 4 ? right : coerceToString(right, coerceCopy, segment, A[p + 4]!));
  }
  if (isInteger(left)) return addToInteger(left, ev(A[p + 2]!, e), A[p + 4]!);
  if (isFloat(left)) {
    const right = ev(A[p + 2]!, e);
    if (!isNumber(right)) throw partError(right, "a float", A[p + 4]!);
    return makeFloat(numberOf(left) + numberOf(right));
  }
  if (isPath(left)) {
    const tail = coerceToString(ev(A[p + 2]!, e), 0, segment, A[p + 4]!);
    if (contextIdOf(tail) !== 0) throw pathContextError(A[p + 5]!);
    return makePath(canonicalPath(placedPathText(left) + stringText(tail)));
  }
  const head = coerceToString(left, coerceRaw, segment, A[p + 3]!);
  return concatenate(head, coerceToString(ev(A[p + 2]!, e), 0, segment, A[p + 4]!));
}

function addToInteger(left: Value, right: Value, pos: number): Value {
  if (isFloat(right)) return makeFloat(numberOf(left) + numberOf(right));
  if (!isInteger(right)) throw partError(right, "an integer", pos);
  const sum = sumOf(left, right);
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

function concatenate(x: Value, y: Value): Value {
  return joinStrings(x, y, mergeContexts(contextIdOf(x), contextIdOf(y)));
}

function pathConcat(p: number, e: Env): Value {
  const count = A[p + 1]!;
  let text = "";
  let context: ContextId = 0;
  for (let i = 0; i < count; i++) {
    const value = ev(A[p + 3 + 2 * i]!, e);
    if (i === 0 && isPath(value)) {
      text = placedPathText(value);
      continue;
    }
    const part = coerceToString(value, i === 0 ? coerceRaw : 0, segment, A[p + 4 + 2 * i]!);
    text += stringText(part);
    context = mergeContexts(context, contextIdOf(part));
  }
  if (context !== 0) throw pathContextError(A[p + 2]!);
  return makePath(canonicalPath(text));
}

function stringConcat(p: number, e: Env): Value {
  const count = A[p + 1]!;
  let context: ContextId = 0;
  const parts = new Array<Value>(count);
  for (let i = 0; i < count; i++) {
    const value = operand(A[p + 3 + 2 * i]!, e);
    const part = (value & 7) === 4 ? value : coerceToString(value, coerceCopy, segment, A[p + 4 + 2 * i]!);
    parts[i] = part;
    context = mergeContexts(context, contextIdOf(part));
  }
  return joinAll(parts, context);
}

const one = makeString("1");

/** Coerces a value to a string; `mode` is the permitted coercions, `text` the frame of a refusal. */
export function coerceToString(slot: Slot, mode: number, text: string, pos: number): Value {
  const value = forceAt(slot, pos);
  if ((value & 7) === 4) return value;
  if (isPath(value)) {
    if ((mode & coerceCopy) !== 0) return copyPath(placedPathText(value));
    const string = pathString(value);
    if ((mode & coerceRaw) !== 0) return string;
    const path = stringText(string);
    const clean = canonicalPath(path);
    return clean === path ? string : makeString(clean);
  }
  if ((value & 7) === 2) {
    enterCall(pos);
    const result = coerceAttrs(value, mode, text, pos);
    depth--;
    return result;
  }
  if ((mode & coerceMore) !== 0) {
    if (value === trueValue) return one;
    if (value === falseValue || value === nullValue) return emptyString;
    if ((value & 1) === 1) return makeDecimal(value >> 1);
    if (isInteger(value)) return makeString(String(integerOf(value)));
    if (isFloat(value)) return makeString(formatFixed(numberOf(value)));
    if (isList(value)) return coerceList(value, mode, text, pos);
  }
  throw coercionError(value, text, pos);
}

function coercionError(value: Value, text: string, pos: number): EvaluationError {
  const message = `cannot coerce ${showType(value)} to a string: ${showValue(value)}`;
  return withFrame(new EvaluationError("type-error", message), pos, text);
}

function coerceAttrs(value: Value, mode: number, text: string, pos: number): Value {
  const toText = attribute(value, sym.toString);
  if (toText !== none) {
    const result = call(forceAt(toText, pos), value, pos);
    return coerceToString(result, mode & ~coerceRaw, "while evaluating the result of the `__toString` attribute", pos);
  }
  const outPath = attribute(value, sym.outPath);
  if (outPath === none) throw coercionError(value, text, pos);
  return coerceToString(outPath, mode, text, pos);
}

const space = makeString(" ");

function coerceList(list: Value, mode: number, text: string, pos: number): Value {
  enterCall(pos);
  const parts: Value[] = [];
  let context: ContextId = 0;
  const length = listLength(list);
  for (let i = 0; i < length; i++) {
    const item = H[firstElement(list) + i] as Slot;
    let part: Value;
    try {
      part = coerceToString(item, mode, "while evaluating one element of the list", pos);
    } catch (error) {
      throw frame(error, pos, text);
    }
    parts.push(part);
    context = mergeContexts(context, contextIdOf(part));
    const value = peekSlot(item);
    if (i < length - 1 && !(isList(value) && listLength(value) === 0)) parts.push(space);
  }
  depth--;
  return joinAll(parts, context);
}

/** Copies a path to the store, once per evaluation; returns the string of the store path. */
export function copyPath(path: string): Value {
  // The root of a tree has its store path in the name of the copy.
  const clean = shownBelowTree(canonicalPath(path));
  const known = current.copiedPaths.get(clean);
  if (known !== undefined) return known;
  if (clean.endsWith(".drv")) throw new EvaluationError("eval-error", "file names are not allowed to end in '.drv'");
  const storePath = current.host.addPathToStore({ path: clean, name: baseNameOfPath(clean), method: "nar" });
  current.host.allowPath(storePath);
  const result = makeString(storePath, contextOf({ kind: "opaque", path: storePath }));
  current.copiedPaths.set(clean, result);
  return result;
}

/** Returns a string without context; errors are worded as for builtin arguments. */
export function plainString(value: Value, pos: number, text: string): Value {
  if (!isString(value)) throw withFrame(typeError("a string", value, pos), pos, text);
  if (contextIdOf(value) !== 0) throw withFrame(contextError(value), pos, text);
  return value;
}

function contextError(value: Value): EvaluationError {
  const element = firstContextElement(contextIdOf(value));
  return new EvaluationError(
    "eval-error",
    `the string '${stringText(value)}' is not allowed to refer to a store path (such as '${element}')`,
  );
}

function firstContextElement(context: ContextId): string {
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
  if ((a & b & 1) === 1) return a === b;
  if ((a & 7) === 4) return (b & 7) === 4 && equalStrings(a, b);
  if (isNumber(a)) {
    if (!isNumber(b)) return false;
    if (isFloat(a) || isFloat(b)) return numberOf(a) === numberOf(b);
    return integerOf(a) === integerOf(b);
  }
  if ((a & 7) === 2) {
    if ((b & 7) !== 2) return false;
    enterCall(pos);
    const result = equalSets(a, b, pos);
    depth--;
    return result;
  }
  if (isList(a)) {
    if (!isList(b) || listLength(a) !== listLength(b)) return false;
    enterCall(pos);
    const x = firstElement(a);
    const y = firstElement(b);
    const length = listLength(a);
    for (let i = 0; i < length; i++) {
      if (!equalSlots(H[x + i] as Slot, H[y + i] as Slot, pos)) {
        depth--;
        return false;
      }
    }
    depth--;
    return true;
  }
  if (isPath(a)) return isPath(b) && equalPaths(a, b);
  return a === b && !isFunction(a);
}

function equalPaths(a: Value, b: Value): boolean {
  if (equalStrings(placedPathString(a), placedPathString(b))) return true;
  return hasTreeRoots() && samePaths(placedPathText(a), placedPathText(b));
}

export function equalSlots(a: Slot, b: Slot, pos: number): boolean {
  if (a === b) {
    forceAt(a, pos);
    return true;
  }
  const x = forceAt(a, pos);
  const y = forceAt(b, pos);
  return x === y || equal(x, y, pos);
}

export function isDerivation(set: Value): boolean {
  const type = attribute(set, sym.type);
  if (type === none) return false;
  const value = force(type);
  return isString(value) && isText(value, "derivation");
}

function equalSets(a: Value, b: Value, pos: number): boolean {
  if (isDerivation(a) && isDerivation(b)) {
    const x = attribute(a, sym.outPath);
    const y = attribute(b, sym.outPath);
    if (x !== none && y !== none) return equalSlots(x, y, pos);
  }
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  const size = shapeSize(shapeA);
  if (size !== shapeSize(shapeB)) return false;
  ordered++;
  try {
    for (let i = 0; i < size; i++) {
      if (keyAt(shapeA, i) !== keyAt(shapeB, i)) return false;
      if (equalSlots(valueAt(a, i), valueAt(b, i), pos)) continue;
      if (current.applications !== undefined) checkOrder(a, b, i + 1);
      return false;
    }
    return true;
  } catch (error) {
    throw markOrdered(error);
  } finally {
    ordered--;
  }
}

/** Number of attributes up to which the order of comparing them is tried out. */
const mostTried = 256;

/**
 * Compares the values of two sets that were not compared, because others differ. In another order of symbols they may be compared first: what fails then makes
 * an image visible.
 */
function checkOrder(a: Value, b: Value, from: number): void {
  const hooks = current.applications;
  if (hooks === undefined || !hooks.isWatching || hooks.isVisible) return;
  const size = shapeSize(shapeOf(a));
  const rest = (): void => {
    for (let i = from; i < size; i++) equalSlots(valueAt(a, i), valueAt(b, i), 0);
  };
  if (size > mostTried || !hooks.tryOut(rest)) hooks.isVisible = true;
}

/** The number of sets around whose values are being forced in the order of their symbols. */
let ordered = 0;

/** Tells whether values of a set are being forced in the order of its symbols: with an image that may be another one. */
export function isInOrder(): boolean {
  return ordered > 0;
}

/** Runs what forces the values of a set in the order of its symbols. */
export function inOrder(work: () => void): void {
  ordered++;
  try {
    work();
  } catch (error) {
    throw markOrdered(error);
  } finally {
    ordered--;
  }
}

function markOrdered(error: unknown): unknown {
  if (error instanceof EvaluationError) error.ordered = true;
  return error;
}

function basicType(value: Value): string {
  if (isNumber(value)) return isFloat(value) ? "float" : "number";
  if (isString(value)) return "string";
  if (isSet(value)) return "set";
  if (isFunction(value)) return "function";
  if (value === nullValue) return "null";
  if (isList(value)) return "list";
  return isPath(value) ? "path" : "boolean";
}

/** Compares forced values as `<`; errors of nested comparisons get their frame here. */
export function less(a: Value, b: Value, text = ""): boolean {
  try {
    if (isNumber(a) && isNumber(b)) {
      if (isFloat(a) || isFloat(b)) return numberOf(a) < numberOf(b);
      return integerOf(a) < integerOf(b);
    }
    const type = basicType(a);
    if (type !== basicType(b)) {
      throw new EvaluationError(
        "eval-error",
        `cannot compare ${showType(a)} with ${showType(b)}; values are ${showValue(a)} and ${showValue(b)}`,
      );
    }
    if (type === "string") return compareStrings(a, b) < 0;
    if (type === "path") {
      if (hasTreeRoots()) return comparePaths(placedPathText(a), placedPathText(b)) < 0;
      return compareStrings(placedPathString(a), placedPathString(b)) < 0;
    }
    if (type === "list") {
      const m = listLength(a);
      const n = listLength(b);
      for (let i = 0; ; i++) {
        if (i === n) return false;
        if (i === m) return true;
        const x = H[firstElement(a) + i] as Slot;
        const y = H[firstElement(b) + i] as Slot;
        if (!equalSlots(x, y, 0)) return less(force(x), force(y), "while comparing two list elements");
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
      explainLists(a, b, pos);
      return;
    case "set":
      explainSets(a, b, pos);
      return;
    case "function":
      throw unequal("distinct functions and immediate comparisons of identical functions compare as unequal");
    default:
  }
}

function explainLists(a: Value, b: Value, pos: number): void {
  const length = listLength(a);
  if (length !== listLength(b)) {
    throw unequal(
      `list of size '${length}' is not equal to list of size '${listLength(b)}', left hand side is '${showValue(a)}', right hand side is '${showValue(b)}'`,
    );
  }
  for (let i = 0; i < length; i++) {
    try {
      explainInequality(H[firstElement(a) + i] as Slot, H[firstElement(b) + i] as Slot, pos);
    } catch (error) {
      throw addFrame(error, pos, `while comparing list element ${i}`);
    }
  }
}

function explainSets(a: Value, b: Value, pos: number): void {
  const show = (value: Value) => `'${showValue(value)}'`;
  if (isDerivation(a) && isDerivation(b)) {
    const x = attribute(a, sym.outPath);
    const y = attribute(b, sym.outPath);
    if (x !== none && y !== none) {
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
  if (shapeSize(shapeA) !== shapeSize(shapeB)) {
    throw unequal(`attribute names of attribute set ${show(a)} differs from attribute set ${show(b)}`);
  }
  for (let i = 0; i < shapeSize(shapeA); i++) {
    const x = keyAt(shapeA, i);
    const y = keyAt(shapeB, i);
    if (x !== y) {
      if (findKey(shapeB, x) < 0) {
        throw unequal(`attribute name ${quoteName(nameOf(x))} is contained in ${show(a)}, but not in ${show(b)}`);
      }
      throw unequal(`attribute name ${quoteName(nameOf(y))} is missing in ${show(a)}, but is contained in ${show(b)}`);
    }
    try {
      explainInequality(valueAt(a, i), valueAt(b, i), pos);
    } catch (error) {
      let traced = error;
      const placeA = positionOf(a, x);
      const placeB = positionOf(b, y);
      if (placeB !== 0) traced = addFrame(traced, placeB, "where right hand side is");
      if (placeA !== 0) traced = addFrame(traced, placeA, "where left hand side is");
      throw addFrame(traced, pos, `while comparing attribute ${quoteName(nameOf(x))}`);
    }
  }
}
