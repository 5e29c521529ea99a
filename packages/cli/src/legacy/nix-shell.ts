/**
 * `nix-shell`: builds what a derivation needs and starts a shell with the environment of its builder (manual: "nix-shell").
 * What it does not know itself, `nix-instantiate` does: files, expressions and arguments are given to it.
 */
import { existsSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DerivedPath, prepareEnvironment, readBuildOptions } from "@firn/build";
import { makeBuilder } from "@firn/flake";
import { byteStringOf, type Derivation, FirnError, isDerivationPath, textOf } from "@firn/formats";
import { type LocalStore, loadSettings, openLocalStore, openSubstituters, type Settings } from "@firn/store";
import { describePlan } from "../build-targets.ts";
import type { Io } from "../io.ts";
import { makeProgress } from "../render/progress.ts";
import { findProgram, runProgram } from "../run-program.ts";
import { makeStoreWritable } from "../writable-store.ts";
import { nixInstantiate } from "./nix-instantiate-entry.ts";

interface Words {
  readonly pure: boolean;
  /** Variables that a pure shell keeps besides the usual ones. */
  readonly keep: readonly string[];
  /** Run, then the shell ends. */
  readonly command: string | undefined;
  /** Whether the command may talk to the user, as `--command`'s. */
  readonly interactive: boolean;
  /** Inputs that are not built. */
  readonly exclude: readonly RegExp[];
  readonly packages: readonly string[];
  /** Expressions, files or derivations. */
  readonly inputs: readonly string[];
  /** Everything else: what `nix-instantiate` is told. */
  readonly rest: readonly string[];
  readonly settings: readonly (readonly [name: string, value: string])[];
}

/** Flags that take words, and how many. */
const arities: ReadonlyMap<string, number> = new Map([
  ["-A", 1],
  ["--attr", 1],
  ["-I", 1],
  ["--include", 1],
  ["--arg", 2],
  ["--argstr", 2],
  ["--arg-from-file", 2],
  ["--arg-from-stdin", 1],
  ["--option", 2],
]);

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new FirnError("usage", `invalid regular expression '${text}'`, { cause });
  }
}

function readWords(words: readonly string[]): Words {
  let pure = false;
  let packages = false;
  let command: string | undefined;
  let interactive = true;
  const keep: string[] = [];
  const exclude: RegExp[] = [];
  const positionals: string[] = [];
  const rest: string[] = [];
  const settings: (readonly [string, string])[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at++]!;
    const next = (): string => {
      const value = words[at++];
      if (value === undefined) throw new FirnError("usage", `flag '${word}' requires an argument`);
      return value;
    };
    if (word === "--pure") pure = true;
    else if (word === "--impure") pure = false;
    else if (word === "--packages" || word === "-p") packages = true;
    else if (word === "--keep") keep.push(next());
    else if (word === "--exclude") exclude.push(pattern(next()));
    else if (word === "--run" || word === "--command") {
      interactive = word === "--command";
      command = next();
    } else if (!word.startsWith("-")) positionals.push(word);
    else {
      const values = Array.from({ length: arities.get(word) ?? 0 }, next);
      rest.push(word, ...values);
      if (word === "--option") settings.push([values[0]!, values[1]!]);
    }
  }
  const named = packages ? { packages: positionals, inputs: [] } : { packages: [], inputs: positionals };
  return { pure, keep, command, interactive, exclude, rest, settings, ...named };
}

/** What is evaluated: the arguments that `nix-instantiate` gets. */
function evaluated(words: Words, io: Io): readonly string[] {
  const common = [...words.rest, "--arg", "inNixShell", "true"];
  if (words.packages.length > 0) {
    const inputs = words.packages.map((name) => `(${name})`).join(" ");
    const expression = `with import <nixpkgs> { }; (pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${inputs} ]; } ""`;
    return ["-E", expression, ...common];
  }
  if (words.inputs.length > 0 || words.rest.includes("-E") || words.rest.includes("--expr")) {
    return [...words.inputs, ...common];
  }
  const file = ["shell.nix", "default.nix"].find((name) => existsSync(join(io.cwd, name)));
  if (file !== undefined) return [`./${file}`, ...common];
  throw new FirnError(
    "usage",
    "no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory",
  );
}

/** The derivation that the words name: a path of one, or the only one of an evaluation; undefined when that failed and said so. */
async function derivationOf(words: Words, io: Io): Promise<string | number> {
  const [only] = words.inputs;
  if (words.inputs.length === 1 && only?.startsWith("/") === true && isDerivationPath(only)) return only;
  let printed = "";
  const out = (text: string | Uint8Array): void => {
    printed += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
  };
  const failed = await nixInstantiate(evaluated(words, io), { ...io, out }, true);
  if (failed !== 0) return failed;
  const paths = printed.split("\n").filter((line) => line !== "");
  if (paths.length !== 1) throw new FirnError("usage", "nix-shell requires a single derivation");
  return paths[0]!.replace(/!.*$/, "");
}

/** What has to be there before the builder could run. */
function needs(derivation: Derivation, exclude: readonly RegExp[]): DerivedPath[] {
  const wanted: DerivedPath[] = [];
  for (const [drvPath, input] of derivation.inputDrvs) {
    if (exclude.some((pattern) => pattern.test(drvPath))) continue;
    wanted.push({ kind: "built", drvPath, outputs: [...input.outputs] });
  }
  for (const path of derivation.inputSrcs) wanted.push({ kind: "opaque", path });
  return wanted;
}

/** What a pure shell has of the user's environment. */
const keptVariables: ReadonlySet<string> = new Set([
  ...["HOME", "XDG_RUNTIME_DIR", "USER", "LOGNAME", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "PATH", "TERM"],
  ...["IN_NIX_SHELL", "NIX_SHELL_PRESERVE_PROMPT", "TZ", "PAGER", "NIX_BUILD_SHELL", "SHLVL"],
  ...["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"],
]);

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

interface ShellStart {
  readonly shell: string;
  readonly directory: string;
  readonly words: Words;
  readonly attributes: string | undefined;
  readonly timeZone: string | undefined;
}

/** What the shell reads first: the standard environment's setup, where there is one, then the prompt and the hook. */
function startFile({ shell, directory, words, attributes, timeZone }: ShellStart): string {
  const { pure, command } = words;
  const lines = [
    `_nix_shell_clean_tmpdir() { command rm -rf ${quote(directory)}; }`,
    "trap _nix_shell_clean_tmpdir EXIT",
    "exitHooks+=(_nix_shell_clean_tmpdir)",
    "failureHooks+=(_nix_shell_clean_tmpdir)",
    ...(pure ? [] : ['if [ -n "$PS1" ] && [ -e ~/.bashrc ]; then source ~/.bashrc; fi', "p=$PATH"]),
    "unset PATH",
    "dontAddDisableDepTrack=1",
    ...(attributes === undefined ? [] : [`source ${quote(attributes)}`]),
    'if [ -e "$stdenv/setup" ]; then source "$stdenv/setup"; fi',
    ...(pure ? [] : ["PATH=$PATH:$p", "unset p"]),
    `PATH=${quote(dirname(shell))}:"$PATH"`,
    `SHELL=${quote(shell)}`,
    `BASH=${quote(shell)}`,
    "set +e",
    `if [ -n "$PS1" ] && [ -z "$NIX_SHELL_PRESERVE_PROMPT" ]; then PS1='\\n\\[\\033[1;31m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '; fi`,
    'if [ "$(type -t runHook)" = function ]; then runHook shellHook; fi',
    "unset NIX_ENFORCE_PURITY",
    "shopt -u nullglob",
    timeZone === undefined ? "unset TZ" : `export TZ=${quote(timeZone)}`,
    "shopt -s execfail",
    ...(command === undefined ? [] : [command, "exit"]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The builder's variables over the user's. */
async function environmentOf(
  derivation: Derivation,
  words: Words,
  at: { readonly store: LocalStore; readonly settings: Settings; readonly io: Io; readonly directory: string },
): Promise<Record<string, string | undefined>> {
  const { store, settings, io, directory } = at;
  const result: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(io.env)) {
    if (!words.pure || keptVariables.has(name) || words.keep.includes(name)) result[name] = value;
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
  for (const [name, value] of variables) {
    if (!own.has(name) || derivation.env.has(name)) result[name] = textOf(value);
  }
  // With structured attributes the derivation has little more than its outputs there.
  for (const name of derivation.outputs.keys()) {
    const value = derivation.env.get(name);
    if (value !== undefined) result[name] = textOf(value);
  }
  result.IN_NIX_SHELL = words.pure ? "pure" : "impure";
  return result;
}

/** Runs `nix-shell`; replaces this process by the shell, or resolves to the exit status of an evaluation that failed. */
export async function nixShell(argv: readonly string[], io: Io): Promise<number> {
  const words = readWords(argv);
  const settings = loadSettings(io.env);
  for (const [name, value] of words.settings) settings.set(name, value);
  makeStoreWritable(settings, io);
  const found = await derivationOf(words, io);
  if (typeof found === "number") return found;
  const progress = makeProgress({ io, verbosity: 0, buildLogs: true });
  const events = progress.event.bind(progress);
  const store = await openLocalStore({ settings, environment: io.env, events });
  const builder = makeBuilder({
    store,
    settings,
    events,
    offline: false,
    substituters: () => openSubstituters({ settings, environment: io.env, events }),
  });
  let start: () => never;
  try {
    await builder.build([{ kind: "opaque", path: found }]);
    const derivation = store.readDerivation(found);
    const wanted = needs(derivation, words.exclude);
    const readDerivation = (path: string): Derivation => store.readDerivation(path);
    for (const line of describePlan(await builder.missing(wanted), { all: false, readDerivation })) io.err(`${line}\n`);
    await builder.build(wanted);
    const named = io.env.NIX_BUILD_SHELL;
    const shell = named === undefined || named === "" ? findProgram("bash", io.env.PATH) : named;
    if (shell === undefined) throw new FirnError("no-shell", "the program 'bash' is needed to start a shell");
    const directory = mkdtempSync(join(realpathSync(tmpdir()), "nix-shell-"));
    const environment = await environmentOf(derivation, words, { store, settings, io, directory });
    const attributes = environment.NIX_ATTRS_SH_FILE;
    const file = join(directory, "rc");
    const text = startFile({ shell, directory, words, attributes, timeZone: io.env.TZ });
    writeFileSync(file, byteStringOf(text), "latin1");
    const interactive = words.interactive && process.stdin.isTTY === true;
    const args = interactive ? ["--rcfile", file] : [file];
    start = () => runProgram({ store, program: shell, args, environment });
  } finally {
    progress.finish();
    await builder.close();
    await store.close();
  }
  return start();
}
