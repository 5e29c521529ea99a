/** A pseudoterminal for the builder's output, in raw mode; builders behave differently when their output is a pipe. */

import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import tty from "node:tty";
import * as fs from "@firn/store/files";

/** Both ends of a pseudoterminal: read from `output`, give `slave` to the child and close it afterwards. */
export interface Pty {
  readonly output: Readable;
  readonly slave: number;
}

const TERMIOS_SIZE = 64;
const O_CLOEXEC = 0o2000000;

interface Functions {
  posix_openpt(flags: number): number;
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname_r(fd: number, name: Buffer, size: number): number;
  tcgetattr(fd: number, termios: Buffer): number;
  cfmakeraw(termios: Buffer): void;
  tcsetattr(fd: number, actions: number, termios: Buffer): number;
}

let functions: Functions | null | undefined;

function load(): Functions | null {
  if (functions !== undefined) return functions;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const libc = koffi.load("libc.so.6");
    functions = {
      posix_openpt: libc.func("int posix_openpt(int flags)"),
      grantpt: libc.func("int grantpt(int fd)"),
      unlockpt: libc.func("int unlockpt(int fd)"),
      ptsname_r: libc.func("int ptsname_r(int fd, _Out_ uint8_t *name, size_t size)"),
      tcgetattr: libc.func("int tcgetattr(int fd, _Out_ uint8_t *termios)"),
      cfmakeraw: libc.func("void cfmakeraw(_Inout_ uint8_t *termios)"),
      tcsetattr: libc.func("int tcsetattr(int fd, int actions, const uint8_t *termios)"),
    };
  } catch {
    functions = null;
  }
  return functions;
}

/** Opens a pseudoterminal; undefined where that is not possible (no koffi, no /dev/ptmx). */
export function openPty(): Pty | undefined {
  const libc = load();
  if (libc === null) return undefined;
  const { O_RDWR, O_NOCTTY } = fs.constants;
  const master = libc.posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return undefined;
  const name = Buffer.alloc(256);
  if (libc.grantpt(master) !== 0 || libc.unlockpt(master) !== 0 || libc.ptsname_r(master, name, name.length) !== 0) {
    fs.closeSync(master);
    return undefined;
  }
  let slave: number;
  try {
    slave = fs.openSync(name.toString("latin1", 0, name.indexOf(0)), O_RDWR | O_NOCTTY);
  } catch {
    fs.closeSync(master);
    return undefined;
  }
  const termios = Buffer.alloc(TERMIOS_SIZE);
  libc.tcgetattr(slave, termios);
  libc.cfmakeraw(termios);
  libc.tcsetattr(slave, 0, termios);
  const output = new tty.ReadStream(master);
  return { output, slave };
}
