/** Runs the programs that read repositories and returns their output, or their error text. */
import { FirnError } from "@firn/formats";
import { startProgram } from "@firn/store";

/** A program and its environment. */
export interface SourceProgram {
  /** The program's name, which is also that of its Debian package. */
  readonly name: string;
  readonly debianPackage: string;
  /** Variables that override those of this process; undefined removes one. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The result of a program. */
export interface ProgramOutcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, also one that fails. Fails only when it cannot be started, with its name as the code. */
export async function programOutcome(
  program: SourceProgram,
  args: readonly string[],
  input = "",
): Promise<ProgramOutcome> {
  const { name, debianPackage, environment } = program;
  const child = startProgram(name, args, { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new FirnError(name, `the program '${name}' cannot be run`, {
          cause,
          hint: `install ${debianPackage}; on Debian: apt-get install ${debianPackage}`,
        }),
      );
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") });
    });
  });
}
