/** Failures of the machine (file system, database) as errors that tell what was done, where, and what helps. */
import { getSystemErrorMessage } from "node:util";
import { byteStringOf, FirnError } from "@firn/formats/base";
import { hasErrorCode } from "./disk.ts";

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_IO = 10;
const SQLITE_CANNOT_OPEN = 14;
/** Of a statement that names a table or column that is not there, of a damaged page, and of a file without SQLite's header. */
const SQLITE_DAMAGED: ReadonlySet<number | undefined> = new Set([1, 11, 26]);

const NO_SPACE = "no space is left on the device: free some, e.g. with 'firn store gc'";

/** Hints by the code of the failed call. */
const hints: Readonly<Record<string, string>> = {
  EACCES: "check who owns it and who may read, write and enter it and the directories above it",
  EDQUOT: "the user's quota is used up: free some space, e.g. with 'firn store gc'",
  EMFILE: "the process has too many open files: raise the limit, e.g. with 'ulimit -n 4096'",
  ENFILE: "the machine has too many open files: end some programs",
  ENOSPC: NO_SPACE,
  EPERM: "check who owns it; the file system or a sandbox may forbid this as well",
  EROFS: "the file system is mounted read-only: mount it writable, or choose another place",
};

/** The C library's words where Node has others. */
const words: Readonly<Record<string, string>> = {
  EBUSY: "Device or resource busy",
  EDQUOT: "Disk quota exceeded",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ETXTBSY: "Text file busy",
  EXDEV: "Invalid cross-device link",
};

/** The reference's words for a call that failed; `path` is shown in quotes. */
const actions: Readonly<Record<string, (path: string, other: string) => string>> = {
  access: (path) => `checking access to ${path}`,
  chdir: (path) => `changing to the directory ${path}`,
  chmod: (path) => `setting permissions on ${path}`,
  chown: (path) => `changing the owner of ${path}`,
  copyfile: (path, other) => `copying ${path} to ${other}`,
  cp: (path, other) => `copying ${path} to ${other}`,
  link: (path, other) => `creating hard link from ${other} to ${path}`,
  lstat: (path) => `getting status of ${path}`,
  mkdir: (path) => `creating directory ${path}`,
  mkdtemp: (path) => `creating directory ${path}`,
  open: (path) => `opening file ${path}`,
  opendir: (path) => `opening directory ${path}`,
  readlink: (path) => `reading symbolic link ${path}`,
  realpath: (path) => `resolving symbolic links in ${path}`,
  fsync: (path) => `syncing file ${path}`,
  read: (path) => `reading from file ${path}`,
  rename: (path, other) => `renaming ${path} to ${other}`,
  rm: (path) => `cannot unlink ${path}`,
  rmdir: (path) => `cannot unlink ${path}`,
  scandir: (path) => `opening directory ${path}`,
  stat: (path) => `getting status of ${path}`,
  statfs: (path) => `getting the file system of ${path}`,
  symlink: (path, other) => `creating symlink from ${other} to ${path}`,
  unlink: (path) => `cannot unlink ${path}`,
  utime: (path) => `changing the modification time of ${path}`,
  write: (path) => `writing to file ${path}`,
};

interface SystemFailure {
  readonly code: string;
  readonly errno: number | undefined;
  readonly syscall: string;
  readonly path: string | undefined;
  readonly other: string | undefined;
}

/** SQLite's error number without its extension; undefined for other errors. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !hasErrorCode(error, "ERR_SQLITE_ERROR")) return undefined;
  return "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

/** Tells whether a SQL statement failed because another connection holds a lock. */
export function isSqliteBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY;
}

/** Tells whether a SQL statement failed because the database is not what it was made as. */
export function isSqliteDamaged(error: unknown): boolean {
  return SQLITE_DAMAGED.has(sqliteCode(error));
}

function failureOf(error: Error): SystemFailure | undefined {
  const fields: { [name: string]: unknown } = { ...error };
  const { code, errno, syscall, path, dest } = fields;
  if (typeof code !== "string" || typeof syscall !== "string") return undefined;
  return {
    code,
    errno: typeof errno === "number" ? errno : undefined,
    syscall,
    path: pathText(path),
    other: pathText(dest),
  };
}

function pathText(path: unknown): string | undefined {
  if (typeof path === "string") return byteStringOf(path);
  return Buffer.isBuffer(path) ? path.toString("latin1") : undefined;
}

/** The C library's words for an error number (`ENOENT` and -2: "No such file or directory"). */
export function systemErrorText(code: string, errno: number | undefined): string {
  const known = words[code];
  if (known !== undefined || errno === undefined) return known ?? code;
  const text = getSystemErrorMessage(errno);
  return text === undefined ? code : text[0]!.toUpperCase() + text.slice(1);
}

/** The C library's words for the failure of a call of Node, such as the start of a program. */
export function systemErrorReason(error: Error): string {
  const { code, errno }: { readonly [name: string]: unknown } = { ...error };
  return systemErrorText(typeof code === "string" ? code : "", typeof errno === "number" ? errno : undefined);
}

function describe(failure: SystemFailure): string {
  const { path, other, syscall } = failure;
  const action = actions[syscall];
  const reason = systemErrorText(failure.code, failure.errno);
  if (path !== undefined && action !== undefined) return `${action(`"${path}"`, `"${other ?? ""}"`)}: ${reason}`;
  if (path !== undefined) return `${syscall} "${path}": ${reason}`;
  return `${syscall}: ${reason}`;
}

/**
 * A failed system call or SQL statement as a `FirnError` (`system-error` or `database-error`): what was done to which path,
 * led by `doing`, and a hint where something helps: `remedy`, unless it is space that lacks. Undefined for every other error.
 */
export function machineError(error: unknown, doing?: string, remedy?: string): FirnError | undefined {
  if (!(error instanceof Error) || error instanceof FirnError) return undefined;
  const said = (text: string): string => (doing === undefined ? text : `${doing}: ${text}`);
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) {
    const hint =
      {
        [SQLITE_FULL]: NO_SPACE,
        [SQLITE_IO]: `it may be that ${NO_SPACE}`,
        [SQLITE_CANNOT_OPEN]: remedy ?? "check that its directory is there and can be written",
      }[sqlite] ?? remedy;
    return new FirnError("database-error", said(byteStringOf(error.message)), {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  // Node's own refusal of a path with a null byte.
  if (hasErrorCode(error, "ERR_INVALID_ARG_VALUE")) {
    return new FirnError("bad-path", said(byteStringOf(error.message)), { cause: error });
  }
  const failure = failureOf(error);
  if (failure === undefined) return undefined;
  const lacksSpace = failure.code === "ENOSPC" || failure.code === "EDQUOT";
  const hint = lacksSpace ? hints[failure.code] : (remedy ?? hints[failure.code]);
  const text = describe(failure);
  return new FirnError("system-error", said(text), { cause: error, ...(hint === undefined ? {} : { hint }) });
}
