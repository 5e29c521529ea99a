/** Runs the `git` program, shielded from the user's configuration where that would change what is fetched. */
import { spawn } from "node:child_process";
import { FirnError } from "@firn/formats";

/** How to run git. */
export interface GitCall {
  readonly directory: string;
  readonly args: readonly string[];
  /** Written to its standard input. */
  readonly input?: string;
}

const environment = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C.UTF-8",
};

/** Runs git and resolves to its standard output as bytes. Fails with `git` and what it said on standard error. */
export async function git(call: GitCall): Promise<Buffer> {
  const { code, stdout, stderr } = await gitOutcome(call);
  if (code !== 0) {
    throw new FirnError("git", `'git ${call.args.join(" ")}' failed with exit code ${code}:\n${stderr.trim()}`);
  }
  return stdout;
}

/** Runs git and tells how it ended, also when it failed. */
export async function gitOutcome(
  call: GitCall,
): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: string }> {
  const child = spawn("git", ["-C", call.directory, ...call.args], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(call.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new FirnError("git", "the program 'git' cannot be run", {
          cause,
          hint: "install git; on Debian: apt-get install git",
        }),
      );
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") });
    });
  });
}

/** Its output as text without the final newline. */
export async function gitText(directory: string, ...args: string[]): Promise<string> {
  return (await git({ directory, args })).toString("latin1").replace(/\n$/, "");
}
