/** Runs the `git` program over repositories whose configuration is Firn's own: none of the programs that a repository names runs. */

import { FirnError, withoutPasswords } from "@firn/formats";
import { processEnvironment } from "@firn/store/surroundings";
import { checkLogin, type Login } from "./login.ts";
import { type ProgramOutcome, programOutcome, type SourceProgram } from "./source-program.ts";

/** One run of git. */
export interface GitCall {
  /** The directory of a repository with a configuration written by Firn: a clone in the cache, or a view of a foreign one. */
  readonly gitDirectory: string;
  /** A work tree, and the index that lists its tracked files. */
  readonly workTree?: { readonly directory: string; readonly index: string };
  /** True to use the user's own configuration too: for credentials and addresses of remotes, and for the author of a commit. */
  readonly userConfiguration?: boolean;
  /** A password for the remote; it stays out of the arguments, which every user of the machine can read. */
  readonly login?: Login | undefined;
  readonly args: readonly string[];
  /** Text for its standard input. */
  readonly input?: string;
  /** Receives standard output in pieces, which is then not returned. */
  readonly take?: (chunk: Buffer) => void;
}

/** Environment variables that would point git at another repository. */
const leading = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
  "GIT_EXTERNAL_DIFF",
  "GIT_TEMPLATE_DIR",
];

/** Returns variables with which git takes the password from the environment, for this server only: a redirect may lead to another. */
function loginEnvironment(login: Login): Record<string, string> {
  const { origin, user, password } = login;
  // Git reads a helper's answer line by line.
  checkLogin(login);
  const count = Number(processEnvironment().GIT_CONFIG_COUNT ?? "0") || 0;
  return {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: `credential.${origin}.helper`,
    [`GIT_CONFIG_VALUE_${count}`]:
      '!answer() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$FIRN_GIT_USER" "$FIRN_GIT_PASSWORD"; }; answer',
    FIRN_GIT_USER: user,
    FIRN_GIT_PASSWORD: password,
  };
}

function environmentOf(call: GitCall): Record<string, string | undefined> {
  const all = Object.keys(processEnvironment()).filter((name) => name.startsWith("GIT_"));
  const dropped = call.userConfiguration === true ? leading : all;
  return {
    ...Object.fromEntries(dropped.map((name) => [name, undefined])),
    ...(call.userConfiguration === true
      ? {}
      : { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_ATTR_NOSYSTEM: "1" }),
    ...(call.workTree === undefined
      ? {}
      : { GIT_WORK_TREE: call.workTree.directory, GIT_INDEX_FILE: call.workTree.index }),
    ...(call.login === undefined ? {} : loginEnvironment(call.login)),
    GIT_DIR: call.gitDirectory,
    // A revision names what its objects hash to, whatever the repository would put in their place.
    GIT_NO_REPLACE_OBJECTS: "1",
    // `ext::` and helpers named by addresses are programs.
    GIT_ALLOW_PROTOCOL: "file:http:https:ssh:git",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    LC_ALL: "C.UTF-8",
  };
}

/** Settings that stop git from running programs by itself. */
const noPrograms = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "gc.auto=0"].flatMap(
  (setting) => ["-c", setting],
);

/** Runs git and resolves to its standard output as bytes. Fails with `git` and the text of standard error. */
export async function git(call: GitCall): Promise<Buffer> {
  const { code, stdout, stderr } = await gitOutcome(call);
  if (code !== 0) {
    const command = withoutPasswords(call.args.join(" "));
    throw new FirnError("git", `'git ${command}' failed with exit code ${code}:\n${withoutPasswords(stderr.trim())}`);
  }
  return stdout;
}

/** Runs git and resolves to its outcome, also when it failed. */
export function gitOutcome(call: GitCall): Promise<ProgramOutcome> {
  const program: SourceProgram = { name: "git", debianPackage: "git", environment: environmentOf(call) };
  const directory = call.workTree?.directory ?? call.gitDirectory;
  return programOutcome(program, ["-C", directory, ...noPrograms, ...call.args], call);
}

/**
 * Clones a repository into a directory, with the user's own configuration and without hooks, and checks out a branch or revision.
 * Fails with `git`.
 */
export async function cloneRepository(url: string, directory: string, revision: string | undefined): Promise<void> {
  const environment = {
    ...Object.fromEntries(leading.map((name) => [name, undefined])),
    GIT_ALLOW_PROTOCOL: "file:http:https:ssh:git",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C.UTF-8",
  };
  const program: SourceProgram = { name: "git", debianPackage: "git", environment };
  const steps = [["clone", "--quiet", "--", url, directory]];
  if (revision !== undefined) steps.push(["-C", directory, "checkout", "--quiet", revision, "--"]);
  for (const step of steps) {
    const { code, stderr } = await programOutcome(program, [...noPrograms, ...step]);
    if (code === 0) continue;
    throw new FirnError("git", `cannot clone '${withoutPasswords(url)}': ${withoutPasswords(stderr.trim())}`);
  }
}

/** Runs git and resolves to its output as text without the final newline. */
export async function gitText(call: GitCall): Promise<string> {
  return (await git(call)).toString("latin1").replace(/\n$/, "");
}
