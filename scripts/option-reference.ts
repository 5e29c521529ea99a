/** Writes docs/options.md from the modules of a system: every option with its type, default and meaning. `--check` only tells whether the page is current. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, "docs/options.md");

interface Option {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly default: string | null;
}

/** What is evaluated: plain data of each option that is shown. */
const EXPRESSION = `
let
  lib = import ${root}os/lib;
  system = import ${root}os/eval-config.nix { modules = [ ]; };
  text = value: if value == null then null else if builtins.isString value then value else value.text or null;
in
map (option: {
  inherit (option) name type;
  description = toString (text option.description);
  default = text (option.default or null);
}) (builtins.filter (option: option.visible && !option.internal) (lib.optionAttrSetToDocList system.options))
`;

function readOptions(): Option[] {
  const args = ["eval", "--impure", "--json", "--expr", EXPRESSION];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(root, "packages/cli/src/main.ts"), ...args],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...process.env, NIX_CONFIG: "substituters =\nflake-registry =\n", NIX_REMOTE: "dummy://", HOME: tmpdir() },
    },
  );
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as Option[]).filter(({ name }) => !name.includes("_module"));
}

/** The part of a name by which options stand together: `services.nginx`, `boot`. */
function groupOf(name: string): string {
  const parts = name.match(/"[^"]*"|<[^>]*>|[^.]+/g) ?? [];
  return parts.length > 2 ? parts.slice(0, 2).join(".") : (parts[0] ?? name);
}

const cell = (text: string): string =>
  text
    .replace(/\{option\}`/g, "`")
    .replaceAll("|", "\\|")
    .replaceAll("](", "]&#40;")
    .replace(/<(?=[a-zA-Z/])/g, "\\<")
    .replace(/\s*\n\s*/g, " ")
    .trim();

/** A value as code in a table; a long one is not shown. */
function code(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " ").trim();
  if (line.length > 60) return "…";
  return line.includes("`") ? line.replaceAll("|", "\\|") : `\`${line.replaceAll("|", "\\|")}\``;
}

/** The text of the whole page. */
export function optionReference(): string {
  const groups = new Map<string, Option[]>();
  for (const option of readOptions()) {
    const group = groupOf(option.name);
    groups.set(group, [...(groups.get(group) ?? []), option]);
  }
  const names = [...groups.keys()].sort();
  const parts = [
    "# Options of a system",
    "<!-- Written by scripts/option-reference.ts from os/modules. Change those, and run the script. -->",
    "Names and meanings are NixOS's. `firn os option NAME` shows one with its value in your configuration.",
    names.map((name) => `[${name}](#${name.replaceAll(".", "").toLowerCase()})`).join(" · "),
  ];
  for (const name of names) {
    const rows = (groups.get(name) ?? []).map(
      (option) =>
        `| \`${option.name}\` | ${cell(option.type)} | ${option.default === null ? "" : code(option.default)} | ${cell(option.description)} |`,
    );
    parts.push(
      `## ${name}`,
      ["| option | type | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n"),
    );
  }
  return `${parts.join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = optionReference();
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== text) {
      process.stderr.write("docs/options.md is not current; run: node scripts/option-reference.ts\n");
      process.exitCode = 1;
    }
  } else {
    writeFileSync(file, text);
  }
}
