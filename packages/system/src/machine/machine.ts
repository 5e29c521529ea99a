/** The machine that a switch changes: programs are run on it, and its files lie below a root. */

import { FirnError } from "@firn/formats";
import { startProgram } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import { type Elevation, elevatedHere, elevatedInput } from "./elevation.ts";

/** The result of a program. */
export interface ProgramResult {
  /** Exit status; 128 and the signal's number when it was killed. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of running a program. */
export interface ProgramOptions {
  /** Its environment; when neither this nor `keep` is given, it inherits the whole environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Variables that it inherits. */
  readonly keep?: readonly string[];
  /** True when the program needs root, by whatever means the machine has. */
  readonly asRoot?: boolean;
  /** Receives lines of standard output and error as they come; when absent, they are only collected. */
  readonly onLine?: (line: string) => void;
  readonly input?: string;
}

/** A machine. */
export interface Machine {
  /** Prefix of its files; empty for the running machine. */
  readonly root: string;
  /** Runs a program to its end. Fails with `not-found` when there is no such program. */
  run(argv: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
}

/** Limit of the output of one program that is kept. */
const maxOutput = 4 << 20;

/** Returns the machine that this process runs on. `elevation` is how programs that need root get it. */
export function thisMachine(elevation: Elevation = { kind: "none" }): Machine {
  return { root: "", run: (argv, options) => runProgramHere(argv, options, elevation) };
}

function ownEnvironment({ keep = [], environment = {} }: ProgramOptions): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of keep) {
    const value = processEnvironment()[name];
    if (value !== undefined) result[name] = value;
  }
  return { ...result, ...environment };
}

function runProgramHere(
  argv: readonly string[],
  options: ProgramOptions = {},
  elevation: Elevation,
): Promise<ProgramResult> {
  const chosen = options.environment === undefined && options.keep === undefined ? undefined : ownEnvironment(options);
  const isElevated = options.asRoot === true && elevation.kind !== "none";
  const [file = "", ...args] = isElevated ? elevatedHere(elevation, argv, chosen) : argv;
  const input = isElevated ? elevatedInput(elevation, options.input) : options.input;
  return new Promise((resolve, reject) => {
    const child = startProgram(file, args, {
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(chosen === undefined || isElevated ? {} : { env: chosen }),
    });
    const collected = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let partial = "";
      child[name]?.setEncoding("latin1").on("data", (text: string) => {
        if (collected[name].length < maxOutput) collected[name] += text;
        if (options.onLine === undefined) return;
        const lines = (partial + text).split("\n");
        partial = lines.pop() ?? "";
        for (const line of lines) options.onLine(line);
      });
      child[name]?.on("end", () => {
        if (partial !== "") options.onLine?.(partial);
      });
    }
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(new FirnError("not-found", `unable to execute '${file}': ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      resolve({ status: code ?? (signal === null ? 1 : 128 + 9), ...collected });
    });
    if (input === undefined) return;
    // A program that asks for nothing may have ended already.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input, "latin1");
  });
}
