/** Names the file in errors about its text. */
import { FirnError } from "../base/error.ts";

/** Runs `read`; an error of it is led by `doing`, which names the file, and tells `hint`. The code stays. */
export function naming<Result>(doing: string, hint: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError(error.code, `${doing}: ${error.message}`, { cause: error, hint });
  }
}
