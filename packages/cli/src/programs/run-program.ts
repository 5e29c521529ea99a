/**
 * Runs a program of the store in place of this process. When the store is elsewhere on disk (a user's own store), or the
 * program comes from a tree that must be mounted as /usr, it is started in a mount namespace made by bubblewrap in which /nix
 * is that store and /usr that tree; /etc, /home, /tmp and the current directory stay the machine's.
 */

import { constants } from "node:os";
import { dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import {
  becomeProgram,
  hasErrorCode,
  type PathFacts,
  runProgramSync,
  type StoreFiles,
  systemErrorReason,
} from "@firn/store";
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "@firn/store/files";
import { workingDirectory } from "@firn/store/surroundings";

/** The program to run and its surroundings. */
export interface ProgramRun {
  readonly store: StoreFiles & Pick<PathFacts, "storeDir">;
  /** Absolute path as the program itself sees it. */
  readonly program: string;
  /** The name that the program is given; its path by default. */
  readonly name?: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Store path of a tree that must be mounted as /usr. */
  readonly usrRoot?: string;
  /** The first words of the message when it cannot be started. */
  readonly doing?: string;
}

interface Replacement {
  readonly file: string;
  readonly argv: readonly string[];
  readonly environment: Record<string, string>;
  readonly doing: string;
}

const merged = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/** Tells whether a store path is a tree that must be mounted as /usr: an environment of Debian packages. */
export function isUsrRoot(store: StoreFiles & Pick<PathFacts, "storeDir">, path: string): boolean {
  return existsSync(join(store.realPath(path), "nix-support", "usr-root"));
}

/** Directories of programs in such a tree, as PATH. */
export const usrRootPath = "/usr/local/bin:/usr/bin:/bin:/usr/games:/usr/sbin:/sbin";

/** Replaces this process by the program; returns only by an error. */
export function runProgram(run: ProgramRun): never {
  const { doing = "unable to execute" } = run;
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(run.environment)) if (value !== undefined) environment[name] = value;
  const moved = run.store.location.realStoreDir !== run.store.storeDir;
  if (!moved && run.usrRoot === undefined)
    return replaceProcess({ file: run.program, argv: [run.name ?? run.program, ...run.args], environment, doing });
  const bubblewrap = findProgram("bwrap", run.environment.PATH);
  if (bubblewrap === undefined) {
    throw new FirnError("missing-program", "the program 'bwrap' is needed to run programs of this store", {
      hint: "install the Debian package bubblewrap",
    });
  }
  const argv = ["bwrap", ...namespaceArguments(run), "--", run.program, ...run.args];
  return replaceProcess({ file: bubblewrap, argv, environment, doing });
}

/** Returns bubblewrap's arguments: the machine's root entry by entry, with /nix and /usr replaced. */
function namespaceArguments(run: ProgramRun): string[] {
  const { store, usrRoot } = run;
  const args: string[] = [];
  for (const entry of readdirSync("/")) {
    const path = `/${entry}`;
    if (entry === "nix") continue;
    if (usrRoot !== undefined && (entry === "usr" || merged.includes(entry))) continue;
    if (lstatSync(path).isSymbolicLink()) args.push("--symlink", readlinkSync(path), path);
    else args.push("--dev-bind", path, path);
  }
  const nix = dirname(store.location.realStoreDir);
  const logical = dirname(store.storeDir);
  args.push("--bind", nix, logical);
  if (usrRoot !== undefined) {
    args.push("--ro-bind", `${store.realPath(usrRoot)}/usr`, "/usr");
    for (const entry of merged) args.push("--symlink", `usr/${entry}`, `/${entry}`);
  }
  args.push("--chdir", workingDirectory());
  return args;
}

/** Finds a program on a search path; undefined when it is not there. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  for (const directory of (path ?? "/usr/bin:/bin").split(":")) {
    const candidate = join(directory, name);
    if (directory !== "" && existsSync(candidate)) return candidate;
  }
  return undefined;
}

function replaceProcess({ file, argv, environment, doing }: Replacement): never {
  try {
    statSync(file);
  } catch (error) {
    const reason = error instanceof Error ? systemErrorReason(error) : "";
    throw new FirnError("not-found", `${doing} '${file}': ${reason}`, { cause: error });
  }
  becomeProgram(file, argv, environment);
  const run = (program: string, args: readonly string[], argv0: string): ReturnType<typeof runProgramSync> =>
    runProgramSync(program, args, { stdio: "inherit", env: environment, argv0 });
  let done = run(file, argv.slice(1), argv[0] ?? file);
  // As the C library does for a script that names no interpreter.
  if (hasErrorCode(done.error, "ENOEXEC")) done = run("/bin/sh", [file, ...argv.slice(1)], "/bin/sh");
  const { status, signal, error } = done;
  if (error !== undefined) throw new FirnError("program-failed", `${doing} '${file}': ${systemErrorReason(error)}`);
  process.exit(status ?? (signal === null ? 1 : 128 + constants.signals[signal]));
}
