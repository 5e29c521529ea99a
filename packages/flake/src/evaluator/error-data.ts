/** Errors across threads. */
import { FirnError } from "@firn/formats";
import type { ErrorData } from "./protocol.ts";

export function toErrorData(error: unknown): ErrorData {
  if (error instanceof FirnError) {
    return {
      code: error.code,
      message: error.message,
      trace: error.trace,
      suggestions: error.suggestions,
      exitStatus: error.exitStatus,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.position === undefined ? {} : { position: error.position }),
    };
  }
  const text = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
  return { code: "internal", message: `internal error: ${text}`, trace: [] };
}

export function fromErrorData(data: ErrorData): FirnError {
  const { code, message, ...details } = data;
  return new FirnError(code, message, details);
}
