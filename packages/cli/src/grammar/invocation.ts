/** A parsed command line, from which commands read their flags and arguments. */

import type { Script } from "./script.ts";

/** One given flag with its arguments. */
export interface GivenFlag {
  readonly name: string;
  readonly values: readonly string[];
}

/** The flags of a command line by their first long name, in the order in which they were given. */
export class ParsedFlags {
  private readonly given: GivenFlag[] = [];

  /** Adds an occurrence of a flag. */
  add(name: string, values: readonly string[]): void {
    this.given.push({ name, values });
  }

  /** Tells whether a flag was given. */
  has(name: string): boolean {
    return this.given.some((flag) => flag.name === name);
  }

  /** Returns the argument of the last occurrence of a flag with one argument. */
  value(name: string): string | undefined {
    return this.given.findLast((flag) => flag.name === name)?.values[0];
  }

  /** Returns the arguments of each occurrence, in order. */
  all(name: string): readonly (readonly string[])[] {
    return this.given.filter((flag) => flag.name === name).map((flag) => flag.values);
  }

  /** Returns the number of occurrences. */
  count(name: string): number {
    return this.all(name).length;
  }

  /** Returns the occurrences of several flags in the order of the command line, for flags whose order matters. */
  ordered(...names: readonly string[]): readonly GivenFlag[] {
    return this.given.filter((flag) => names.includes(flag.name));
  }

  /** Returns the last given one of several flags, for flags that replace each other. */
  last<Name extends string>(...names: readonly Name[]): Name | undefined {
    return this.given.findLast((flag) => (names as readonly string[]).includes(flag.name))?.name as Name | undefined;
  }
}

/** A parsed command line. */
export interface Invocation {
  /** The name by which the user called the program, for messages: `firn`, or `nix` and the old names when those are linked to it. */
  readonly program: string;
  /** The user's name of the new command line: `firn`, or `nix` when that or an old name is linked to it. */
  readonly mainProgram: string;
  /** Set for old commands. */
  readonly style?: "old";
  readonly flags: ParsedFlags;
  /** The words that are no flags, those after the first `--` among them. */
  readonly positionals: readonly string[];
  /** Settings given as flags or with `--option`, in order. */
  readonly settings: readonly (readonly [name: string, value: string, from?: "option" | undefined])[];
  /** Directory from which relative paths start, when it is not the working directory: that of the script with the words. */
  readonly directory?: string;
  /** The script whose `#!` lines hold the words of an old command. */
  readonly script?: Script;
  /** The operation of an old command that has operations, by the name of its flag. */
  readonly operation?: string;
}
