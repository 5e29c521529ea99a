/** Finds the command that a command line names; flags may stand before its words. */
import { deprecatedNames } from "./aliases.ts";
import type { CommandEntry } from "./command.ts";
import { HelpWanted, parseLeading, type SettingFlags } from "./parse.ts";
import { commandTable } from "./table.ts";

/** The command or group that the words of a command line name. */
export interface FoundCommand {
  /** The command; undefined when the words name a group or nothing. */
  readonly entry: CommandEntry | undefined;
  /** The words that matched. */
  readonly matched: readonly string[];
  /** The remaining words: flags before, between and after the matched words, then arguments. Of no command, those after the matched ones. */
  readonly words: readonly string[];
  /** The flags before the end of the command's name. */
  readonly leading: readonly string[];
  /** True when `--help` stands before the end of the command's name. */
  readonly help: boolean;
  /** The deprecated name that was used for it. */
  readonly deprecated?: string;
  /** True when `--version` stands before the end of the command's name. */
  readonly version: boolean;
}

/**
 * Finds the command of a command line. `program` is the name by which the program was called: an old command's, or any other
 * for the new command line. Flags before the command are those that every command has. Throws `UsageError` for unknown ones.
 */
export function findCommand(program: string, words: readonly string[], settingFlags: SettingFlags): FoundCommand {
  const called = commandTable.find((entry) => entry.path.length === 1 && entry.path[0] === program);
  if (called !== undefined)
    return { entry: called, matched: [program], words, leading: [], help: false, version: false };
  const matched: string[] = [];
  const leading: string[] = [];
  let version = false;
  // After `--` no word is a flag, not even one of the command.
  let flagsEnded = false;
  let candidates = commandTable;
  let rest = words;
  for (;;) {
    if (!flagsEnded && rest[0]?.startsWith("-") === true) {
      const parsed = leadingFlags(rest, settingFlags);
      if (parsed === "help") return { entry: undefined, matched, words: rest, leading, help: true, version };
      leading.push(...parsed.flags);
      version ||= parsed.version;
      rest = parsed.rest;
      flagsEnded = rest[0] === "--";
      if (flagsEnded) rest = rest.slice(1);
    }
    const before = flagsEnded ? [...leading, "--"] : leading;
    const [word] = rest;
    const renamed = matched.length === 0 && word !== undefined ? deprecatedNames.get(word) : undefined;
    if (renamed !== undefined) {
      const found = findCommand(program, [...before, ...renamed, ...rest.slice(1)], settingFlags);
      return { ...found, deprecated: word! };
    }
    const narrowed = candidates.filter((entry) => entry.path[matched.length] === word);
    if (word === undefined || narrowed.length === 0)
      return { entry: undefined, matched, words: rest, leading, help: false, version };
    matched.push(word);
    candidates = narrowed;
    rest = rest.slice(1);
    const entry = narrowed.find(({ path }) => path.length === matched.length);
    if (entry !== undefined) return { entry, matched, words: [...before, ...rest], leading, help: false, version };
  }
}

function leadingFlags(words: readonly string[], settingFlags: SettingFlags): ReturnType<typeof parseLeading> | "help" {
  try {
    return parseLeading(words, settingFlags);
  } catch (error) {
    if (error instanceof HelpWanted) return "help";
    throw error;
  }
}
