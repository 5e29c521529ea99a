/**
 * Errors as values: a stable code, the text in the reference's words, the position and a hint. Libraries throw them; only the
 * command line renders them.
 */

import type { ErrorCode } from "./error-codes.ts";

/** A place in a source file; line and column count from 1, columns in bytes. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line itself and its neighbours, for rendering. */
  readonly excerpt?: SourceExcerpt;
}

/** Lines around a position; a line is undefined where the source has none. */
export interface SourceExcerpt {
  readonly previous: string | undefined;
  readonly line: string | undefined;
  readonly next: string | undefined;
}

/** One step of the way to an error, outermost last ("while evaluating …"). */
export interface TraceFrame {
  readonly message: string;
  readonly position?: SourcePosition;
  /** True for a frame that is shown even when the trace is cut short. */
  readonly always?: boolean;
}

/** Optional parts of an error besides its code and text. */
export interface ErrorDetails {
  /** Advice for the user; one sentence, no trailing newline. */
  readonly hint?: string;
  readonly position?: SourcePosition;
  readonly trace?: readonly TraceFrame[];
  /** Names the user may have meant, best first ("Did you mean …?"). */
  readonly suggestions?: readonly string[];
  readonly cause?: unknown;
  /** Exit status of the command line; 1 unless the reference differs (e.g. 100 + bits for failed builds). */
  readonly exitStatus?: number;
}

/** The one error class that crosses package borders. Texts are byte strings; `code` is part of the contract. */
export class FirnError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly position: SourcePosition | undefined;
  readonly trace: readonly TraceFrame[];
  readonly suggestions: readonly string[];
  readonly exitStatus: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "FirnError";
    this.code = code;
    this.hint = details.hint;
    this.position = details.position;
    this.trace = details.trace ?? [];
    this.suggestions = details.suggestions ?? [];
    this.exitStatus = details.exitStatus ?? 1;
  }
}

/** Returns an error with one more step at the outside of its trace. */
export function traced(error: FirnError, message: string, at?: SourcePosition): FirnError {
  const { code, hint, position, suggestions, exitStatus } = error;
  return new FirnError(code, error.message, {
    ...(hint === undefined ? {} : { hint }),
    ...(position === undefined ? {} : { position }),
    suggestions,
    exitStatus,
    cause: error,
    trace: [...error.trace, { message, ...(at === undefined ? {} : { position: at }) }],
  });
}

/** Makes the error of work that its caller has ended. */
export function interrupted(): FirnError {
  return new FirnError("aborted", "interrupted by the user", { exitStatus: 130 });
}
