/**
 * `nix-shell`: builds a derivation's inputs and starts a shell with the environment of its builder (manual: "nix-shell").
 * Files, expressions and arguments are `nix-instantiate`'s.
 */

import { dirname, join } from "node:path";
import { prepareEnvironment, readBuildOptions, shellQuote } from "@firn/build";
import { followLinksToStore } from "@firn/flake";
import { type Derivation, type DerivedPath, FirnError, isDerivationPath } from "@firn/formats";
import { regexMistake } from "@firn/language";
import type { MachineStore, Settings } from "@firn/store";
import { existsSync, mkdtempSync, readFileSync, realpathSync, temporaryParent, writeFileSync } from "@firn/store/files";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { nixShellScript, type Script } from "../grammar/script.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import { findProgram, runProgram } from "../programs/run-program.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { describePlan } from "../targets/build-targets.ts";
import { derivationsIn, type Expressions, expressionFlags, expressionsOf } from "./expressions.ts";

/** Options that `nix-instantiate` does not have. */
interface ShellOptions {
  readonly pure: boolean;
  /** True when the arguments are packages of <nixpkgs>. */
  readonly packages: boolean;
  /** The command to run, or that of the script's interpreter, after which the shell ends. */
  readonly command: string | undefined;
  /** False with `--run`, whose command runs in a shell that is not interactive. */
  readonly interactive: boolean;
  /** Variables that a pure shell keeps besides the usual ones. */
  readonly keep: readonly string[];
  /** Patterns of inputs that are not built. */
  readonly exclude: readonly RegExp[];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new FirnError("bad-regex", regexMistake(text) ?? `invalid regular expression '${text}'`, { cause });
  }
}

/** Flags of `nix-shell` besides those of expressions. */
const shellFlags: readonly Flag[] = [
  { name: "pure", description: "Clear the environment before the shell starts." },
  { name: "packages", short: "p", description: "The arguments are packages of <nixpkgs>." },
  { name: "keep", labels: ["name"], description: "Keep the environment variable name in a pure shell." },
  { name: "exclude", labels: ["regexp"], description: "Do not build dependencies that match regexp." },
  { name: "run", labels: ["cmd"], description: "Run cmd instead of an interactive shell, then exit." },
  { name: "interpreter", short: "i", labels: ["interpreter"], description: "The interpreter of a #! script." },
  { name: "command", labels: ["cmd"], description: "As --run, in an interactive shell." },
  { name: "out-link", short: "o", labels: ["path"], kinds: ["path"], description: "Ignored." },
  { name: "no-out-link", aliases: ["no-link"], description: "Ignored." },
  { name: "add-drv-link", description: "Ignored." },
  { name: "drv-link", labels: ["path"], kinds: ["path"], description: "Ignored." },
  { name: "run-env", description: "Ignored." },
  { name: "check", description: "Build what the shell needs again and compare it with what is in the store." },
];

/** Returns the command that runs a script by its interpreter. */
function interpreterLine(interpreter: string, { path, args }: Script): string {
  const words = [path, ...args].map(shellQuote).join(" ");
  // Ruby would look for its own name in the script's first line.
  return /\bruby\b/.test(interpreter)
    ? `exec ${interpreter} -e 'load(ARGV.shift)' -- ${words}`
    : `exec ${interpreter} ${words}`;
}

function shellOptions({ flags, script }: Invocation): ShellOptions {
  const last = flags.ordered("run", "command").at(-1);
  const interpreter = flags.value("interpreter");
  if (interpreter !== undefined && script === undefined) throw new UsageError("unrecognised flag '-i'");
  if (flags.has("packages") && flags.has("expr")) throw new UsageError("'-p' and '-E' are mutually exclusive");
  return {
    pure: flags.last("pure", "impure") === "pure",
    packages: flags.has("packages"),
    command: script !== undefined && interpreter !== undefined ? interpreterLine(interpreter, script) : last?.values[0],
    interactive: last?.name !== "run" && (script === undefined || interpreter === undefined),
    keep: flags.all("keep").map(([name = ""]) => name),
    exclude: flags.all("exclude").map(([text = ""]) => pattern(text)),
  };
}

/** Returns the expressions with the defaults of a shell filled in. */
function shellExpressions(invocation: Invocation, options: ShellOptions, cwd: string): Expressions {
  const given = expressionsOf(invocation);
  const words = invocation.positionals;
  if (options.packages) {
    const inputs = words.map((name) => `(${name}) `).join("");
    const text = `{...}@args: with import <nixpkgs> args; (pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${inputs}]; } ""`;
    return { ...given, shell: true, texts: true, words: [text] };
  }
  if (words.length > 0 || given.texts) return { ...given, shell: true };
  if (!["shell.nix", "default.nix"].some((name) => existsSync(join(cwd, name)))) {
    throw new FirnError(
      "not-found",
      "no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory",
    );
  }
  return { ...given, shell: true, words: ["."] };
}

/** Returns the derivation that the arguments name: by its path, or the only one in their value. */
async function derivationOf(session: EvaluationSession, expressions: Expressions): Promise<string> {
  const [only] = expressions.words;
  if (expressions.words.length === 1 && only?.startsWith("/") === true) {
    const [path = ""] = only.split("!");
    // A link to a derivation, as --add-root makes one, stands for it.
    if (isDerivationPath(path)) return followLinksToStore(path, (await session.store()).storeDir) ?? path;
  }
  const evaluation = await session.evaluation();
  const { evaluator } = evaluation;
  const directory = session.invocation.directory ?? session.io.cwd;
  const context = { evaluator, io: session.io, directory, fetchPath: (url: string) => evaluation.pathOfUrl(url) };
  const paths: string[] = [];
  for await (const { drvPath } of derivationsIn(expressions, context)) paths.push(drvPath);
  if (paths.length !== 1) throw new FirnError("usage", "nix-shell requires a single derivation");
  return paths[0]!;
}

/** Returns the paths that must be valid before the builder could run. */
function needs(derivation: Derivation, exclude: readonly RegExp[]): DerivedPath[] {
  const wanted: DerivedPath[] = [];
  for (const [drvPath, input] of derivation.inputDrvs) {
    if (exclude.some((pattern) => pattern.test(drvPath))) continue;
    wanted.push({ kind: "built", drvPath, outputs: [...input.outputs] });
  }
  for (const path of derivation.inputSrcs) wanted.push({ kind: "opaque", path });
  return wanted;
}

/** Variables of the user's environment that a pure shell keeps. */
const keptVariables: ReadonlySet<string> = new Set([
  ...["HOME", "XDG_RUNTIME_DIR", "USER", "LOGNAME", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "PATH", "TERM"],
  ...["IN_NIX_SHELL", "NIX_SHELL_PRESERVE_PROMPT", "TZ", "PAGER", "NIX_BUILD_SHELL", "SHLVL"],
  ...["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"],
]);

interface ShellStart {
  readonly shell: string;
  readonly directory: string;
  readonly options: ShellOptions;
  /** The structured attributes as the shell's variables. */
  readonly attributes: string | undefined;
  readonly timeZone: string | undefined;
}

/** Returns the text that the shell reads first: the standard environment's setup, if there is one, then the prompt and the hook. */
function startFile({ shell, directory, options, attributes, timeZone }: ShellStart): string {
  const { pure, command } = options;
  const head = [
    `_nix_shell_clean_tmpdir() { command rm -rf ${shellQuote(directory)}; }`,
    "trap _nix_shell_clean_tmpdir EXIT",
    "exitHooks+=(_nix_shell_clean_tmpdir)",
    "failureHooks+=(_nix_shell_clean_tmpdir)",
    ...(pure ? [] : ['if [ -n "$PS1" ] && [ -e ~/.bashrc ]; then source ~/.bashrc; fi', "p=$PATH"]),
    "unset PATH",
    "dontAddDisableDepTrack=1",
  ];
  const tail = [
    'if [ -e "$stdenv/setup" ]; then source "$stdenv/setup"; fi',
    ...(pure ? [] : ["PATH=$PATH:$p", "unset p"]),
    `PATH=${shellQuote(dirname(shell))}:"$PATH"`,
    `SHELL=${shellQuote(shell)}`,
    `BASH=${shellQuote(shell)}`,
    "set +e",
    `if [ -n "$PS1" ] && [ -z "$NIX_SHELL_PRESERVE_PROMPT" ]; then PS1='\\n\\[\\033[1;31m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '; fi`,
    'if [ "$(type -t runHook)" = function ]; then runHook shellHook; fi',
    "unset NIX_ENFORCE_PURITY",
    "shopt -u nullglob",
    timeZone === undefined ? "unset TZ" : `export TZ=${shellQuote(timeZone)}`,
    "shopt -s execfail",
    ...(command === undefined ? [] : [command]),
  ];
  const end = command === undefined ? "" : "\nexit";
  // Lines as in the reference: messages of the shell have their numbers.
  return `${head.join("; ")};\n${attributes ?? ""}\n${tail.join("; ")}${end}\n`;
}

function passedInFile(derivation: Derivation, name: string): boolean {
  return (derivation.env.get("passAsFile") ?? "").split(/\s+/).includes(name);
}

/** Returns the builder's variables over the user's. */
async function environmentOf(
  derivation: Derivation,
  { pure, keep }: ShellOptions,
  at: { readonly store: MachineStore; readonly settings: Settings; readonly io: Io; readonly directory: string },
): Promise<Record<string, string | undefined>> {
  const { store, settings, io, directory } = at;
  const result: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(io.env)) {
    if (!pure || keptVariables.has(name) || keep.includes(name)) result[name] = value;
  }
  const { variables, files } = await prepareEnvironment(derivation, {
    store,
    settings,
    options: { ...readBuildOptions(derivation, store.storeDir), exportReferencesGraph: new Map() },
    inputPaths: new Set(),
    buildDir: directory,
    homeDir: "",
  });
  for (const [name, text] of files) writeFileSync(join(directory, name), text, "latin1");
  // The user's own, unless the derivation has them.
  const own = new Set(["PATH", "HOME", "PWD", "TERM", "NIX_LOG_FD", "NIX_OUTPUT_CHECKED"]);
  for (const [name, value] of variables) if (!own.has(name)) result[name] = value;
  // With structured attributes the derivation has little more than its outputs there.
  for (const [name, value] of derivation.env) {
    const plain = variables.has("NIX_ATTRS_JSON_FILE") ? derivation.outputs.has(name) : !passedInFile(derivation, name);
    if (plain) result[name] = value;
  }
  // Keeps /etc/bashrc of NixOS from reading /etc/profile.
  if (pure) result.__ETC_PROFILE_SOURCED = "1";
  result.IN_NIX_SHELL = pure ? "pure" : "impure";
  return result;
}

/** `nix-shell`: replaces this process by the shell. */
export const command: Command = {
  style: "old",
  positionals: [{ label: "files", kind: "path", optional: true, repeats: true }],
  flags: [...expressionFlags, ...shellFlags],
  readScript: nixShellScript,
  run: nixShell,
};

function nixShell(invocation: Invocation, io: Io): Promise<number> {
  const options = shellOptions(invocation);
  let start: (() => never) | undefined;
  const run = withEvaluation(invocation, io, {
    needs: { impure: true },
    body: async (session) => {
      const { settings, builder, progress } = session;
      const store = await session.store();
      const found = await derivationOf(session, shellExpressions(invocation, options, invocation.directory ?? io.cwd));
      await builder.build([{ kind: "opaque", path: found }]);
      const derivation = store.readDerivation(found);
      const wanted = needs(derivation, options.exclude);
      const readDerivation = (path: string): Derivation => store.readDerivation(path);
      const plan = await builder.missing(wanted);
      progress.clear();
      for (const line of describePlan(plan, { all: false, readDerivation })) io.err(`${line}\n`);
      if (invocation.flags.has("dry-run")) return 0;
      await builder.build(wanted, invocation.flags.has("check") ? "check" : undefined);
      const named = io.env.NIX_BUILD_SHELL;
      const shell = named === undefined || named === "" ? findProgram("bash", io.env.PATH) : named;
      if (shell === undefined) {
        throw new FirnError("missing-program", "the program 'bash' is needed to start a shell");
      }
      const directory = mkdtempSync(join(realpathSync(temporaryParent()), "nix-shell-"));
      const environment = await environmentOf(derivation, options, { store, settings, io, directory });
      const variables = environment.NIX_ATTRS_SH_FILE;
      const attributes = variables === undefined ? undefined : readFileSync(variables, "latin1");
      const file = join(directory, "rc");
      const text = startFile({ shell, directory, options, attributes, timeZone: io.env.TZ });
      writeFileSync(file, text, "latin1");
      const interactive = options.interactive && process.stdin.isTTY === true;
      const shellArgs = interactive ? ["--rcfile", file] : [file];
      start = () => runProgram({ store, program: shell, args: shellArgs, environment, doing: "executing shell" });
      return 0;
    },
  });
  return run.then((status) => (start === undefined ? status : start()));
}
