/** Errors across threads. */
import { FirnError, type SourcePosition } from "@firn/formats";
import { shownPath, shownText } from "@firn/language";
import type { ErrorData } from "./protocol.ts";
import type { ShownTrees } from "./shown-trees.ts";

/** Returns an error of an evaluation as data; positions in known trees have their names. */
export function toShownErrorData(error: unknown, shownTrees: ShownTrees): ErrorData {
  if (!(error instanceof FirnError)) return toErrorData(error);
  try {
    const { message, hint } = error;
    const { position, trace } = shownTrees.shown(error);
    return {
      ...toErrorData(error),
      message: shownText(message),
      trace: trace.map((frame) => ({ ...frame, message: shownText(frame.message), ...shownPosition(frame.position) })),
      ...(hint === undefined ? {} : { hint: shownText(hint) }),
      ...shownPosition(position),
    };
  } catch (failure) {
    // The store path that the message names cannot be had.
    return toErrorData(failure);
  }
}

function shownPosition(position: SourcePosition | undefined): { readonly position?: SourcePosition } {
  return position === undefined ? {} : { position: { ...position, file: shownPath(position.file) } };
}

/** Returns an error as data. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof FirnError) {
    const { position, trace } = error;
    return {
      code: error.code,
      message: error.message,
      trace,
      suggestions: error.suggestions,
      exitStatus: error.exitStatus,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(position === undefined ? {} : { position }),
    };
  }
  const text = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
  return { code: "internal", message: `internal error: ${text}`, trace: [] };
}

/** Returns the error that such data describes. */
export function fromErrorData(data: ErrorData): FirnError {
  const { code, message, ...details } = data;
  return new FirnError(code, message, details);
}
