/** Runs the `git` program, shielded from the user's configuration where that would change what is fetched. */
import { FirnError } from "@firn/formats";
import { withoutCredentials } from "./git-credentials.ts";
import { type ProgramOutcome, programOutcome, type SourceProgram } from "./source-program.ts";

/** How to run git. */
export interface GitCall {
  readonly directory: string;
  readonly args: readonly string[];
  /** Written to its standard input. */
  readonly input?: string;
}

const program: SourceProgram = {
  name: "git",
  debianPackage: "git",
  environment: { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C.UTF-8" },
};

/** Runs git and resolves to its standard output as bytes. Fails with `git` and what it said on standard error. */
export async function git(call: GitCall): Promise<Buffer> {
  const { code, stdout, stderr } = await gitOutcome(call);
  if (code !== 0) {
    const { args } = withoutCredentials(call.args, process.env);
    throw new FirnError("git", `'git ${args.join(" ")}' failed with exit code ${code}:\n${stderr.trim()}`);
  }
  return stdout;
}

/** Runs git and tells how it ended, also when it failed. */
export function gitOutcome(call: GitCall): Promise<ProgramOutcome> {
  const { args, environment } = withoutCredentials(call.args, process.env);
  const started = { ...program, environment: { ...program.environment, ...environment } };
  return programOutcome(started, ["-C", call.directory, ...args], call.input);
}

/** Its output as text without the final newline. */
export async function gitText(directory: string, ...args: string[]): Promise<string> {
  return (await git({ directory, args })).toString("latin1").replace(/\n$/, "");
}
