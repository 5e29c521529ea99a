/**
 * The debugger's part of the evaluator. Code for it is lowered with observed nodes (opcode 50) around calls, selections
 * and the like; running one keeps a frame on a stack, so that an error or a breakpoint finds the variables around it.
 */
import type { SourcePosition } from "@firn/formats";
import { heap, isSet, none, type Slot, type Value } from "../heap/memory.ts";
import { shapeOf, valueAt } from "../heap/set.ts";
import { keysOf } from "../heap/shape.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { peekSlot } from "../heap/thunk.ts";
import {
  type EvaluationError,
  EvaluationError as EvaluationFailure,
  isInterruption,
  toFirnError,
  wrapError,
} from "../value/evaluation-error.ts";
import { type DebuggerHooks, type Env, ev } from "./interpret.ts";
import { ints } from "./memory.ts";
import { type ObservedSite, observedSites, type Scope } from "./observed.ts";
import { resolvePosition } from "./source.ts";

/** The reason for which the evaluation stopped. */
export type StopReason =
  /** `error` is a FirnError without its trace. */
  | { readonly kind: "error"; readonly error: unknown; readonly inTry: boolean }
  | { readonly kind: "breakpoint" }
  | { readonly kind: "step" | "trace" };

/** The way to continue: to the next stop, to the next frame, or not at all. */
export type StopAnswer = "continue" | "step" | "quit";

/** Options of a debugger: the events that stop the evaluation, and the function called at a stop. */
export interface DebuggerOptions {
  /** True when errors that `tryEval` will catch do not stop the evaluation. */
  readonly ignoreTry: boolean;
  readonly stopOnTrace: boolean;
  readonly stopOnWarning: boolean;
  /** Called at a stop; may evaluate in the meantime. */
  stop(reason: StopReason): StopAnswer;
}

/** One step of the trace, as the debugger shows it. */
export interface DebugTraceStep {
  readonly isError: boolean;
  readonly text: string;
  readonly position: SourcePosition | undefined;
}

/** The variables of one environment. */
export interface DebugLevel {
  readonly names: readonly string[];
  /** Names of attributes that a `with` brings into scope, when they are known. */
  readonly withNames: readonly string[] | undefined;
}

interface Frame {
  readonly site: ObservedSite;
  readonly env: Env;
  /** Text and position of the event that stopped the evaluation; undefined for an ordinary frame. */
  readonly failure: { readonly text: string; readonly pos: number } | undefined;
}

/** Stops an evaluation at errors and breakpoints, and shows its frames and variables. */
export class Debugger implements DebuggerHooks {
  private readonly options: DebuggerOptions;
  private readonly stack: Frame[] = [];
  private stepping = false;
  private inside = false;
  private tries = 0;

  constructor(options: DebuggerOptions) {
    this.options = options;
  }

  observe(node: number, env: Env): Value {
    const site = observedSites[ints[node + 1]!]!;
    const inner = ints[node + 2]!;
    if (site.onlyErrors) {
      try {
        return ev(inner, env);
      } catch (error) {
        throw this.failed(error, { site, env });
      }
    }
    this.stack.push({ site, env, failure: undefined });
    const height = this.stack.length;
    try {
      if (this.stepping) this.stop({ kind: "step" });
      return ev(inner, env);
    } catch (error) {
      this.stack.length = height;
      throw this.failed(error, undefined);
    } finally {
      this.stack.length = height - 1;
    }
  }

  /** Runs work that is not the user's own without stopping. */
  quietly<T>(work: () => T): T {
    const { inside } = this;
    this.inside = true;
    try {
      return work();
    } finally {
      this.inside = inside;
    }
  }

  enterTry(): void {
    this.tries++;
  }

  leaveTry(): void {
    this.tries--;
  }

  breakpoint(): void {
    if (this.inside || this.stack.length === 0) return;
    const answer = this.stopped({ text: "breakpoint reached", pos: 0 }, { kind: "breakpoint" });
    if (answer !== "quit") return;
    const error = new EvaluationFailure("breakpoint", "breakpoint reached");
    error.seen = true;
    throw error;
  }

  traced(what: "trace" | "warning"): void {
    const wanted = what === "trace" ? this.options.stopOnTrace : this.options.stopOnWarning;
    if (wanted && !this.inside && this.stack.length > 0) this.stop({ kind: "trace" });
  }

  /** Stops at a new error; `place` is where it occurred when that is no frame of the stack. */
  private failed(thrown: unknown, place: Omit<Frame, "failure"> | undefined): unknown {
    const error = wrapError(thrown);
    if (!(error instanceof EvaluationFailure) || error.seen || isInterruption(error)) return error;
    error.seen = true;
    if (this.inside || (this.tries > 0 && this.options.ignoreTry)) return error;
    const height = this.stack.length;
    const pos = (place ?? this.stack.at(-1))?.site.pos ?? 0;
    const at = place ?? (this.stack.at(-1)?.site.failsItself === true ? this.stack.at(-1) : undefined);
    if (at !== undefined) {
      this.stack.push({ site: at.site, env: at.env, failure: { text: "Fake frame for debugging purposes", pos } });
    }
    try {
      if (this.stack.length > 0) {
        this.stopped(pos === 0 ? undefined : { text: error.message, pos: error.pos === 0 ? pos : error.pos }, {
          kind: "error",
          error: withoutTrace(error),
          inTry: this.tries > 0,
        });
      }
    } finally {
      this.stack.length = height;
    }
    return error;
  }

  /** Stops with one more frame for the event. */
  private stopped(failure: Frame["failure"], reason: StopReason): StopAnswer {
    const last = this.stack.at(-1);
    if (failure === undefined || last === undefined) return this.stop(reason);
    this.stack.push({ site: last.site, env: last.env, failure });
    try {
      return this.stop(reason);
    } finally {
      this.stack.pop();
    }
  }

  private stop(reason: StopReason): StopAnswer {
    if (this.inside) return "continue";
    this.inside = true;
    const { tries } = this;
    try {
      const answer = this.options.stop(reason);
      this.stepping = answer === "step";
      return answer;
    } finally {
      this.inside = false;
      this.tries = tries;
    }
  }

  // ---- questions during a stop

  /** Returns the trace, innermost first. */
  trace(): DebugTraceStep[] {
    return this.stack
      .map(({ site, failure }) => ({
        isError: failure !== undefined,
        text: failure?.text ?? site.text,
        position: resolvePosition(failure?.pos ?? site.pos),
      }))
      .reverse();
  }

  private frame(index: number): Frame | undefined {
    return this.stack[this.stack.length - 1 - index];
  }

  /** Returns the names of each environment around a step of the trace, innermost first, without the global ones. */
  levels(index: number): DebugLevel[] {
    const frame = this.frame(index);
    if (frame === undefined) return [];
    const levels: DebugLevel[] = [];
    let env = frame.env;
    for (let scope: Scope | null = frame.site.scope; scope !== null && env !== 0; scope = scope.up) {
      const attrs = scope.names === null ? withAttrs(env) : undefined;
      levels.push({
        names: [...(scope.names?.keys() ?? [])].sort((a, b) => intern(a) - intern(b)),
        withNames: attrs === undefined ? undefined : keysOf(shapeOf(attrs)).map(nameOf),
      });
      env = heap[env]!;
    }
    return levels;
  }

  /** Returns the variables in scope at a step of the trace. */
  variables(index: number): Map<string, Slot> {
    const frame = this.frame(index);
    const environments: { scope: Scope; env: Env }[] = [];
    let env = frame?.env ?? 0;
    for (let scope = frame?.site.scope ?? null; scope !== null && env !== 0; scope = scope.up) {
      environments.push({ scope, env });
      env = heap[env]!;
    }
    const found = new Map<string, Slot>();
    for (const { scope, env: at } of environments.reverse()) {
      if (scope.names === null) {
        const attrs = withAttrs(at);
        if (attrs === undefined) continue;
        keysOf(shapeOf(attrs)).forEach((symbol, i) => {
          found.set(nameOf(symbol), valueAt(attrs, i));
        });
        continue;
      }
      for (const [name, place] of scope.names) {
        const slot = heap[at + place]! as Slot;
        if (slot !== none) found.set(name, slot);
      }
    }
    return found;
  }
}

function withoutTrace(error: EvaluationError): unknown {
  const bare = error.again();
  bare.frame = null;
  return toFirnError(bare);
}

function withAttrs(env: Env): Value | undefined {
  const value = peekSlot(heap[env + 1]! as Slot);
  return isSet(value) ? value : undefined;
}
