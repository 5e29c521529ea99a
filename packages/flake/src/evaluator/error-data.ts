/** Errors across threads. */
import { FirnError } from "@firn/formats";
import type { ErrorData } from "./protocol.ts";
import type { WorkTrees } from "./work-trees.ts";

/** Returns an error as data; positions in known work trees name the user's own files. */
export function toErrorData(error: unknown, workTrees?: WorkTrees): ErrorData {
  if (error instanceof FirnError) {
    const { position, trace } = workTrees === undefined ? error : workTrees.shown(error);
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
