/** Help: listings of command groups and the page of one command, from the same data that the parser uses. */

import { byteStringOf, nearNames } from "@firn/formats/base";
import { readFileSync } from "@firn/store/files";
import type { Command, CommandEntry, CommandTable, Flag, Positional } from "./command.ts";
import { commonFlags, globalFlags } from "./flags.ts";
import { UsageError } from "./usage-error.ts";

/** Words of a command line that name a group or nothing. */
export interface Group {
  readonly program: string;
  /** The words that name a group. */
  readonly matched: readonly string[];
  /** The words after them. */
  readonly words: readonly string[];
}

/** Throws the reference's error for words that name no command: a group without one of its commands, or an unknown word. */
export function refuseGroup(table: CommandTable, at: Group): never {
  const { program, matched, words } = at;
  // Nothing follows the words of a whole command.
  const names = [
    ...new Set(inGroup(table, matched).flatMap((entry) => entry.path.slice(matched.length, matched.length + 1))),
  ];
  const [wrong] = words;
  if (wrong !== undefined) {
    throw new UsageError(`'${wrong}' is not a recognised command`, wrong === "" ? [] : nearNames(wrong, names));
  }
  if (matched.length === 0) throw new UsageError("no subcommand specified");
  const list = names.sort().map((name) => `  ${byteStringOf("·")} ${name}`);
  throw new UsageError(
    `${program} ${matched.join(" ")} requires a sub-command. Available sub-commands:\n\n${list.join("\n")}`,
  );
}

function inGroup(table: CommandTable, matched: readonly string[]): CommandEntry[] {
  return table.filter((entry) => entry.style !== "internal" && matched.every((word, i) => entry.path[i] === word));
}

/** Returns the help for the words of a command, of a group, or for none. Throws {@link UsageError} for words that name neither. */
export async function helpText(table: CommandTable, program: string, words: readonly string[]): Promise<string> {
  const entries = inGroup(table, words);
  const entry = entries.find(({ path }) => path.length === words.length);
  if (entry !== undefined) return commandHelp(program, entry, await entry.load());
  if (entries.length === 0) refuseGroup(table, { program, matched: words.slice(0, -1), words: words.slice(-1) });
  return groupHelp(program, words, entries);
}

/** Groups of commands by their word. */
const groups: Readonly<Record<string, string>> = {
  cache: "look at what evaluations keep",
  config: "manipulate the Nix configuration",
  deb: "lock and find packages of Debian",
  derivation: "work with derivations, Nix's notion of a build plan",
  env: "manipulate the process environment",
  flake: "manage Nix flakes",
  formatter: "build or run the formatter",
  hash: "compute and convert cryptographic hashes",
  key: "generate and convert Nix signing keys",
  nar: "create or inspect NAR files",
  os: "build, switch and keep systems",
  profile: "manage Nix profiles",
  realisation: "manipulate a Nix realisation",
  registry: "manage the flake registry",
  store: "manipulate a Nix store",
};

function groupHelp(program: string, matched: readonly string[], entries: readonly CommandEntry[]): string {
  const name = [program, ...matched].join(" ");
  const lines = [`Usage: ${name} COMMAND [OPTION...] [ARGUMENT...]`, ""];
  const [group = ""] = matched;
  if (groups[group] !== undefined) lines.push(`${name} - ${groups[group]}`, "");
  if (matched.length === 0) lines.push("Firn is the Nix package manager and system in TypeScript.", "");
  const width = Math.max(...entries.map((entry) => entry.path.join(" ").length));
  for (const category of new Set(entries.map((entry) => entry.category))) {
    lines.push(`${category}:`);
    for (const entry of entries) {
      if (entry.category === category) lines.push(`  ${entry.path.join(" ").padEnd(width)}  ${entry.description}`);
    }
    lines.push("");
  }
  lines.push("Options of every command:", ...flagLines(globalFlags), "");
  lines.push(`'${name} COMMAND --help' shows the page of a command. The old commands (nix-build, nix-store, …) are`);
  lines.push(`called as '${program} nix-build …'.`, "");
  return lines.join("\n");
}

/** Returns the name by which a command is called: an old one's own, else the words after the program's. */
export function callName(program: string, entry: CommandEntry): string {
  return entry.style === "old" ? entry.path[0]! : [program, ...entry.path].join(" ");
}

/** Returns positional arguments as in a usage line, each with a space before it. */
export function positionalText(positionals: readonly Positional[]): string {
  return positionals
    .map((positional) => {
      const label = positional.repeats === true ? `${positional.label}...` : positional.label;
      return ` ${positional.optional === true ? `[${label}]` : label}`;
    })
    .join("");
}

/** Returns the page of one command: usage, its Markdown page, its flags. */
async function commandHelp(program: string, entry: CommandEntry, command: Command): Promise<string> {
  const name = callName(program, entry);
  const usages = command.operations?.map(
    ({ flag, positionals }) => `${name} --${flag.name} [OPTION...]${positionalText(positionals)}`,
  ) ?? [`${name} [OPTION...]${positionalText(command.positionals)}`];
  const lines = [
    ...usages.map((usage, i) => `${i === 0 ? "Usage:" : "      "} ${usage}`),
    "",
    `${name} - ${entry.description}`,
    "",
  ];
  const page = await commandPage(entry);
  if (page !== "") lines.push(page);
  for (const { flag, flags } of command.operations ?? []) {
    lines.push(`--${flag.name}: ${flag.description}`, ...(flags.length === 0 ? [] : flagLines(flags)), "");
  }
  if (command.flags.length > 0) lines.push("Options:", ...flagLines(command.flags), "");
  lines.push("Options of every command:", ...flagLines(commonFlags(command.style)), "");
  return lines.join("\n");
}

/** Returns the Markdown page of a command, without its title. */
export async function commandPage(entry: CommandEntry): Promise<string> {
  const folder = entry.style === "old" ? "legacy" : "commands";
  const file = new URL(`../${folder}/${entry.path.join("-")}.md`, import.meta.url);
  const text = readFileSync(file, "latin1");
  // The first line is the title, which the usage line says already.
  return text.replace(/^# .*\n+/, "");
}

function flagLines(flags: readonly Flag[]): string[] {
  const shown = flags.map((flag) => {
    const short = flag.short === undefined ? "" : `-${flag.short}, `;
    return `  ${short}--${[flag.name, ...(flag.labels ?? [])].join(" ")}`;
  });
  const width = Math.min(38, Math.max(...shown.map((text) => text.length)));
  return flags.map((flag, i) => {
    const text = shown[i] ?? "";
    const gap = text.length > width ? `\n${" ".repeat(width)}` : " ".repeat(width - text.length);
    return `${text}${gap}  ${flag.description}`;
  });
}
