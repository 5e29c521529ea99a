/** A session of a command that evaluates and builds. */
import type { Builder, DebuggerStop, Evaluation, Installables, LockOptions } from "@firn/flake";
import type { StopAnswer } from "@firn/language";
import type { Session } from "./session.ts";

/** A session that can evaluate and build. */
export interface EvaluationSession extends Session {
  readonly builder: Builder;
  readonly system: string;
  evaluation(options?: { readonly readOnly?: boolean; readonly lock?: Partial<LockOptions> }): Promise<Evaluation>;
  /** Returns the words that name installables: the arguments, or with `--stdin` the lines of standard input. */
  words(): Promise<readonly string[]>;
  /** Reads words as installables and finds their values and targets. */
  readonly installables: Installables;
  /** Opens another evaluation, with its own thread and installables; it is closed with the session. */
  separate(): Promise<{ readonly evaluation: Evaluation; readonly installables: Installables }>;
  /** Returns a signal that is aborted when the current work is interrupted. */
  workSignal(): AbortSignal;
  /** Stops current evaluations, builds and fetches; later work is not affected. */
  interruptWork(): void;
}

/** The dialogue with the user when the debugger has stopped. */
export interface DebuggerFrontEnd {
  stop(stop: DebuggerStop): Promise<StopAnswer>;
  close(): void;
}

/** Requirements of a command on its evaluation. */
export interface EvaluationNeeds {
  /** True when paths are computed and derivations not written. */
  readonly readOnly?: boolean;
  /** True for a command that writes nothing and so can read another user's store as well. */
  readonly reads?: boolean;
  /** True when evaluation is impure unless the settings say otherwise. */
  readonly impure?: boolean;
  /** True when the command handles Ctrl-C itself, by `interrupt`. */
  readonly handlesInterrupts?: boolean;
}
