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
  const found = await completionsOf(argv.slice(1, at), argv[at] ?? "", io);
  const lines = [...new Map(found.values)].sort(([a], [b]) => (a < b ? -1 : 1));
  io.out(`${found.type}\n${lines.map(([value, description]) => `${value}\t${shortened(description)}\n`).join("")}`);
  return 0;
}

async function completionsOf(words: readonly string[], prefix: string, io: Io): Promise<Completions> {
  try {
    const { entry, matched, words: rest } = findCommand("firn", words, await settingFlagsFor(words));
    if (entry !== undefined) return await inCommand(await entry.load(), { rest, prefix, io });
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

/** Returns the completions of a word among the arguments of a command. */
function inCommand(
  command: Command,
  at: { readonly rest: readonly string[]; readonly prefix: string; readonly io: Io },
): Completions | Promise<Completions> {
  const { rest, prefix, io } = at;
  const flags = [...command.flags, ...commonFlags(command.style)];
  const positionals: string[] = [];
  const known: string[] = [];
  let open: { readonly flag: Flag; taken: number } | undefined;
  for (const word of rest) {
    const flag =
      open === undefined && word.startsWith("-") ? flags.find((candidate) => isNamed(candidate, word)) : undefined;
    if (open === undefined && flag === undefined && !word.startsWith("-")) positionals.push(word);
    if (open === undefined) {
      if (flag?.labels !== undefined && flag.labels.length > 0) open = { flag, taken: 0 };
    } else if (++open.taken === (open.flag.labels ?? []).length) open = undefined;
    known.push(word);
  }
  if (open !== undefined) {
    const kind: ArgumentKind = open.flag.kinds?.[open.taken] ?? "text";
    const complete = known.slice(0, known.length - 1 - open.taken);
    return completeValue({ kind, prefix, command, words: complete, positionals, io });
  }
  if (prefix.startsWith("-")) return flagNames(flags, prefix);
  const last = command.positionals.at(-1);
  const positional = command.positionals[positionals.length] ?? (last?.repeats === true ? last : undefined);
  const kind = positional?.kind ?? "text";
  return completeValue({ kind, prefix, command, words: known, positionals, io });
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
