/**
 * The few C functions that Node lacks, through koffi when it is installed. Without it, locks fall back to the `flock` program,
 * extended attributes are left alone, and clients of sockets are not known.
 */
import { createRequire } from "node:module";

/** The used functions of libc; -1 and `errno` on failure. Paths end with a zero byte. */
export interface Libc {
  flock(fd: number, operation: number): number;
  syncfs(fd: number): number;
  llistxattr(path: Buffer, list: Buffer | null, size: number): number;
  lremovexattr(path: Buffer, name: string): number;
  getsockopt(fd: number, level: number, option: number, value: Buffer, size: Uint32Array): number;
  errno(): number;
}

let loaded: Libc | null | undefined;

/** Returns libc, or null when koffi is missing. */
export function libc(): Libc | null {
  if (loaded !== undefined) return loaded;
  const koffi = loadKoffi();
  if (koffi === undefined) {
    loaded = null;
    return loaded;
  }
  const library = koffi.load("libc.so.6");
  loaded = {
    flock: library.func("int flock(int fd, int operation)"),
    syncfs: library.func("int syncfs(int fd)"),
    llistxattr: library.func("long llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)"),
    lremovexattr: library.func("int lremovexattr(const uint8_t *path, const char *name)"),
    getsockopt: library.func(
      "int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint32_t *size)",
    ),
    errno: () => koffi.errno(),
  };
  return loaded;
}

/** Loads the package koffi, if it is installed and made for this machine. */
function loadKoffi(): typeof import("koffi") | undefined {
  try {
    return createRequire(import.meta.url)("koffi") as typeof import("koffi");
  } catch {
    return undefined;
  }
}
