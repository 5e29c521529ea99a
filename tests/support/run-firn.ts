/** Runs the command line for tests, with a home and a store below a temporary directory. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteStringOf, printedBytes } from "@firn/formats";
import { runCommandLine } from "../../packages/cli/src/main.ts";
import { main } from "./program.ts";

/** What a run gave. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A private place with its own home, configuration and store. */
export interface Place {
  readonly directory: string;
  readonly store: string;
  readonly environment: Record<string, string>;
  firn(...args: string[]): Promise<Outcome>;
  /** As `firn`, in another directory or with more environment. */
  firnWith(
    options: {
      readonly cwd?: string;
      readonly env?: Record<string, string>;
      readonly input?: string;
      /** The name that the program is called by. */
      readonly program?: string;
      /** True to get output and messages as byte strings. */
      readonly bytes?: boolean;
    },
    ...args: string[]
  ): Promise<Outcome>;
  remove(): void;
}

/** Makes a place; no substituter and no registry is configured, so nothing leaves the machine. */
export function makePlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), "firn-cli-"));
  for (const name of ["home", "work"]) mkdirSync(join(directory, name));
  const store = join(directory, "root");
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: join(directory, "home"),
    NIX_CONF_DIR: join(directory, "etc"),
    NIX_CONFIG: "substituters =\nflake-registry =\n",
    NIX_REMOTE: store,
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    TMPDIR: directory,
    // Compiled code of the modules, shared by all programs that tests start.
    ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
  };
  const place: Place = {
    directory,
    store,
    environment,
    firn: (...args) => place.firnWith({}, ...args),
    firnWith: ({ cwd, env, input, program, bytes }, ...args) =>
      run(args, {
        cwd: cwd ?? join(directory, "work"),
        env: { ...environment, ...env },
        input: input ?? "",
        program: program ?? "firn",
        encoding: bytes === true ? "latin1" : "utf8",
      }),
    // A program that goes on in the background may be writing there.
    remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }),
  };
  return place;
}

/** Runs the command line in this process: modules and their code are loaded once for all tests. */
async function run(
  args: readonly string[],
  options: {
    cwd: string;
    env: Record<string, string>;
    input: string;
    program: string;
    encoding: "utf8" | "latin1";
  },
): Promise<Outcome> {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const code = await runCommandLine([options.program, ...args.map(byteStringOf)], {
    out: (text) => {
      out.push(typeof text === "string" ? printedBytes(text) : text);
    },
    err: (text) => {
      err.push(printedBytes(text));
    },
    terminal: false,
    env: Object.fromEntries(Object.entries(options.env).map((pair) => pair.map(byteStringOf))),
    cwd: byteStringOf(options.cwd),
    readStdin: async () => options.input,
    input: pieces(Buffer.from(options.input, "latin1")),
  });
  return {
    code,
    out: Buffer.concat(out).toString(options.encoding),
    err: Buffer.concat(err).toString(options.encoding),
  };
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** How a program is started. */
interface ProgramOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** Starts the command line as a program of its own. */
export function startProgram(
  args: readonly string[],
  options: ProgramOptions,
): { readonly process: ChildProcess; readonly outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], options);
  const outcome = new Promise<Outcome>((resolve, reject) => {
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("utf8")));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 128, out, err }));
    child.stdin.end();
  });
  return { process: child, outcome };
}

/** Runs the command line as a program of its own. */
export function runProgram(args: readonly string[], options: ProgramOptions): Promise<Outcome> {
  return startProgram(args, options).outcome;
}
