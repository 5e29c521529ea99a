/**
 * Node's file functions over byte strings: a path is a byte string (one char a byte), and so is every name and link target that comes
 * back. Nothing but this file and `disk.ts` hands paths to Node. Buffers, URLs and descriptors pass as they are.
 */
import fs, { type PathLike } from "node:fs";
import promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { byteStringOf, printedBytes, textOf } from "@firn/formats/base";
import { fsPath } from "./disk.ts";

function raw(argument: unknown): unknown {
  return typeof argument === "string" ? fsPath(argument) : argument;
}

type Files = typeof fs;

/** Looked up at each call, so that a test can put another function in its place. */
function call(name: keyof Files, args: readonly unknown[]): unknown {
  try {
    return Reflect.apply(fs[name] as (...all: unknown[]) => unknown, fs, args);
  } catch (error) {
    // Node tells the path where a file is opened, but not where it is read or written.
    const [path] = args;
    if (error instanceof Error && "syscall" in error && !("path" in error) && typeof path !== "number") {
      Object.assign(error, { path });
    }
    throw error;
  }
}

/** A function whose first arguments, `paths` of them, are paths. */
function onPaths<Name extends keyof Files>(name: Name, paths = 1): Files[Name] {
  const wrapped = (...args: unknown[]): unknown =>
    call(
      name,
      args.map((argument, index) => (index < paths ? raw(argument) : argument)),
    );
  return wrapped as unknown as Files[Name];
}

/** A function whose first argument is a path and whose result is made of names: bytes unless another encoding is asked for. */
function giving<Name extends keyof Files>(name: Name): Files[Name] {
  const wrapped = (path: unknown, options?: unknown): unknown => call(name, [raw(path), named(options)]);
  return wrapped as unknown as Files[Name];
}

/** A function whose second argument is what to write; a string is a byte string. */
function writing<Name extends keyof Files>(name: Name): Files[Name] {
  const wrapped = (path: unknown, data: unknown, options?: unknown): unknown =>
    call(name, [raw(path), typeof data === "string" ? printedBytes(data) : data, options]);
  return wrapped as unknown as Files[Name];
}

function named(options: unknown): unknown {
  if (options === undefined || options === null) return { encoding: "latin1" };
  return typeof options === "object" ? { encoding: "latin1", ...options } : options;
}

export const accessSync = onPaths("accessSync");
export const appendFileSync = writing("appendFileSync");
export const chmodSync = onPaths("chmodSync");
export const chownSync = onPaths("chownSync");
export const copyFileSync = onPaths("copyFileSync", 2);
export const createReadStream = onPaths("createReadStream");
export const existsSync = onPaths("existsSync");
export const lstatSync = onPaths("lstatSync");
export const lutimesSync = onPaths("lutimesSync");
const makeDirectory = onPaths("mkdirSync");
/**
 * Makes a directory, with `recursive` also those above it that are missing. Node's own way of that never ends where the kernel takes no
 * names, as below /proc.
 */
export function mkdirSync(
  place: string,
  options: { readonly recursive?: boolean; readonly mode?: number } | number = {},
): void {
  const { recursive = false, ...rest } = typeof options === "number" ? { mode: options } : options;
  if (!recursive) {
    makeDirectory(place, rest);
    return;
  }
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(place);
  if (parent !== place) mkdirSync(parent, options);
  try {
    makeDirectory(place, rest);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
export const openSync = onPaths("openSync");
export const readdirSync = giving("readdirSync");
export const readFileSync = onPaths("readFileSync");
export const readlinkSync = giving("readlinkSync");
export const realpathSync = ((path: string, options?: unknown) =>
  fs.realpathSync.native(raw(path) as PathLike, named(options) as BufferEncoding)) as (
  path: string,
  options?: { readonly encoding: "latin1" },
) => string;
export const renameSync = onPaths("renameSync", 2);
export const rmdirSync = onPaths("rmdirSync");
export const statfsSync = onPaths("statfsSync");
export const statSync = onPaths("statSync");
export const symlinkSync = onPaths("symlinkSync", 2);
export const truncateSync = onPaths("truncateSync");
export const unlinkSync = onPaths("unlinkSync");
export const utimesSync = onPaths("utimesSync");
export const writeFileSync = writing("writeFileSync");

/** The same for functions that give promises. */
export const open: typeof promises.open = (path, ...rest) => promises.open(raw(path) as PathLike, ...rest);

/** Deletes a file, or a directory with what is in it. */
export function rmSync(path: string, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): void {
  fs.rmSync(raw(path) as PathLike, options);
}

/** Copies a tree; links stay links. The paths must be UTF-8. */
export function cpSync(from: string, to: string, options: fs.CopySyncOptions = {}): void {
  fs.cpSync(textOf(from), textOf(to), options);
}

/** Makes a directory of its own name that begins with `prefix`, an absolute path; gives its path. */
export function mkdtempSync(prefix: string): string {
  return fs.mkdtempSync(raw(prefix) as string, { encoding: "latin1" });
}

/** The directory for what is needed for a while only, as `TMPDIR` has it. */
export function temporaryParent(): string {
  return byteStringOf(tmpdir());
}

export {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  readSync,
  writeSync,
} from "node:fs";
