/** Failures of the machine (file system, database) as errors with the operation, its subject and a remedy. */
import { FirnError } from "@firn/formats";
import { hasErrorCode } from "./disk.ts";

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_IO = 10;

const NO_SPACE = "no space is left on the device: free some, e.g. with 'firn store gc'";

/** Returns SQLite's error number without its extension; undefined for other errors. */
function sqliteCode(error: Error): number | undefined {
  if (!hasErrorCode(error, "ERR_SQLITE_ERROR")) return undefined;
  return "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

/** Tells whether a SQL statement failed because another connection holds a lock. */
export function isSqliteBusy(error: unknown): boolean {
  return error instanceof Error && sqliteCode(error) === SQLITE_BUSY;
}

/**
 * Converts a failed system call or SQL statement to a `FirnError` (`system-error` or `database-error`), its text led by
 * `doing`; undefined for every other error.
 */
export function machineError(error: unknown, doing?: string): FirnError | undefined {
  if (!(error instanceof Error) || error instanceof FirnError) return undefined;
  const message = doing === undefined ? error.message : `${doing}: ${error.message}`;
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) {
    const hint = sqlite === SQLITE_FULL ? NO_SPACE : sqlite === SQLITE_IO ? `it may be that ${NO_SPACE}` : undefined;
    return new FirnError("database-error", message, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
  // Node's own refusal of a path with a null byte.
  if (hasErrorCode(error, "ERR_INVALID_ARG_VALUE")) return new FirnError("bad-path", message, { cause: error });
  if (!("syscall" in error) || !("code" in error)) return undefined;
  const full = hasErrorCode(error, "ENOSPC", "EDQUOT");
  return new FirnError("system-error", message, { cause: error, ...(full ? { hint: NO_SPACE } : {}) });
}
