/**
 * Runs a program of the store in place of this process. When the store is elsewhere on disk (a user's own store), or the
 * program comes from a tree that must be mounted as /usr, it is started in a mount namespace made by bubblewrap in which /nix
 * is that store and /usr that tree; /etc, /home, /tmp and the current directory stay the machine's.
 */

import { dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import { becomeProgram, type PathFacts, runProgramSync, type StoreFiles } from "@firn/store";
import { existsSync, lstatSync, readdirSync, readlinkSync } from "@firn/store/files";
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
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(run.environment)) if (value !== undefined) environment[name] = value;
  const moved = run.store.location.realStoreDir !== run.store.storeDir;
  if (!moved && run.usrRoot === undefined)
    return replaceProcess(run.program, [run.name ?? run.program, ...run.args], environment);
  const bubblewrap = findProgram("bwrap", run.environment.PATH);
  if (bubblewrap === undefined) {
    throw new FirnError("missing-program", "the program 'bwrap' is needed to run programs of this store", {
      hint: "install the Debian package bubblewrap",
    });
  }
  return replaceProcess(bubblewrap, ["bwrap", ...namespaceArguments(run), "--", run.program, ...run.args], environment);
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

function replaceProcess(file: string, argv: readonly string[], environment: Record<string, string>): never {
  if (!existsSync(file)) throw new FirnError("not-found", `unable to execute '${file}': No such file or directory`);
  becomeProgram(file, argv, environment);
  const { status, signal, error } = runProgramSync(file, argv.slice(1), {
    stdio: "inherit",
    env: environment,
    argv0: argv[0] ?? file,
  });
  if (error !== undefined) throw new FirnError("program-failed", `unable to execute '${file}': ${error.message}`);
  process.exit(status ?? (signal === null ? 1 : 130));
}
