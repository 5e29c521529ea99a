/**
 * The only place that starts other programs; programs, arguments, directories and environments are byte strings. What the kernel would cut short or take for something else is refused: null bytes in the
 * program, its arguments, its directory and its environment, and names of variables that are empty or contain `=`.
 */
import {
  type ChildProcess,
  type ChildProcessByStdio,
  type SpawnOptions,
  type SpawnOptionsWithStdioTuple,
  type SpawnSyncOptions,
  type SpawnSyncReturns,
  type StdioNull,
  type StdioPipe,
  spawn,
  spawnSync,
} from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { FirnError, textOf } from "@firn/formats/base";
import { machineError } from "../fs/machine-error.ts";
import { processEnvironment } from "../surroundings.ts";
import { isExecutable } from "./executable.ts";

/** A started program. */
export type RunningProgram = ChildProcess;

/** Variables by name; those that are undefined are left out. */
type ProgramEnvironment = Readonly<Record<string, string | undefined>>;

/** The parts of a start other than stream handling. */
interface Start {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string | URL | undefined;
  readonly argv0?: string | undefined;
  readonly env?: ProgramEnvironment | undefined;
}

/** Options without a shell: programs are never started through one; a shell is a program like others, with its script as an argument. */
type WithoutShell<Options> = Omit<Options, "shell">;

/** Starts a program. Errors `bad-program-argument`, `system-error`; a missing program is an event of the process. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioPipe>>,
): ChildProcessByStdio<Writable, Readable, Readable>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioNull>>,
): ChildProcessByStdio<Writable, Readable, null>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptionsWithStdioTuple<StdioPipe, StdioNull, StdioNull>>,
): ChildProcessByStdio<Writable, null, null>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe>>,
): ChildProcessByStdio<null, Readable, Readable>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioNull>>,
): ChildProcessByStdio<null, Readable, null>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptions>,
): ChildProcess;
export function startProgram(
  program: string,
  args: readonly string[],
  options: WithoutShell<SpawnOptions>,
): ChildProcess {
  return checked({ ...options, program, args }, () =>
    spawn(textOf(program), args.map(textOf), { ...options, ...asText(options), shell: false }),
  );
}

/**
 * Runs a program to its end; its output is returned as bytes. Errors `bad-program-argument`, `system-error`; a missing
 * program is in `error`.
 */
export function runProgramSync(
  program: string,
  args: readonly string[],
  options: WithoutShell<Omit<SpawnSyncOptions, "encoding">> = {},
): SpawnSyncReturns<Buffer> {
  return checked({ ...options, program, args }, () =>
    spawnSync(textOf(program), args.map(textOf), {
      ...options,
      ...asText(options),
      shell: false,
      encoding: "buffer",
    }),
  );
}

/**
 * Replaces this process by a program if the platform can and the kernel surely runs it; otherwise returns false. `argv`
 * begins with the name under which the program runs.
 */
export function becomeProgram(
  program: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): boolean {
  return checked({ program, argv0: argv[0], args: argv.slice(1), env: environment }, () => {
    if (isExecutable(program)) process.execve?.(textOf(program), argv.map(textOf), environmentText(environment));
    return false;
  });
}

/** Node takes text where the kernel takes bytes, so what is not UTF-8 cannot be handed on. */
function asText({ cwd, argv0, env }: Omit<Start, "program" | "args">): Partial<Omit<Start, "program" | "args">> {
  return {
    ...(cwd === undefined ? {} : { cwd: typeof cwd === "string" ? textOf(cwd) : cwd }),
    ...(argv0 === undefined ? {} : { argv0: textOf(argv0) }),
    env: environmentText(env ?? processEnvironment()),
  };
}

function environmentText(env: ProgramEnvironment): Record<string, string> {
  const pairs = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return Object.fromEntries(pairs.map(([name, value]) => [textOf(name), textOf(value)]));
}

function checked<Result>(start: Start, act: () => Result): Result {
  check(start);
  try {
    return act();
  } catch (error) {
    throw machineError(error, `cannot start '${start.program}'`) ?? error;
  }
}

/** Checks the parts of a start; errors do not show values of variables, which may be secrets. */
function check({ program, args, cwd, argv0, env }: Start): void {
  const refuse = (what: string): never => {
    throw new FirnError("bad-program-argument", `cannot start '${shown(program)}': ${what}`);
  };
  const nulls = (text: string, what: string): void => {
    if (text.includes("\0")) refuse(`${what} contains a null byte`);
  };
  if (program === "") refuse("the name of the program is empty");
  nulls(program, "the name of the program");
  for (const [index, argument] of args.entries()) nulls(argument, `argument ${index + 1}`);
  if (argv0 !== undefined) nulls(argv0, "argument 0");
  if (cwd !== undefined) nulls(String(cwd), "the directory to start in");
  for (const [name, value] of Object.entries(env ?? {})) {
    if (value === undefined) continue;
    const problem = variableNameProblem(name);
    if (problem !== undefined) refuse(problem);
    nulls(value, `the value of the environment variable '${name}'`);
  }
}

/** Returns the reason for which no program can be given an environment variable of this name; undefined when it can. */
export function variableNameProblem(name: string): string | undefined {
  if (name === "") return "the name of an environment variable is empty";
  if (name.includes("=")) return `the name of the environment variable '${shown(name)}' contains '='`;
  if (name.includes("\0")) return `the name of the environment variable '${shown(name)}' contains a null byte`;
  return undefined;
}

function shown(text: string): string {
  return text.replaceAll("\0", "␀");
}
