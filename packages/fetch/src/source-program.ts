/** Runs the programs that know repositories: their output, or what they said. */

import { FirnError } from "@firn/formats";
import { startProgram } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";

/** A program and its environment. */
export interface SourceProgram {
  /** The program's name, which is also that of its Debian package. */
  readonly name: string;
  readonly debianPackage: string;
  /** Variables that override those of this process; undefined removes one. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Data for a program, and the receiver of what it prints. */
export interface ProgramStreams {
  /** Text for its standard input. */
  readonly input?: string | undefined;
  /** Receives standard output in pieces; without it the output is part of the result. What it throws ends the program. */
  readonly take?: ((chunk: Buffer) => void) | undefined;
}

/** The result of a program. */
export interface ProgramOutcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, also one that fails. Error `missing-program` when it cannot be started. */
export async function programOutcome(
  program: SourceProgram,
  args: readonly string[],
  { input = "", take }: ProgramStreams = {},
): Promise<ProgramOutcome> {
  const { name, debianPackage, environment } = program;
  const child = startProgram(name, args, {
    env: { ...processEnvironment(), ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let refusal: { readonly error: unknown } | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    if (take === undefined) out.push(chunk);
    else if (refusal === undefined) {
      try {
        take(chunk);
      } catch (error) {
        refusal = { error };
        child.kill();
      }
    }
  });
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new FirnError("missing-program", `the program '${name}' cannot be run`, {
          cause,
          hint: `install ${debianPackage}; on Debian: apt-get install ${debianPackage}`,
        }),
      );
    });
    child.on("close", (code) => {
      if (refusal !== undefined) reject(refusal.error);
      else resolve({ code: code ?? 128, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("latin1") });
    });
  });
}
