/** What a command is: data for the parser, for `--help`, for completion and for the manual, and the function that runs it. */
import type { Io } from "../io.ts";
import type { Invocation } from "./invocation.ts";

/** What an argument names, for completion. */
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

/** A flag with a fixed number of arguments, as the reference's command line has them. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Names of its arguments; their number is its arity. */
  readonly labels?: readonly string[];
  /** What the arguments name; text where it does not say. */
  readonly kinds?: readonly ArgumentKind[];
  /** Takes every word after it, flags and `--` included. */
  readonly takesRest?: boolean;
  readonly description: string;
  /** Other long names for the same flag. */
  readonly aliases?: readonly string[];
  /** Other short names for the same flag. */
  readonly shortAliases?: readonly string[];
  /** The flag sets this setting: to `value`, else to its argument. */
  readonly sets?: { readonly setting: string; readonly value?: string };
}

/** A positional argument; only the last may repeat. */
export interface Positional {
  readonly label: string;
  readonly kind?: ArgumentKind;
  readonly optional?: boolean;
  readonly repeats?: boolean;
}

/** What an old command can do, chosen by a flag (`nix-store --query`). */
export interface Operation {
  /** The flag that chooses it. */
  readonly flag: Flag;
  readonly flags: readonly Flag[];
  readonly positionals: readonly Positional[];
}

/** One command, e.g. `firn store gc` or `nix-store`. */
export interface Command {
  /** Old commands differ in their common flags and in some messages. */
  readonly style?: "old";
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** Exactly one of these must be chosen. */
  readonly operations?: readonly Operation[];
  /** Runs it; resolves to the exit status. */
  run(invocation: Invocation, io: Io): Promise<number>;
}

/** Where a command stands in the table: enough for listings, without loading it. */
export interface CommandEntry {
  /** The words that name it, e.g. `["store", "gc"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly category: string;
  /** A command of the new command line, one of the old (`nix-build`, …), or one that neither help nor manual lists. */
  readonly style: "new" | "old" | "internal";
  /** It nearly always evaluates: the evaluator's thread starts while the command is loaded. */
  readonly evaluates: boolean;
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of the help. */
export type CommandTable = readonly CommandEntry[];
