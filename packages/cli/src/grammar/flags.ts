/** Groups of flags that several commands share, spelled as in the reference. */
import type { Command, Flag } from "./command.ts";

/** Flags of every command, old and new. */
const everywhereFlags: readonly Flag[] = [
  { name: "help", description: "Show usage information." },
  { name: "version", description: "Show version information." },
  { name: "verbose", short: "v", description: "Increase the logging verbosity level." },
  { name: "quiet", description: "Decrease the logging verbosity level." },
  { name: "debug", description: "Set the logging verbosity level to 'debug'." },
  {
    name: "log-format",
    labels: ["format"],
    kinds: ["log-format"],
    description: "Set the format of log output; raw, internal-json, bar or bar-with-logs.",
  },
  {
    name: "option",
    labels: ["name", "value"],
    kinds: ["setting", "setting-value"],
    description: "Set the Nix configuration setting name to value (overriding nix.conf).",
  },
  {
    name: "max-jobs",
    short: "j",
    labels: ["jobs"],
    sets: { setting: "max-jobs" },
    description: "The maximum number of parallel builds.",
  },
  {
    name: "keep-failed",
    short: "K",
    sets: { setting: "keep-failed", value: "true" },
    description: "Keep the build directories of failed builds.",
  },
  {
    name: "keep-going",
    short: "k",
    sets: { setting: "keep-going", value: "true" },
    description: "Keep going with other derivations when a build fails.",
  },
  {
    name: "store",
    labels: ["store-url"],
    kinds: ["store"],
    sets: { setting: "store" },
    description: "Which store to use: a path, 'local', 'daemon', 'auto' or a store URL.",
  },
  {
    name: "show-trace",
    sets: { setting: "show-trace", value: "true" },
    description: "Show the full trace of an evaluation error.",
  },
];

/** Flags of every command of the new command line. */
export const globalFlags: readonly Flag[] = [
  ...everywhereFlags,
  { name: "print-build-logs", short: "L", description: "Print full build logs on standard error." },
  {
    name: "offline",
    aliases: ["no-net"],
    description: "Disable substituters and consider all previously downloaded files up-to-date.",
  },
  { name: "refresh", description: "Consider all previously downloaded files out-of-date." },
];

/** Flags of every old command. */
export const oldGlobalFlags: readonly Flag[] = [
  ...everywhereFlags,
  { name: "no-build-output", short: "Q", description: "Do not show the output of builders." },
  { name: "readonly-mode", description: "Do not write to the store while evaluating." },
  { name: "no-gc-warning", description: "Do not warn about results that the garbage collector may remove." },
];

/** Returns the flags that commands of a style have in common. */
export function commonFlags(style: Command["style"]): readonly Flag[] {
  return style === "old" ? oldGlobalFlags : globalFlags;
}

/** Flags of commands that evaluate. */
export const evaluationFlags: readonly Flag[] = [
  { name: "arg", labels: ["name", "expr"], description: "Pass the value expr as the argument name to Nix functions." },
  {
    name: "argstr",
    labels: ["name", "string"],
    description: "Pass the string string as the argument name to Nix functions.",
  },
  {
    name: "arg-from-file",
    labels: ["name", "path"],
    kinds: ["text", "path"],
    description: "Pass the contents of file path as the argument name to Nix functions.",
  },
  {
    name: "arg-from-stdin",
    labels: ["name"],
    description: "Pass the contents of stdin as the argument name to Nix functions.",
  },
  {
    name: "include",
    short: "I",
    labels: ["path"],
    kinds: ["path"],
    description: "Add path to search path entries used to resolve lookup paths.",
  },
  { name: "impure", description: "Allow access to mutable paths and repositories." },
  { name: "debugger", description: "Start an interactive environment if evaluation fails." },
  {
    name: "eval-store",
    labels: ["store-url"],
    kinds: ["store"],
    description: "The URL of the store to use for evaluation.",
  },
  { name: "explain-cache", description: "Tell why something is evaluated instead of taken from the last time." },
  {
    name: "override-flake",
    labels: ["original-ref", "resolved-ref"],
    kinds: ["flake", "flake"],
    description: "Override the flake registries, redirecting original-ref to resolved-ref.",
  },
];

/** Flags of commands that lock a flake. */
export const flakeFlags: readonly Flag[] = [
  { name: "recreate-lock-file", description: "Recreate the flake's lock file from scratch." },
  { name: "no-update-lock-file", description: "Do not allow any updates to the flake's lock file." },
  { name: "no-write-lock-file", description: "Do not write the flake's newly generated lock file." },
  { name: "no-registries", description: "Don't allow lookups in the flake registries." },
  { name: "commit-lock-file", description: "Commit changes to the flake's lock file." },
  {
    name: "update-input",
    labels: ["input-path"],
    kinds: ["flake-input"],
    description: "Update a specific flake input (ignoring its previous entry in the lock file).",
  },
  {
    name: "override-input",
    labels: ["input-path", "flake-url"],
    kinds: ["flake-input", "flake"],
    description: "Override a specific flake input (e.g. dwarffs/nixpkgs).",
  },
  {
    name: "reference-lock-file",
    labels: ["flake-lock-path"],
    kinds: ["path"],
    description: "Read the given lock file instead of flake.lock within the top-level flake.",
  },
  {
    name: "output-lock-file",
    labels: ["flake-lock-path"],
    kinds: ["path"],
    description: "Write the given lock file instead of flake.lock within the top-level flake.",
  },
  {
    name: "inputs-from",
    labels: ["flake-url"],
    kinds: ["flake"],
    description: "Use the inputs of the specified flake as registry entries.",
  },
];

/** Flags for the meaning of installables on the command line. */
export const installableFlags: readonly Flag[] = [
  ...evaluationFlags,
  ...flakeFlags,
  {
    name: "file",
    short: "f",
    labels: ["file"],
    kinds: ["path"],
    description: "Interpret installables as attribute paths relative to the Nix expression stored in file.",
  },
  {
    name: "expr",
    labels: ["expr"],
    description: "Interpret installables as attribute paths relative to the Nix expression expr.",
  },
];

/** The flag of commands that accept installables on standard input. */
export const stdinFlag: Flag = { name: "stdin", description: "Read installables from the standard input." };
/** `--json` with the reference's companions. */
export const jsonFlags: readonly Flag[] = [
  { name: "json", description: "Produce output in JSON format, suitable for consumption by another program." },
  { name: "pretty", description: "Print multi-line, indented JSON output for readability." },
  { name: "no-pretty", description: "Print compact JSON output on a single line." },
];
/** Flags that change the environment of a program that is run. */
export const environmentFlags: readonly Flag[] = [
  {
    name: "ignore-env",
    short: "i",
    aliases: ["ignore-environment"],
    description: "Clear the entire environment, except for those specified with --keep-env-var.",
  },
  {
    name: "keep-env-var",
    short: "k",
    aliases: ["keep"],
    labels: ["name"],
    description: "Keep the environment variable name, when using --ignore-env.",
  },
  {
    name: "set-env-var",
    short: "s",
    labels: ["name", "value"],
    description: "Sets an environment variable name with value.",
  },
  {
    name: "unset-env-var",
    short: "u",
    aliases: ["unset"],
    labels: ["name"],
    description: "Unset the environment variable name.",
  },
];

const sharedFlags: ReadonlySet<Flag> = new Set([...globalFlags, ...oldGlobalFlags, ...evaluationFlags]);

/** Tells whether several commands have a flag in common; the reference words a missing argument of those differently. */
export function isSharedFlag(flag: Flag): boolean {
  return sharedFlags.has(flag);
}
