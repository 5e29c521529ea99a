/**
 * Records the flags of the reference's commands into tests/cli/flags.json: for each its number of arguments (null for all that
 * follow) and its short name. The only writer of that file:
 *
 *   FIRN_REAL_NIX=PATH node scripts/record-flags.ts
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

interface RecordedFlag {
  readonly arity?: number | null;
  readonly shortName?: string;
  readonly category?: string;
}

interface RecordedCommand {
  readonly flags: Readonly<Record<string, RecordedFlag>>;
  readonly commands?: Readonly<Record<string, RecordedCommand>>;
}

const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const run = (...words: string[]): string => execFileSync(realNix, ["nix", ...words], { maxBuffer: 1 << 28 }).toString();
const { args } = JSON.parse(run("__dump-cli")) as { args: RecordedCommand };

type Facts = Record<string, Record<string, readonly [arity: number | null, short?: string]>>;
const facts: Facts = {};

function add(words: readonly string[], command: RecordedCommand): void {
  const own: Facts[string] = {};
  for (const [name, { arity = null, shortName }] of Object.entries(command.flags)) {
    // Settings stand once, at the top.
    if (words.length > 0 && name in args.flags) continue;
    own[name] = shortName === undefined ? [arity] : [arity, shortName];
  }
  if (words.length === 0 || command.commands === undefined) facts[words.join(" ")] = own;
  for (const [name, below] of Object.entries(command.commands ?? {})) add([...words, name], below);
}

add([], args);
const lines = Object.entries(facts).map(([words, own]) => ` ${JSON.stringify(words)}: ${JSON.stringify(own)}`);
const file = new URL("../tests/cli/flags.json", import.meta.url);
writeFileSync(
  file,
  `{"recordedBy": ${JSON.stringify(run("--version").trim())}, "commands": {\n${lines.join(",\n")}\n}}\n`,
);
