/**
 * Stops a process before any step that changes a file, the database or the world of processes: wraps what Node offers for it, so that no
 * code can get past. Calls that do several steps at once (recursive mkdir, writeFile) are done one step at a time.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";

/** One step: what is done, to which file (or what SQL). */
export type StepListener = (kind: string, subject: string) => void;

// biome-ignore lint/suspicious/noExplicitAny: these wrap functions of every shape.
type AnyFunction = (...args: any[]) => any;
type Patchable = Record<string, AnyFunction>;

const PLAIN = [
  "rmdirSync",
  "unlinkSync",
  "chmodSync",
  "fchmodSync",
  "lchownSync",
  "chownSync",
  "fchownSync",
  "utimesSync",
  "futimesSync",
  "lutimesSync",
  "truncateSync",
  "ftruncateSync",
  "mkdtempSync",
  "writeSync",
  "fsyncSync",
  "fdatasyncSync",
];
/** The second argument is what comes into being. */
const TO_SECOND = ["renameSync", "linkSync", "symlinkSync", "copyFileSync"];
/** Whoever starts to use one of these must have it wrapped here. */
const UNUSED = ["cpSync", "appendFileSync", "writevSync", "createWriteStream"];

/** What a call is about: descriptors, and names relative to an open directory, as the paths that they stand for. */
function subjectOf(about: unknown): string {
  if (typeof about === "number") return fs.readlinkSync(`/proc/self/fd/${about}`);
  const text = Buffer.isBuffer(about) ? about.toString("latin1") : String(about);
  return text.replace(/^\/proc\/self\/fd\/\d+/, (held) => fs.readlinkSync(held));
}

/** Calls `listener` before each step of this process from now on; it may kill the process. */
export function interceptSteps(listener: StepListener): void {
  const files = fs as unknown as Patchable;
  const original: Patchable = { ...files };
  const wrap = (name: string, subject: number): void => {
    files[name] = (...args: unknown[]) => {
      listener(name, subjectOf(args[subject]));
      return original[name]!(...args);
    };
  };
  for (const name of PLAIN) wrap(name, 0);
  for (const name of TO_SECOND) wrap(name, 1);
  for (const name of UNUSED) {
    files[name] = () => {
      throw new Error(`${name} is not counted as a step`);
    };
  }
  files.openSync = (file: string, flags: string | number = "r", mode?: number) => {
    const changes =
      typeof flags === "number" ? (flags & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0 : /[wa]/.test(flags);
    if (changes) listener("openSync", subjectOf(file));
    return original.openSync!(file, flags, mode);
  };
  files.mkdirSync = (directory: string | Buffer, options?: { recursive?: boolean; mode?: number } | number) => {
    const recursive = typeof options === "object" && options.recursive === true;
    const text = Buffer.isBuffer(directory) ? directory.toString("latin1") : directory;
    if (recursive) {
      if (fs.existsSync(directory)) return undefined;
      fs.mkdirSync(path.dirname(text), { recursive: true });
    }
    listener("mkdirSync", subjectOf(text));
    return original.mkdirSync!(directory, typeof options === "object" ? { mode: options.mode } : options);
  };
  files.writeFileSync = (
    file: string | number,
    data: string | Uint8Array,
    options?: { mode?: number; flag?: string },
  ) => {
    const bytes = typeof data === "string" ? Buffer.from(data, typeof options === "string" ? options : "utf8") : data;
    const fd = typeof file === "number" ? file : fs.openSync(file, options?.flag ?? "w", options?.mode ?? 0o666);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
    if (typeof file !== "number") fs.closeSync(fd);
  };
  files.rmSync = (target: string, options: { recursive?: boolean; force?: boolean } = {}) => {
    const stat = fs.lstatSync(target, { throwIfNoEntry: false });
    if (stat === undefined && options.force === true) return;
    if (stat?.isDirectory() !== true) fs.unlinkSync(target);
    else {
      for (const name of fs.readdirSync(target)) fs.rmSync(path.join(target, name), options);
      fs.rmdirSync(target);
    }
  };
  const programs = childProcess as unknown as Patchable;
  for (const name of ["spawn", "spawnSync"]) {
    const start = programs[name]!;
    programs[name] = (...args: unknown[]) => {
      listener(name, String(args[0]));
      return start(...args);
    };
  }
  const database = DatabaseSync.prototype as unknown as Patchable;
  const exec = database.exec!;
  database.exec = function (this: DatabaseSync, sql: string) {
    listener("sql", sql.slice(0, 60));
    return exec.call(this, sql);
  };
  const statement = StatementSync.prototype as unknown as Patchable;
  const run = statement.run!;
  statement.run = function (this: StatementSync, ...values: unknown[]) {
    listener("sql", this.sourceSQL.slice(0, 60));
    return run.call(this, ...values);
  };
  syncBuiltinESMExports();
}
