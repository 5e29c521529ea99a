/**
 * `nix-shell`: builds what a derivation needs and starts a shell with the environment of its builder (manual: "nix-shell").
 * Files, expressions and arguments are `nix-instantiate`'s.
 */
import { existsSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { prepareEnvironment, readBuildOptions, shellQuote } from "@firn/build";
import { byteStringOf, type Derivation, type DerivedPath, FirnError, isDerivationPath, textOf } from "@firn/formats";
import { type LocalStore, loadSettings, type Settings } from "@firn/store";
import { describePlan } from "../build-targets.ts";
import type { Io } from "../io.ts";
import { makeProgress } from "../render/progress.ts";
import { findProgram, runProgram } from "../run-program.ts";
import { makeStoreWritable } from "../writable-store.ts";
import { type Arguments, instantiate, type OpenServices, parseArguments } from "./nix-instantiate.ts";
import { commandIo } from "./nix-instantiate-entry.ts";
import { lazyServices, openBuildingStore } from "./store-services.ts";

/** What `nix-instantiate` does not know. */
interface ShellOptions {
  pure: boolean;
  /** The arguments are packages of <nixpkgs>. */
  packages: boolean;
  /** Run, then the shell ends. */
  command: string | undefined;
  /** Whether the command may talk to the user, as `--command`'s. */
  interactive: boolean;
  /** Variables that a pure shell keeps besides the usual ones. */
  readonly keep: string[];
  /** Inputs that are not built. */
  readonly exclude: RegExp[];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new FirnError("usage", `invalid regular expression '${text}'`, { cause });
  }
}

/** Takes a flag if it is one of these. */
function takeFlag(options: ShellOptions, flag: string, next: (flag: string) => string): boolean {
  switch (flag) {
    case "--pure":
      options.pure = true;
      return true;
    case "--impure":
      options.pure = false;
      return true;
    case "--packages":
    case "-p":
      options.packages = true;
      return true;
    case "--keep":
      options.keep.push(next(flag));
      return true;
    case "--exclude":
      options.exclude.push(pattern(next(flag)));
      return true;
    case "--run":
    case "--command":
      options.interactive = flag === "--command";
      options.command = next(flag);
      return true;
    default:
      return false;
  }
}

/** Completes the arguments by what a shell is made of when they do not say it. */
function complete(args: Arguments, options: ShellOptions, cwd: string): void {
  args.rootWarning = false;
  args.autoArgs.push({ name: "inNixShell", text: "true", kind: "expression" });
  if (options.packages && args.files.length > 0) {
    const inputs = args.files.map((name) => `(${name})`).join(" ");
    args.fromExpressions = true;
    args.files.splice(
      0,
      args.files.length,
      `with import <nixpkgs> { }; (pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${inputs} ]; } ""`,
    );
  }
  if (args.files.length > 0 || args.fromExpressions) return;
  const file = ["shell.nix", "default.nix"].find((name) => existsSync(join(cwd, name)));
  if (file === undefined) {
    throw new FirnError(
      "usage",
      "no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory",
    );
  }
  args.files.push(`./${file}`);
}

/** The derivation that the arguments name: by its path, or the only one that their evaluation gives. */
async function derivationOf(args: Arguments, settings: Settings, io: Io): Promise<string> {
  const [only] = args.files;
  if (args.files.length === 1 && only?.startsWith("/") === true && isDerivationPath(only)) return only;
  let printed = "";
  const out = (bytes: string): void => {
    printed += bytes;
  };
  const makeServices = (own: Settings, readOnly: boolean): OpenServices => lazyServices(own, io, readOnly);
  await instantiate(args, { settings, io: { ...commandIo(io), out }, makeServices });
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

interface ShellStart {
  readonly shell: string;
  readonly directory: string;
  readonly options: ShellOptions;
  readonly attributes: string | undefined;
  readonly timeZone: string | undefined;
}

/** What the shell reads first: the standard environment's setup, where there is one, then the prompt and the hook. */
function startFile({ shell, directory, options, attributes, timeZone }: ShellStart): string {
  const { pure, command } = options;
  const lines = [
    `_nix_shell_clean_tmpdir() { command rm -rf ${shellQuote(directory)}; }`,
    "trap _nix_shell_clean_tmpdir EXIT",
    "exitHooks+=(_nix_shell_clean_tmpdir)",
    "failureHooks+=(_nix_shell_clean_tmpdir)",
    ...(pure ? [] : ['if [ -n "$PS1" ] && [ -e ~/.bashrc ]; then source ~/.bashrc; fi', "p=$PATH"]),
    "unset PATH",
    "dontAddDisableDepTrack=1",
    ...(attributes === undefined ? [] : [`source ${shellQuote(attributes)}`]),
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
    ...(command === undefined ? [] : [command, "exit"]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The builder's variables over the user's. */
async function environmentOf(
  derivation: Derivation,
  { pure, keep }: ShellOptions,
  at: { readonly store: LocalStore; readonly settings: Settings; readonly io: Io; readonly directory: string },
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
  for (const [name, value] of variables) {
    if (!own.has(name) || derivation.env.has(name)) result[name] = textOf(value);
  }
  // With structured attributes the derivation has little more than its outputs there.
  for (const name of derivation.outputs.keys()) {
    const value = derivation.env.get(name);
    if (value !== undefined) result[name] = textOf(value);
  }
  result.IN_NIX_SHELL = pure ? "pure" : "impure";
  return result;
}

/** Runs `nix-shell`: replaces this process by the shell. */
export async function nixShell(argv: readonly string[], io: Io): Promise<number> {
  const options: ShellOptions = {
    pure: false,
    packages: false,
    command: undefined,
    interactive: true,
    keep: [],
    exclude: [],
  };
  const settings = loadSettings(io.env);
  const args = parseArguments(argv, settings, (flag, next) => takeFlag(options, flag, next));
  complete(args, options, io.cwd);
  makeStoreWritable(settings, io);
  const found = await derivationOf(args, settings, io);
  const progress = makeProgress({ io, verbosity: 0, buildLogs: true });
  const { store, builder } = await openBuildingStore(settings, io, progress.event.bind(progress));
  let start: () => never;
  try {
    await builder.build([{ kind: "opaque", path: found }]);
    const derivation = store.readDerivation(found);
    const wanted = needs(derivation, options.exclude);
    const readDerivation = (path: string): Derivation => store.readDerivation(path);
    for (const line of describePlan(await builder.missing(wanted), { all: false, readDerivation })) io.err(`${line}\n`);
    await builder.build(wanted);
    const named = io.env.NIX_BUILD_SHELL;
    const shell = named === undefined || named === "" ? findProgram("bash", io.env.PATH) : named;
    if (shell === undefined) throw new FirnError("no-shell", "the program 'bash' is needed to start a shell");
    const directory = mkdtempSync(join(realpathSync(tmpdir()), "nix-shell-"));
    const environment = await environmentOf(derivation, options, { store, settings, io, directory });
    const attributes = environment.NIX_ATTRS_SH_FILE;
    const file = join(directory, "rc");
    const text = startFile({ shell, directory, options, attributes, timeZone: io.env.TZ });
    writeFileSync(file, byteStringOf(text), "latin1");
    const interactive = options.interactive && process.stdin.isTTY === true;
    const shellArgs = interactive ? ["--rcfile", file] : [file];
    start = () => runProgram({ store, program: shell, args: shellArgs, environment });
  } finally {
    progress.finish();
    await builder.close();
    await store.close();
  }
  return start();
}
