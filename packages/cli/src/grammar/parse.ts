/**
 * The reference's argument grammar: flags anywhere, each with a fixed number of arguments; short flags may be bundled and
 * have their argument attached (`-vvL`, `-j4`); every setting is a flag (`--cores 2`, `--no-fallback`); `--` ends the flags.
 */
import { nearNames } from "@firn/formats/base";
import type { Command, Flag, Operation, Positional } from "./command.ts";
import { commonFlags, isSharedFlag } from "./flags.ts";
import { type Invocation, ParsedFlags } from "./invocation.ts";
import { UsageError } from "./usage-error.ts";

/** A setting for the parser: booleans are `--name` and `--no-name`, others take a value, and some can be appended to. */
export interface SettingFlag {
  readonly boolean: boolean;
  /** True when `--extra-name` appends to it. */
  readonly appendable: boolean;
  /** True when `--relaxed-name` sets it to `relaxed`. */
  readonly relaxable: boolean;
}

/** The settings that flags can name. */
export interface SettingFlags {
  /** Returns the setting of this name; undefined when there is none. */
  find(name: string): SettingFlag | undefined;
  /** Returns all names, for suggestions. */
  names(): readonly string[];
}

/** Flags by their names. */
class FlagSet {
  readonly #byName = new Map<string, Flag>();
  readonly #byShort = new Map<string, Flag>();

  /** Takes the flags; of two with the same name the first counts. */
  constructor(flags: readonly Flag[]) {
    for (const flag of flags) {
      for (const name of [flag.name, ...(flag.aliases ?? [])]) {
        if (!this.#byName.has(name)) this.#byName.set(name, flag);
      }
      for (const short of [flag.short, ...(flag.shortAliases ?? [])]) {
        if (short !== undefined && !this.#byShort.has(short)) this.#byShort.set(short, flag);
      }
    }
  }

  /** Returns the flag that a word names. */
  find(word: string): Flag | undefined {
    return word.startsWith("--") ? this.#byName.get(word.slice(2)) : this.#byShort.get(word.slice(1));
  }

  longNames(): string[] {
    return [...this.#byName.keys()];
  }
}

/** Splits `-vL` into `-v -L`, and `-j4` into `-j 4`: letters are flags, and the text after the last letter is its argument. */
function unbundled(word: string): string[] {
  if (!/^-[a-zA-Z]./s.test(word)) return [word];
  const letters = /^-([a-zA-Z]+)/.exec(word)![1]!;
  const flags = [...letters].map((letter) => `-${letter}`);
  const attached = word.slice(1 + letters.length);
  return attached === "" ? flags : [...flags, attached];
}

/** Thrown at `--help`, after which the rest of the command line does not matter. */
export class HelpWanted extends Error {}

/** Options of a reader beside its flags; `old` for an old command, whose messages are other ones. */
interface ReaderOptions {
  readonly settingFlags: SettingFlags;
  readonly old: boolean;
}

/** Reads words as flags and arguments, one after the other. */
class Reader {
  readonly flags = new ParsedFlags();
  readonly settings: [string, string, ("option" | undefined)?][] = [];
  readonly #words: string[];
  readonly #known: FlagSet;
  readonly #settingFlags: SettingFlags;
  readonly #old: boolean;

  constructor(words: readonly string[], known: readonly Flag[], { settingFlags, old }: ReaderOptions) {
    this.#words = [...words];
    this.#known = new FlagSet(known);
    this.#settingFlags = settingFlags;
    this.#old = old;
  }

  /** The words that are not read yet. */
  get rest(): readonly string[] {
    return this.#words;
  }

  /** Returns the next word, with bundles of short flags split; undefined at the end. */
  next(): string | undefined {
    const word = this.#words.shift();
    if (word === undefined) return undefined;
    const [first, ...others] = unbundled(word);
    this.#words.unshift(...others);
    return first;
  }

  /** Reads a word and its arguments when it is a known flag; returns true then. */
  accept(word: string): boolean {
    const flag = this.#known.find(word);
    if (flag === undefined) return word.startsWith("--") && this.#acceptSetting(word);
    if (flag.name === "help") throw new HelpWanted();
    if (flag.takesRest === true && this.#words.length === 0)
      throw new UsageError(`--${flag.name} requires at least one argument`);
    const count = flag.takesRest === true ? Math.max(1, this.#words.length) : (flag.labels?.length ?? 0);
    const values = this.#take(word, count, isSharedFlag(flag));
    if (flag.sets !== undefined) this.settings.push([flag.sets.setting, flag.sets.value ?? values[0] ?? ""]);
    else if (flag.name === "option") this.settings.push([values[0] ?? "", values[1] ?? "", "option"]);
    else this.flags.add(flag.name, values);
    return true;
  }

  #take(word: string, count: number, shared = true): string[] {
    const values = this.#words.splice(0, count);
    if (values.length === count) return values;
    if (this.#old && !shared && count === 1) throw new UsageError(`'${word}' requires an argument`);
    throw new UsageError(`flag '${word}' requires ${count} argument(s), but only ${values.length} were given`);
  }

  #acceptSetting(word: string): boolean {
    const name = word.slice(2);
    const own = this.#settingFlags.find(name);
    if (own !== undefined) {
      this.settings.push([name, own.boolean ? "true" : this.#take(word, 1)[0]!]);
      return true;
    }
    if (name.startsWith("no-") && this.#settingFlags.find(name.slice("no-".length))?.boolean === true) {
      this.settings.push([name.slice("no-".length), "false"]);
      return true;
    }
    if (name.startsWith("relaxed-") && this.#settingFlags.find(name.slice("relaxed-".length))?.relaxable === true) {
      this.settings.push([name.slice("relaxed-".length), "relaxed"]);
      return true;
    }
    if (name.startsWith("extra-") && this.#settingFlags.find(name.slice("extra-".length))?.appendable === true) {
      this.settings.push([name, this.#take(word, 1)[0]!]);
      return true;
    }
    return false;
  }

  /** Makes the error for an unknown flag. */
  unrecognised(word: string): UsageError {
    const near = word.startsWith("--")
      ? nearNames(word.slice(2), [...this.#known.longNames(), ...this.#settingFlags.names()])
      : [];
    return new UsageError(
      `unrecognised flag '${word}'`,
      near.map((name) => `--${name}`),
    );
  }
}

/** Parses the flags before a command's name, which every command has; returns them and the words from the first other one or `--`. */
export function parseLeading(
  words: readonly string[],
  settingFlags: SettingFlags,
): { readonly flags: readonly string[]; readonly version: boolean; readonly rest: readonly string[] } {
  const reader = new Reader(words, commonFlags(undefined), { settingFlags, old: false });
  while (reader.rest[0]?.startsWith("-") === true && reader.rest[0] !== "--") {
    const word = reader.next()!;
    if (!reader.accept(word)) throw reader.unrecognised(word);
  }
  const flags = words.slice(0, words.length - reader.rest.length);
  return { flags, version: reader.flags.has("version"), rest: reader.rest };
}

/** Tells whether the words may contain `--help`, before the flags of the command are known. */
export function mayWantHelp(words: readonly string[]): boolean {
  return words.includes("--help");
}

/** Tells whether words name what is built already, a path or a generation, in the place of something to evaluate. */
export function mayNameBuilt(words: readonly string[]): boolean {
  return words.includes("--store-path") || words.includes("--rollback");
}

/** A command line to parse. */
export interface CommandLine {
  /** The name by which the user called the program. */
  readonly program: string;
  /** The name of the new command line for that user. */
  readonly mainProgram: string;
  /** The words beside the command's name. */
  readonly words: readonly string[];
  readonly settingFlags: SettingFlags;
}

/** Parses the words of a command. Throws {@link UsageError}, or {@link HelpWanted} at `--help`. */
export function parseArguments(command: Command, line: CommandLine): Invocation {
  return command.operations === undefined
    ? parsePlain(command, line)
    : parseOperation(command, command.operations, line);
}

function styleOf({ style }: Command): Pick<Invocation, "style"> {
  return style === undefined ? {} : { style };
}

function parsePlain(command: Command, { program, mainProgram, words, settingFlags }: CommandLine): Invocation {
  const reader = new Reader(words, [...command.flags, ...commonFlags(command.style)], {
    settingFlags,
    old: command.style === "old",
  });
  const positionals: string[] = [];
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === "--") {
      const wrong = command.style === "old" ? reader.rest.find((one) => one.startsWith("-") && one !== "-") : undefined;
      if (wrong !== undefined) throw new UsageError(`unexpected argument '${wrong}'`);
      positionals.push(...reader.rest);
      break;
    }
    const flagLike = word.startsWith("-") && (word !== "-" || command.style !== "old");
    if (!flagLike) positionals.push(word);
    else if (!reader.accept(word)) throw reader.unrecognised(word);
  }
  const { flags, settings } = reader;
  if (!flags.has("version")) checkPositionals(command.positionals, positionals);
  return { ...styleOf(command), program, mainProgram, flags, positionals, settings };
}

/**
 * Parses the arguments of a command with operations: an operation's flags are known only when the operation is, which may
 * come after them.
 */
function parseOperation(
  command: Command,
  operations: readonly Operation[],
  { program, mainProgram, words, settingFlags }: CommandLine,
): Invocation {
  const everywhere = [...command.flags, ...commonFlags(command.style)];
  const choices = operations.map(({ flag }) => flag);
  const scout = new Reader(words, [...choices, ...everywhere, ...operations.flatMap(({ flags }) => flags)], {
    settingFlags,
    old: true,
  });
  for (let word = scout.next(); word !== undefined && word !== "--"; word = scout.next()) scout.accept(word);
  const chosen = operations.filter(({ flag }) => scout.flags.has(flag.name));
  const [operation] = chosen;
  if (operation === undefined) {
    if (scout.flags.has("version"))
      return { ...styleOf(command), program, mainProgram, flags: scout.flags, positionals: [], settings: [] };
    throw new UsageError("no operation specified");
  }
  if (chosen.length > 1) throw new UsageError("only one operation may be specified");
  const reader = new Reader(words, [operation.flag, ...operation.flags, ...everywhere], { settingFlags, old: true });
  const positionals: string[] = [];
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === "--") {
      positionals.push(...reader.rest);
      break;
    }
    if (!word.startsWith("-") || word === "-") positionals.push(word);
    else if (!reader.accept(word))
      throw new UsageError((operation.wrongFlag ?? "unknown flag '%s'").replace("%s", word));
  }
  if (operation.wrongArguments !== undefined && !fits(operation.positionals, positionals.length)) {
    throw new UsageError(operation.wrongArguments);
  }
  checkPositionals(operation.positionals, positionals);
  return {
    program,
    mainProgram,
    ...styleOf(command),
    flags: reader.flags,
    positionals,
    settings: reader.settings,
    operation: operation.flag.name,
  };
}

function fits(known: readonly Positional[], count: number): boolean {
  const required = known.filter((positional) => positional.optional !== true).length;
  return count >= required && (count <= known.length || known.some(({ repeats }) => repeats === true));
}

function checkPositionals(known: readonly Positional[], given: readonly string[]): void {
  const required = known.filter((positional) => positional.optional !== true).length;
  const repeats = known.some((positional) => positional.repeats === true);
  if (given.length < required) throw new UsageError("more arguments are required");
  if (!repeats && given.length > known.length) throw new UsageError(`unexpected argument '${given[known.length]}'`);
}
