/**
 * The reference's argument grammar: flags anywhere, each with a fixed number of arguments; short flags may be bundled
 * (`-iA`); every setting is a flag (`--cores 2`, `--no-fallback`); `--` ends the flags.
 */
import { FirnError } from "@firn/formats";
import type { Command, Flag } from "./command.ts";
import { globalFlags } from "./flags.ts";

/** A parsed command line. */
export interface Invocation {
  readonly flags: ParsedFlags;
  readonly positionals: readonly string[];
  /** Everything after the first `--`. */
  readonly rest: readonly string[];
  /** Settings given as flags or with `--option`, in order. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

/** The flags that were given, each with the arguments of every occurrence. */
export class ParsedFlags {
  private readonly given = new Map<string, string[][]>();

  add(name: string, values: string[]): void {
    const list = this.given.get(name);
    if (list === undefined) this.given.set(name, [values]);
    else list.push(values);
  }

  has(name: string): boolean {
    return this.given.has(name);
  }

  /** The argument of the last occurrence of a flag with one argument. */
  value(name: string): string | undefined {
    return this.given.get(name)?.at(-1)?.[0];
  }

  /** The arguments of each occurrence, in order. */
  all(name: string): readonly (readonly string[])[] {
    return this.given.get(name) ?? [];
  }

  count(name: string): number {
    return this.given.get(name)?.length ?? 0;
  }
}

/** Tells how a setting is given as a flag: `--name`/`--no-name` for booleans, `--name VALUE` for the others. */
export type SettingKind = (name: string) => "boolean" | "value" | undefined;

/** A mistake on the command line; the renderer adds the reference's "Try … --help" line. */
export class UsageError extends FirnError {
  constructor(message: string, suggestions: readonly string[] = []) {
    super("usage", message, suggestions.length === 0 ? {} : { hint: suggestions.join(", ") });
    this.name = "UsageError";
  }
}

/** Parses the words after a command's name. Throws {@link UsageError}. */
export function parseArguments(command: Command, words: readonly string[], settingKind: SettingKind): Invocation {
  const known = [...command.flags, ...globalFlags];
  const byName = new Map<string, Flag>();
  const byShort = new Map<string, Flag>();
  for (const flag of known) {
    for (const name of [flag.name, ...(flag.aliases ?? [])]) if (!byName.has(name)) byName.set(name, flag);
    if (flag.short !== undefined && !byShort.has(flag.short)) byShort.set(flag.short, flag);
  }
  const flags = new ParsedFlags();
  const positionals: string[] = [];
  const settings: [string, string][] = [];
  let rest: string[] = [];

  let next = 0;
  const take = (shown: string, count: number): string[] => {
    const values = words.slice(next, next + count);
    if (values.length < count) {
      throw new UsageError(`flag '${shown}' requires ${count} argument(s), but only ${values.length} were given`);
    }
    next += count;
    return values;
  };
  const accept = (flag: Flag, shown: string): void => {
    const count = flag.takesRest === true ? Math.max(1, words.length - next) : (flag.labels?.length ?? 0);
    const values = take(shown, count);
    if (flag.name === "option") settings.push([values[0] ?? "", values[1] ?? ""]);
    else flags.add(flag.name, values);
  };

  while (next < words.length) {
    const word = words[next++] ?? "";
    if (word === "--") {
      rest = words.slice(next);
      break;
    }
    if (word.startsWith("--")) {
      const name = word.slice(2);
      const flag = byName.get(name);
      if (flag !== undefined) accept(flag, word);
      else if (!acceptSetting(name, settingKind, settings, () => take(word, 1)[0] ?? "")) {
        throw new UsageError(`unrecognised flag '${word}'`);
      }
    } else if (word.startsWith("-") && word !== "-") {
      for (const letter of word.slice(1)) {
        const flag = byShort.get(letter);
        if (flag === undefined) throw new UsageError(`unrecognised flag '${word.length > 2 ? `-${letter}` : word}'`);
        accept(flag, `-${letter}`);
      }
    } else {
      positionals.push(word);
    }
  }
  if (!flags.has("help")) checkPositionals(command, positionals, rest);
  return { flags, positionals, rest, settings };
}

function acceptSetting(
  name: string,
  settingKind: SettingKind,
  settings: [string, string][],
  takeValue: () => string,
): boolean {
  const kind = settingKind(name);
  if (kind === "boolean") {
    settings.push([name, "true"]);
    return true;
  }
  if (kind === "value") {
    settings.push([name, takeValue()]);
    return true;
  }
  if (name.startsWith("no-") && settingKind(name.slice(3)) === "boolean") {
    settings.push([name.slice(3), "false"]);
    return true;
  }
  if (name.startsWith("extra-") && settingKind(name.slice(6)) === "value") {
    settings.push([name, takeValue()]);
    return true;
  }
  return false;
}

function checkPositionals(command: Command, given: readonly string[], rest: readonly string[]): void {
  const required = command.positionals.filter((positional) => positional.optional !== true).length;
  const repeats = command.positionals.some((positional) => positional.repeats === true);
  const total = given.length + rest.length;
  if (total < required) throw new UsageError("more arguments are required");
  if (!repeats && given.length > command.positionals.length) {
    throw new UsageError(`unexpected argument '${given[command.positionals.length]}'`);
  }
}
