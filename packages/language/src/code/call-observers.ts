/** Observers of calls: the trace of `trace-function-calls`, and the profile of `eval-profiler` as folded stacks (manual: "eval-profiler"). */
import { builtinOf, lambdaNode, partialCallee } from "../heap/function.ts";
import { isBuiltin, isFunction, isLambda, isSet, isString, none, type Slot, type Value } from "../heap/memory.ts";
import { attribute } from "../heap/set.ts";
import { stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import type { CallObserver } from "./call-observer.ts";
import { force } from "./interpret.ts";
import { ints } from "./memory.ts";
import { showPosition } from "./source.ts";

function placeOf(pos: number): string {
  return pos === 0 ? "undefined position" : showPosition(pos);
}

/** Makes an observer that tells each begin and end with the time, in nanoseconds since 1970. */
export function callTrace(tell: (text: string) => void): CallObserver {
  const places: string[] = [];
  const line = (what: string, place: string): void => tell(`function-trace ${what} ${place} at ${Date.now()}000000`);
  return {
    enter(_, __, pos) {
      const place = placeOf(pos);
      places.push(place);
      line("entered", place);
    },
    leave() {
      line("exited", places.pop() ?? "");
    },
  };
}

/** Makes an observer that tells several others. */
export function allObservers(observers: readonly CallObserver[]): CallObserver {
  return {
    enter(callee, args, pos) {
      for (const observer of observers) observer.enter(callee, args, pos);
    },
    leave() {
      for (const observer of observers) observer.leave();
    },
  };
}

/** Counts the stacks of calls that are seen at samples. */
export class FlameGraph implements CallObserver {
  readonly #interval: number;
  readonly #stack: Frame[] = [];
  readonly #counts = new Map<string, number>();
  #last: number;

  /** `frequency` is the number of samples a second; with 0 each call is one. */
  constructor(frequency: number) {
    this.#interval = frequency === 0 ? 0 : 1000 / frequency;
    this.#last = Date.now();
  }

  enter(callee: Value, args: readonly Slot[], pos: number): void {
    this.#stack.push({ callee, args, pos, text: undefined });
    if (this.#interval > 0) {
      const now = Date.now();
      if (now - this.#last < this.#interval) return;
      this.#last = now;
    }
    for (const frame of this.#stack) frame.text ??= frameOf(frame);
    const stack = this.#stack.map(({ text }) => text).join(";");
    this.#counts.set(stack, (this.#counts.get(stack) ?? 0) + 1);
  }

  leave(): void {
    this.#stack.pop();
  }

  /** Returns the folded stacks, a line each with its number of samples. */
  text(): string {
    return [...this.#counts].map(([stack, count]) => `${stack} ${count}\n`).join("");
  }
}

/** A call in progress; its text is made when a sample needs it. */
interface Frame {
  readonly callee: Value;
  readonly args: readonly Slot[];
  readonly pos: number;
  text: string | undefined;
}

function frameOf({ callee: called, args, pos }: Frame): string {
  const isPartial = isFunction(called) && !isLambda(called) && !isBuiltin(called);
  const callee = isPartial ? partialCallee(called) : called;
  if (isBuiltin(callee)) return builtinFrame(callee, args, pos);
  if (!isLambda(callee)) return isSet(callee) ? `${placeOf(pos)}:functor` : placeOf(pos);
  const node = lambdaNode(callee);
  const name = ints[node + 3]!;
  const place = placeOf(pos === 0 ? ints[node + 4]! : pos);
  const shown = name > 0 ? nameOf(name - 1) : "";
  return shown === "" || shown === "__functor" ? place : `${place}:${shown}`;
}

function builtinFrame(builtin: Value, args: readonly Slot[], pos: number): string {
  const { name } = builtinOf(builtin);
  const frame = `${placeOf(pos)}:primop ${name}`;
  if (name !== "derivationStrict") return frame;
  const drvName = args[0] === undefined ? undefined : drvNameIn(args[0]);
  return drvName === undefined ? frame : `${frame}:${drvName}`;
}

/** Returns the name of a derivation that is about to be made; undefined when it has none that is a string. */
function drvNameIn(argument: Slot): string | undefined {
  try {
    const set = force(argument);
    const slot = isSet(set) ? attribute(set, intern("name")) : none;
    const text = slot === none ? none : force(slot);
    return text !== none && isString(text) ? stringText(text) : undefined;
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}
