/** Adds the name of a file to errors about its text. */
import { FirnError } from "../base/error.ts";

/**
 * Runs `read` and returns its result; an error of it gets `doing`, which names the file, before its message, and `hint`. The
 * code stays.
 */
export function naming<Result>(doing: string, hint: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError(error.code, `${doing}: ${error.message}`, { cause: error, hint });
  }
}
