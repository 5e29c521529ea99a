/** A session of a command that evaluates and builds. */
import type { Builder, DebuggerStop, Evaluation, Installables, LockOptions } from "@firn/flake";
import type { StopAnswer } from "@firn/language";
import type { Session } from "./session.ts";

/** A session that can evaluate and build. */
export interface EvaluationSession extends Session {
  readonly builder: Builder;
  readonly system: string;
  evaluation(options?: { readonly readOnly?: boolean; readonly lock?: Partial<LockOptions> }): Promise<Evaluation>;
  /** The words that name installables: the arguments, or with `--stdin` the lines of standard input. */
  words(): Promise<readonly string[]>;
  /** Reads words as installables and finds their values and targets. */
  readonly installables: Installables;
  /** Aborted when the work that is under way is interrupted. */
  workSignal(): AbortSignal;
  /** Stops what is being evaluated, built or fetched right now; later work is not affected. */
  interruptWork(): void;
}

/** Who talks to the user when the debugger has stopped. */
export interface DebuggerFrontEnd {
  stop(stop: DebuggerStop): Promise<StopAnswer>;
  close(): void;
}

/** How evaluation is different for a command. */
export interface EvaluationNeeds {
  /** Paths are computed, derivations not written. */
  readonly readOnly?: boolean;
  /** Evaluation is impure unless the settings say otherwise. */
  readonly impure?: boolean;
  /** The command deals with Ctrl-C itself, by `interrupt`. */
  readonly handlesInterrupts?: boolean;
}
