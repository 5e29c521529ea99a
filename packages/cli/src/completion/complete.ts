/**
 * Completes a word of a command line for shells: the variable `NIX_GET_COMPLETIONS` holds its index, and the answer is the kind of the
 * values (`normal`, `filenames` or `attrs`) and a line for each, with a tab and a description.
 */
import { FirnError } from "@firn/formats";
import type { ArgumentKind, Command, Flag } from "../grammar/command.ts";
import { findCommand } from "../grammar/find-command.ts";
import { commonFlags } from "../grammar/flags.ts";
import { settingFlagsFor } from "../grammar/setting-flags.ts";
import { commandTable } from "../grammar/table.ts";
import type { Io } from "../io.ts";
import { type Completions, completeValue } from "./values.ts";

/** Writes the completions of the word of `argv` that an index names, `argv[0]` being the program; resolves to the exit status. */
export async function complete(argv: readonly string[], index: string, io: Io): Promise<number> {
  const at = /^\d{1,6}$/.test(index) ? Number(index) : argv.length;
  const found = await completionsOf(argv.slice(1, at), { prefix: argv[at] ?? "", after: argv.slice(at + 1), io });
  const lines = [...new Map(found.values)].sort(([a], [b]) => (a < b ? -1 : 1));
  io.out(`${found.type}\n${lines.map(([value, description]) => `${value}\t${shortened(description)}\n`).join("")}`);
  return 0;
}

/** The word to complete, and the words after it. */
interface Cursor {
  readonly prefix: string;
  readonly after: readonly string[];
  readonly io: Io;
}

async function completionsOf(words: readonly string[], cursor: Cursor): Promise<Completions> {
  const { prefix, io } = cursor;
  try {
    const { entry, matched, words: rest } = findCommand("firn", words, await settingFlagsFor(words));
    if (entry !== undefined) return await inCommand(await entry.load(), { rest, ...cursor });
    if (prefix.startsWith("-")) return flagNames(commonFlags(undefined), prefix);
    const names = commandTable
      .filter(({ style, path }) => style === "new" && matched.every((word, i) => path[i] === word))
      .map(({ path }) => path[matched.length] ?? "")
      .filter((name) => name !== "" && name.startsWith(prefix));
    return { type: "normal", values: names.map((name) => [name, ""]) };
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    io.err(`error: ${error.message}\n`);
    return { type: "normal", values: [] };
  }
}

/** A flag whose arguments are being read, and the number of those that were. */
interface OpenFlag {
  readonly flag: Flag;
  readonly taken: number;
}

/** Reads words among flags; adds the others to `positionals` and returns the flag that still lacks arguments. */
function readWords(
  words: readonly string[],
  flags: readonly Flag[],
  { open, positionals }: { readonly open: OpenFlag | undefined; readonly positionals: string[] },
): OpenFlag | undefined {
  let current = open;
  for (const word of words) {
    if (current !== undefined) {
      current = argumentRead(current);
      continue;
    }
    const flag = word.startsWith("-") ? flags.find((candidate) => isNamed(candidate, word)) : undefined;
    if (flag === undefined && !word.startsWith("-")) positionals.push(word);
    if ((flag?.labels ?? []).length > 0) current = { flag: flag!, taken: 0 };
  }
  return current;
}

/** Returns a flag after one more of its arguments; undefined when that was the last. */
function argumentRead({ flag, taken }: OpenFlag): OpenFlag | undefined {
  return taken + 1 === (flag.labels ?? []).length ? undefined : { flag, taken: taken + 1 };
}

/** Returns the completions of a word among the arguments of a command. */
function inCommand(
  command: Command,
  { rest, prefix, after, io }: Cursor & { readonly rest: readonly string[] },
): Completions | Promise<Completions> {
  const flags = [...command.flags, ...commonFlags(command.style)];
  const positionals: string[] = [];
  const open = readWords(rest, flags, { open: undefined, positionals });
  if (open !== undefined) {
    const kind: ArgumentKind = open.flag.kinds?.[open.taken] ?? "text";
    // The flag itself is left out: it lacks arguments. What stands behind it may name the flake that it is about.
    const before = rest.slice(0, rest.length - 1 - open.taken);
    const next = argumentRead(open);
    const behind = after.slice(next === undefined ? 0 : (next.flag.labels ?? []).length - next.taken);
    const lacking = readWords(behind, flags, { open: undefined, positionals });
    const words = [...before, ...(lacking === undefined ? behind : behind.slice(0, -1 - lacking.taken))];
    return completeValue({ kind, prefix, command, words, positionals, io });
  }
  if (prefix.startsWith("-")) return flagNames(flags, prefix);
  const last = command.positionals.at(-1);
  const wanted = positionals.length;
  const lacking = readWords(after, flags, { open: undefined, positionals });
  const words = [...rest, ...(lacking === undefined ? after : after.slice(0, -1 - lacking.taken))];
  const positional = command.positionals[wanted] ?? (last?.repeats === true ? last : undefined);
  const kind = positional?.kind ?? "text";
  return completeValue({ kind, prefix, command, words, positionals, io });
}

function isNamed({ name, short, aliases = [], shortAliases = [] }: Flag, word: string): boolean {
  return (
    [name, ...aliases].some((long) => word === `--${long}`) ||
    [short, ...shortAliases].some((one) => word === `-${one}`)
  );
}

/** Returns the flags that begin with a prefix: short ones too when that is a single dash. */
function flagNames(flags: readonly Flag[], prefix: string): Completions {
  const values: [string, string][] = prefix === "-" ? [["--", ""]] : [];
  for (const { name, short, description } of flags) {
    if (prefix !== "-" && `--${name}`.startsWith(prefix)) values.push([`--${name}`, description]);
    if (prefix === "-" && short !== undefined) values.push([`-${short}`, description]);
  }
  return { type: "normal", values };
}

/** Returns the first sentence of a description. */
function shortened(description: string): string {
  const text = description.trim();
  const end = text.search(/[.\n]/);
  if (end < 0) return text;
  return text.slice(0, end) + (end + 1 === text.length ? "" : " [...]");
}
