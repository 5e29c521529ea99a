/**
 * The one edge at which what the process was given becomes byte strings: its arguments, environment, working directory and home, and
 * file URLs. Behind it every path and name is a byte string; it becomes text again only for Node's own functions (programs, URLs).
 */
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { homedir, userInfo } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { byteStringOf, FirnError, textOf } from "@firn/formats/base";
import { hasErrorCode } from "./fs/disk.ts";

/** Environment variables by name, as byte strings. */
export type Environment = Readonly<Record<string, string | undefined>>;

const LOST = "\ufffd";

/** Variables by which the launcher of a checkout tells this process its name, its own place and which others are its own. */
const launcherNames = ["FIRN_ARGV0", "FIRN_LAUNCHER", "FIRN_LAUNCHER_SET"];

/** The settings of the C library with which whatever starts the program begins its variable `GLIBC_TUNABLES`; the user's own follow. */
const ownTunables = "glibc.malloc.hugetlb=1:";

/** The names of the launcher's variables, which programs that this process starts do not get. */
function launcherVariableNames(): Set<string> {
  const { FIRN_LAUNCHER_SET: own = "", GLIBC_TUNABLES = "" } = process.env;
  const names = new Set([...launcherNames, ...own.split(" ")]);
  if (GLIBC_TUNABLES.startsWith(ownTunables)) names.add("GLIBC_TUNABLES");
  return names;
}

/** Returns the variables that whatever started the program set, for starting it once more. */
export function launcherVariables(): Environment {
  const names = [...launcherVariableNames()];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** The name by which the user called the program, and the file to call: the launcher of a checkout, or the program itself. */
export function calledProgram(): { readonly name: string; readonly file: string } {
  const { FIRN_ARGV0: name, FIRN_LAUNCHER: launcher } = process.env;
  const file = process.argv[1] ?? "firn";
  // The source file itself stands for the program's name.
  const own = file.endsWith(".ts") ? "firn" : file.slice(file.lastIndexOf("/") + 1);
  return { name: byteStringOf(name ?? own), file: byteStringOf(launcher ?? file) };
}

/** The environment of this process, as the user set it. */
export function processEnvironment(): Environment {
  const own = launcherVariableNames();
  const given = Object.entries(process.env)
    .map(([name, value = ""]): [string, string] => [name, value])
    .filter(([name]) => !own.has(name));
  const users = own.has("GLIBC_TUNABLES") ? process.env.GLIBC_TUNABLES?.slice(ownTunables.length) : undefined;
  if (users !== undefined && users !== "") given.push(["GLIBC_TUNABLES", users]);
  const pairs = given.map(([name, value]): [string, string] => [byteStringOf(name), byteStringOf(value)]);
  if (!given.some(([, value]) => value.includes(LOST))) return Object.fromEntries(pairs);
  // Bytes that are no UTF-8: the kernel still has the variables that the process was started with.
  const started = new Map(
    readFileSync("/proc/self/environ", "latin1")
      .split("\0")
      .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return Object.fromEntries(
    pairs.map(([name, value]) =>
      value.includes(byteStringOf(LOST)) ? [name, started.get(name) ?? value] : [name, value],
    ),
  );
}

/** Variables by which tests, mostly the reference's own, steer what else depends on the machine, the network or chance (docs/notes/testing.md). */
export type TestVariable =
  | "_FIRN_ALWAYS_IMAGES"
  | "_FIRN_CHECKED_HEAP"
  | "_FIRN_TREES_TO_STORE"
  | "_NIX_FORCE_HTTP"
  | "_NIX_IN_TEST"
  | "_NIX_TEST_FREE_SPACE_FILE"
  | "_NIX_TEST_GC_SYNC_1"
  | "_NIX_TEST_GC_SYNC_2"
  | "_NIX_TEST_RAW_MARKDOWN";

/** Returns a variable of tests, as a byte string; undefined when it is not set. */
export function testVariable(name: TestVariable): string | undefined {
  const value = process.env[name];
  return value === undefined ? undefined : byteStringOf(value);
}

/** Tells whether local files are to be treated as if they came from the network. */
export function treatsFilesAsRemote(): boolean {
  return testVariable("_NIX_FORCE_HTTP") === "1";
}

/** The arguments behind the program's own file. */
export function processArguments(): string[] {
  const given = process.argv.slice(2);
  if (given.length === 0 || !given.some((word) => word.includes(LOST))) return given.map(byteStringOf);
  // Bytes that are no UTF-8: the kernel still has them.
  return readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1).slice(-given.length);
}

/** The command that this process runs: Node with its options, and the program's own file. */
export function ownCommand(): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ""].map(byteStringOf);
}

/**
 * The directory in which Node keeps compiled code, for `enableCompileCache` of a thread; undefined when it keeps none. What Node tells is
 * the part of this version of Node; enabling asks for the whole.
 */
export function compileCacheDirectory(): string | undefined {
  const directory = getCompileCacheDir();
  return directory === undefined ? undefined : dirname(directory);
}

/** The working directory. Error `no-working-directory` when it was removed. */
export function workingDirectory(): string {
  try {
    const directory = process.cwd();
    return directory.includes(LOST) ? readlinkSync("/proc/self/cwd", "latin1") : byteStringOf(directory);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
    throw new FirnError("no-working-directory", "cannot get cwd: No such file or directory", {
      hint: "it was removed; change to one that is there",
      cause: error,
    });
  }
}

/**
 * The user's home: `HOME`, else what the system has of the user. A `HOME` that belongs to another user, as `sudo` may leave it, does not
 * count: settings and caches there are that user's, who is not to decide what this one runs.
 */
export function homeDirectory(environment: Environment = processEnvironment()): string {
  const { HOME: home } = environment;
  if (home === undefined || home === "") return byteStringOf(homedir());
  return belongsToAnother(home) ? (systemHome() ?? home) : home;
}

/**
 * The directory of the user's caches: `XDG_CACHE_HOME`, else `.cache` in the home; undefined without either. A home that is not there, as
 * inside of builds, is not made for caches.
 */
export function userCacheDirectory(environment: Environment): string | undefined {
  const { XDG_CACHE_HOME: caches, HOME: given } = environment;
  if (caches?.startsWith("/")) return caches;
  const home = given === undefined || given === "" ? undefined : homeDirectory(environment);
  return home?.startsWith("/") && existsSync(textOf(home)) ? `${home}/.cache` : undefined;
}

function belongsToAnother(directory: string): boolean {
  try {
    return statSync(textOf(directory)).uid !== process.geteuid?.();
  } catch (error) {
    // It is not there, or not for this user: there is nothing to read in it.
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG")) throw error;
    return false;
  }
}

/** The home that the system has of the user; undefined when it does not know the user. */
function systemHome(): string | undefined {
  try {
    return byteStringOf(userInfo().homedir);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_SYSTEM_ERROR")) throw error;
    return undefined;
  }
}

/** The path of a `file:` URL. */
export function pathOfFileUrl(url: string | URL): string {
  return byteStringOf(fileURLToPath(typeof url === "string" ? textOf(url) : url));
}

/** The `file:` URL of an absolute path. */
export function fileUrlOf(path: string): string {
  return pathToFileURL(textOf(path)).href;
}
