/**
 * The error that travels inside the evaluator: positions are still integers and frames are added on the way out. It
 * becomes a FirnError at the public border.
 */
import { FirnError } from "@firn/formats";
import { placedPosition } from "../code/source.ts";

/** The kinds of errors of evaluation, which are their codes as a `FirnError`. `breakpoint`: the user left the debugger at one. */
export const evaluationErrorKinds = [
  "parse-error",
  "eval-error",
  "type-error",
  "undefined-variable",
  "missing-argument",
  "infinite-recursion",
  "stack-overflow",
  "thrown",
  "assertion-failed",
  "aborted",
  "restricted-path",
  "breakpoint",
  "host-error",
] as const;

export type EvaluationErrorKind = (typeof evaluationErrorKinds)[number];

/** One step of a trace and those inside it. Shared between errors: a failed thunk remembers its error as it was then. */
export interface EvalFrame {
  readonly text: string;
  readonly pos: number;
  /** True for a frame that is shown even when the trace is cut (`addErrorContext`). */
  readonly always: boolean;
  readonly inner: EvalFrame | null;
}

/** An error of evaluation on its way out, with the frames that it has passed. */
export class EvaluationError extends Error {
  readonly kind: EvaluationErrorKind;
  pos: number;
  /** The outermost frame so far. */
  frame: EvalFrame | null;
  suggestions: readonly string[];
  /** Advice that a set gave about a name it lacks. */
  hint: string | undefined;
  /** The host's error, when one caused this. */
  readonly origin: FirnError | undefined;
  /** True when the debugger has stopped at this error. */
  seen = false;
  /** True when it came of a set whose values were forced in the order of their symbols. */
  ordered = false;

  constructor(kind: EvaluationErrorKind, message: string, pos = 0, origin?: FirnError) {
    super(message);
    this.kind = kind;
    this.pos = pos;
    this.frame = null;
    this.suggestions = [];
    this.origin = origin;
  }

  addFrame(pos: number, text: string, always = false): void {
    this.frame = { text, pos, always, inner: this.frame };
  }

  /** Returns a copy of the error in its present state, to be thrown once more. */
  again(): EvaluationError {
    const copy = new EvaluationError(this.kind, this.message, this.pos, this.origin);
    copy.frame = this.frame;
    copy.suggestions = this.suggestions;
    copy.hint = this.hint;
    copy.seen = this.seen;
    copy.ordered = this.ordered;
    return copy;
  }
}

/** A syntax error at a token that may not stand there; token and expected ones by their names in messages. */
export class UnexpectedToken extends EvaluationError {
  readonly token: string;
  readonly expected: readonly string[];

  constructor(token: string, expected: readonly string[], pos: number) {
    const wanted = expected.length === 0 ? "" : `, expecting ${expected.join(" or ")}`;
    super("parse-error", `syntax error, unexpected ${token}${wanted}`, pos);
    this.token = token;
    this.expected = expected;
  }
}

/** Adds a frame to an evaluation error; anything else passes unchanged. Host errors are wrapped first. */
export function addFrame(error: unknown, pos: number, text: string, always = false): unknown {
  const wrapped = wrapError(error);
  if (wrapped instanceof EvaluationError) wrapped.addFrame(pos, text, always);
  return wrapped;
}

/** Tells whether an error is an interruption by the host, which does not count as a failure of the evaluated expression. */
export function isInterruption(error: EvaluationError): boolean {
  return error.origin?.code === "interrupted";
}

/** Turns a host's FirnError and an exhausted JavaScript stack into evaluation errors. */
export function wrapError(error: unknown): unknown {
  if (error instanceof EvaluationError) return error;
  if (error instanceof FirnError) {
    return new EvaluationError(
      error.code === "restricted-path" ? "restricted-path" : "host-error",
      error.message,
      0,
      error,
    );
  }
  // No regular expression: there is no stack left on which it could run; one that is compiled there is said to be invalid.
  if (
    (error instanceof RangeError && error.message.includes("call stack")) ||
    (error instanceof SyntaxError && error.message.endsWith("Stack overflow"))
  ) {
    return new EvaluationError("stack-overflow", "stack overflow; max-call-depth exceeded");
  }
  return error;
}

/** Returns the frames of an error, innermost first. */
function framesOf(error: EvaluationError): EvalFrame[] {
  const frames: EvalFrame[] = [];
  for (let frame = error.frame; frame !== null; frame = frame.inner) frames.push(frame);
  return frames.reverse();
}

/** Returns the public form of an error: positions resolved, frames innermost first; paths may have the stand-ins of their trees. */
export function toFirnError(error: unknown): unknown {
  const wrapped = wrapError(error);
  if (!(wrapped instanceof EvaluationError)) return wrapped;
  const origin = wrapped.origin;
  // Where it was when it was interrupted says nothing.
  if (origin !== undefined && isInterruption(wrapped)) return origin;
  const position = placedPosition(wrapped.pos);
  const hint = origin?.hint ?? wrapped.hint;
  return new FirnError(origin === undefined ? wrapped.kind : origin.code, wrapped.message, {
    ...(position === undefined ? {} : { position }),
    ...(hint === undefined ? {} : { hint }),
    ...(origin === undefined ? {} : { exitStatus: origin.exitStatus, cause: origin }),
    suggestions: wrapped.suggestions,
    trace: [
      ...(origin?.trace ?? []),
      ...framesOf(wrapped).map((frame) => {
        const at = placedPosition(frame.pos);
        return { message: frame.text, always: frame.always, ...(at === undefined ? {} : { position: at }) };
      }),
    ],
  });
}
