/** Commands as data for the parser, for `--help`, for completion and for the manual, with the function that runs each. */
import type { Io } from "../io.ts";
import type { Invocation } from "./invocation.ts";
import type { Script } from "./script.ts";

/** The kind of an argument, for completion. */
export type ArgumentKind =
  | "path"
  | "directory"
  | "installable"
  | "flake"
  | "flake-input"
  | "attribute-path"
  | "store"
  | "store-path"
  | "setting"
  | "setting-value"
  | "system"
  | "hash-algorithm"
  | "hash-format"
  | "log-format"
  | "profile"
  | "program"
  | "command"
  | "text";

/** A flag with a fixed number of arguments, as on the reference's command line. */
export interface Flag {
  /** Name without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Names of its arguments; their number is its arity. */
  readonly labels?: readonly string[];
  /** Kinds of the arguments; text by default. */
  readonly kinds?: readonly ArgumentKind[];
  /** True when it takes every word after it, flags and `--` included. */
  readonly takesRest?: boolean;
  readonly description: string;
  /** Other long names for the same flag. */
  readonly aliases?: readonly string[];
  /** Other short names for the same flag. */
  readonly shortAliases?: readonly string[];
  /** The setting that the flag sets: to `value`, else to its argument. */
  readonly sets?: { readonly setting: string; readonly value?: string };
}

/** A positional argument; only the last may repeat. */
export interface Positional {
  readonly label: string;
  readonly kind?: ArgumentKind;
  readonly optional?: boolean;
  readonly repeats?: boolean;
}

/** An operation of an old command, selected by a flag (`nix-store --query`). */
export interface Operation {
  /** The flag that selects it. */
  readonly flag: Flag;
  readonly flags: readonly Flag[];
  readonly positionals: readonly Positional[];
  /** The message about a flag that it lacks, where `%s` stands for the flag; `unknown flag '%s'` by default. */
  readonly wrongFlag?: string;
  /** The message about too few or too many arguments. */
  readonly wrongArguments?: string;
}

/** One command, e.g. `firn store gc` or `nix-store`. */
export interface Command {
  /** Set for old commands, which differ in their common flags and in some messages. */
  readonly style?: "old";
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** The operations, of which exactly one must be selected. */
  readonly operations?: readonly Operation[];
  /** Finds the script that the words begin with, whose `#!` lines hold the words to parse instead. */
  readScript?(words: readonly string[], cwd: string): Script | undefined;
  /** Runs the command; resolves to the exit status. */
  run(invocation: Invocation, io: Io): Promise<number>;
}

/** The entry of a command in the table: enough for listings, without loading it. */
export interface CommandEntry {
  /** The words that name it, e.g. `["store", "gc"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly category: string;
  /** A command of the new command line, one of the old (`nix-build`, …), or one that neither help nor manual lists. */
  readonly style: "new" | "old" | "internal";
  /** True when it nearly always evaluates: the evaluator's thread starts while the command is loaded. */
  readonly evaluates: boolean;
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of the help. */
export type CommandTable = readonly CommandEntry[];
