/** What a command is: data for the parser, for `--help` and for completion, and the function that runs it. */
import type { Io } from "../io.ts";
import type { Invocation } from "./parse.ts";

/** A flag with a fixed number of arguments, as the reference's command line has them. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Names of its arguments; their number is its arity. */
  readonly labels?: readonly string[];
  /** Takes every word after it, flags and `--` included. */
  readonly takesRest?: boolean;
  readonly description: string;
  /** Other long names for the same flag. */
  readonly aliases?: readonly string[];
}

/** A positional argument; only the last may repeat. */
export interface Positional {
  readonly label: string;
  readonly optional?: boolean;
  readonly repeats?: boolean;
}

/** One command, e.g. `firn store gc`. */
export interface Command {
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** Runs it; resolves to the exit status. */
  run(invocation: Invocation, io: Io): Promise<number>;
}

/** Where a command stands in the table: enough for listings, without loading it. */
export interface CommandEntry {
  /** The words that name it, e.g. `["store", "gc"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly category: string;
  readonly load: () => Promise<Command>;
}
