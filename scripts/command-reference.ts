/** Writes docs/commands.md from the grammar: each command's page, its arguments and flags. `--check` only tells whether the page is current. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { textOf } from "@firn/formats";
import type { Command, CommandEntry, Flag } from "../packages/cli/src/grammar/command.ts";
import { globalFlags, oldGlobalFlags } from "../packages/cli/src/grammar/flags.ts";
import { callName, commandPage, positionalText } from "../packages/cli/src/grammar/help.ts";
import { commandTable } from "../packages/cli/src/grammar/table.ts";

const file = fileURLToPath(new URL("../docs/commands.md", import.meta.url));

const nameOf = (entry: CommandEntry): string => callName("firn", entry);

function anchorOf(entry: CommandEntry): string {
  return nameOf(entry).replaceAll(" ", "-");
}

/** Text of a list's item: what Markdown would take for a tag is escaped. */
function escaped(text: string): string {
  return text.replace(/<(?=[a-z/])/g, "\\<");
}

function flagItem({ name, short, labels = [], description, aliases = [], shortAliases = [] }: Flag): string {
  const words = labels.length === 0 ? "" : ` ${labels.join(" ")}`;
  const names = [short, ...shortAliases].filter((letter) => letter !== undefined).map((letter) => `\`-${letter}\``);
  names.push(`\`--${name}${words}\``, ...aliases.map((alias) => `\`--${alias}\``));
  return `* ${names.join(", ")}: ${escaped(description)}`;
}

function flagList(title: string, flags: readonly Flag[]): string[] {
  return flags.length === 0 ? [] : ["", `**${title}**`, "", ...flags.map(flagItem)];
}

async function section(entry: CommandEntry, command: Command): Promise<string> {
  const name = nameOf(entry);
  const usages = command.operations?.map(
    ({ flag, positionals }) => `${name} --${flag.name} [OPTION...]${positionalText(positionals)}`,
  ) ?? [`${name} [OPTION...]${positionalText(command.positionals)}`];
  const lines = [`### ${name}`, "", `${escaped(entry.description)}`, "", ...usages.map((usage) => `    ${usage}`), ""];
  lines.push(textOf(await commandPage(entry)).trim());
  for (const { flag, flags } of command.operations ?? []) {
    lines.push("", `**--${flag.name}**: ${escaped(flag.description)}`);
    if (flags.length > 0) lines.push("", ...flags.map(flagItem));
  }
  lines.push(...flagList("Options", command.flags));
  return lines.join("\n");
}

/** The text of the whole reference. */
export async function commandReference(): Promise<string> {
  const entries = commandTable.filter(({ style }) => style !== "internal");
  const parts = [
    "# Commands",
    "<!-- Written by scripts/command-reference.ts from the grammar of the command line. Change that, and run the script. -->",
    "Each command shows the same text when it is called with `--help`. The old commands are called by their own names, through links to\n`firn`, or as `firn nix-store …`.",
  ];
  for (const category of new Set(entries.map((entry) => entry.category))) {
    const items = entries
      .filter((entry) => entry.category === category)
      .map((entry) => `* [${nameOf(entry)}](#${anchorOf(entry)}): ${escaped(entry.description)}`);
    parts.push(`**${category}**`, items.join("\n"));
  }
  for (const category of new Set(entries.map((entry) => entry.category))) {
    parts.push(`## ${category}`);
    for (const entry of entries) if (entry.category === category) parts.push(await section(entry, await entry.load()));
  }
  parts.push("## Options of every command", globalFlags.map(flagItem).join("\n"));
  parts.push("## Options of every old command", oldGlobalFlags.map(flagItem).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

if (import.meta.main) {
  const text = await commandReference();
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== text) {
      process.stderr.write("docs/commands.md is not current; run: node scripts/command-reference.ts\n");
      process.exitCode = 1;
    }
  } else writeFileSync(file, text);
}
