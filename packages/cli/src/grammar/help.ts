/** Help: listings of command groups and the page of one command, from the same data that the parser uses. */
import { readFile } from "node:fs/promises";
import { nearNames } from "@firn/formats";
import type { Io } from "../io.ts";
import type { Command, CommandEntry, Flag } from "./command.ts";
import { globalFlags } from "./flags.ts";
import { UsageError } from "./parse.ts";

interface Group {
  readonly table: readonly CommandEntry[];
  /** The words that name the group; empty for all commands. */
  readonly matched: readonly string[];
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
}

/** Lists a group when help is wanted; otherwise fails with a {@link UsageError} as the reference does. */
export function showGroup(group: Group, io: Io): number {
  const { matched, rest, wantsHelp } = group;
  const inGroup = group.table.filter((entry) => matched.every((word, i) => entry.path[i] === word));
  const names = [...new Set(inGroup.map((entry) => entry.path[matched.length] ?? ""))];
  const wrong = rest.find((word) => !word.startsWith("-"));
  if (wrong !== undefined) {
    throw new UsageError(`'${wrong}' is not a recognised command`, nearNames(wrong, names));
  }
  if (wantsHelp) {
    io.out(groupHelp(matched, inGroup));
    return 0;
  }
  if (matched.length === 0) throw new UsageError("no subcommand specified");
  const list = [...names].sort().map((name) => `  · ${name}`);
  throw new UsageError(
    `firn ${matched.join(" ")} requires a sub-command. Available sub-commands:\n\n${list.join("\n")}`,
  );
}

function groupHelp(matched: readonly string[], entries: readonly CommandEntry[]): string {
  const name = ["firn", ...matched].join(" ");
  const lines = [`Usage: ${name} COMMAND [OPTION...] [ARGUMENT...]`, ""];
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
  lines.push("called as 'firn nix-build …'.", "");
  return lines.join("\n");
}

/** The page of one command: usage, its Markdown page, its flags. */
export async function showCommandHelp(entry: CommandEntry, command: Command): Promise<string> {
  const name = ["firn", ...entry.path].join(" ");
  const positionals = command.positionals.map((positional) => {
    const label = positional.repeats === true ? `${positional.label}...` : positional.label;
    return positional.optional === true ? `[${label}]` : label;
  });
  const usage = [`Usage: ${name} [OPTION...]`, ...positionals].join(" ");
  const lines = [usage, "", `${name} - ${entry.description}`, ""];
  const page = await readPage(entry);
  if (page !== "") lines.push(page);
  if (command.flags.length > 0) lines.push("Options:", ...flagLines(command.flags), "");
  lines.push("Options of every command:", ...flagLines(globalFlags), "");
  return lines.join("\n");
}

async function readPage(entry: CommandEntry): Promise<string> {
  const file = new URL(`../commands/${entry.path.join("-")}.md`, import.meta.url);
  const text = await readFile(file, "utf8");
  // The first line is the page's title, which the usage line says already.
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
