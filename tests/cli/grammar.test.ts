/** The grammar of the command line: what the reference takes, and what it says to what it does not. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Command } from "../../packages/cli/src/grammar/command.ts";
import { globalFlags, oldGlobalFlags } from "../../packages/cli/src/grammar/flags.ts";
import { parseArguments } from "../../packages/cli/src/grammar/parse.ts";
import { settingFlagsFor } from "../../packages/cli/src/grammar/setting-flags.ts";
import { commandTable } from "../../packages/cli/src/grammar/table.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

type Facts = Readonly<Record<string, Readonly<Record<string, readonly (number | string | null)[]>>>>;
const golden = readFileSync(new URL("flags.json", import.meta.url), "utf8");
const facts = (JSON.parse(golden) as { commands: Facts }).commands;
/** Commands that the reference lists by another name. */
const otherNames: Readonly<Record<string, string>> = { shell: "env shell" };

const settingFlags = await settingFlagsFor(["--any"]);

test("settings are flags with as many arguments as in the reference", () => {
  const probe: Command = { positionals: [], flags: [], run: () => Promise.resolve(0) };
  const wrong: string[] = [];
  for (const [name, [arity]] of Object.entries(facts[""]!)) {
    // They end the parsing, or are no setting.
    if (globalFlags.some((flag) => flag.name === name)) continue;
    const words = [`--${name}`, ...Array.from({ length: Number(arity) }, () => "value")];
    try {
      const { settings } = parseArguments(probe, { program: "firn", mainProgram: "firn", words, settingFlags });
      if (settings.length !== 1) wrong.push(name);
    } catch {
      wrong.push(name);
    }
  }
  // A setting of the reference whose value is JSON and that Firn does not know.
  expect(wrong).toEqual(["external-builders"]);
});

test("flags that the reference has too take as many arguments and have the same short names", async () => {
  const wrong: string[] = [];
  let compared = 0;
  for (const entry of commandTable) {
    const words = entry.path.join(" ");
    const theirs = facts[otherNames[words] ?? words];
    if (entry.style !== "new" || theirs === undefined) continue;
    for (const flag of (await entry.load()).flags) {
      const known = theirs[flag.name];
      if (known === undefined) continue;
      compared++;
      const own = [flag.takesRest === true ? null : (flag.labels?.length ?? 0), flag.short ?? undefined];
      if (own[0] !== known[0] || own[1] !== known[1]) wrong.push(`${words} --${flag.name}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(300);
});

/** The files of the command line with their text, tests aside. */
function sources(): [string, string][] {
  const directory = fileURLToPath(new URL("../../packages/cli/src", import.meta.url));
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => [name, readFileSync(join(directory, name), "utf8")]);
}

test("every flag that the code asks for is declared", async () => {
  const declared = new Set([...globalFlags, ...oldGlobalFlags].map(({ name }) => name));
  for (const entry of commandTable) {
    const { flags, operations = [] } = await entry.load();
    for (const flag of [...flags, ...operations.flatMap((operation) => [operation.flag, ...operation.flags])])
      declared.add(flag.name);
  }
  const asked = new Set<string>();
  for (const [, text] of sources()) {
    for (const [, flag] of text.matchAll(/\bflags\s*\.(?:has|value|all|count)\("([^"]+)"/g)) asked.add(flag!);
  }
  expect(asked.size).toBeGreaterThan(80);
  expect([...asked].filter((name) => !declared.has(name))).toEqual([]);
});

/** Code outside the grammar that reads flags from words itself. */
function flagReaders(name: string, text: string): string[] {
  if (name.startsWith("grammar/")) return [];
  const ways = /(?:[!=]==? *|\bcase +|\b(?:includes|indexOf|startsWith|has)\()["'`]--?[a-zA-Z]|\/\^--?[a-zA-Z]/;
  return ways.test(text) ? [name] : [];
}

test("only the grammar reads flags from words", () => {
  const found = sources().flatMap(([name, text]) => flagReaders(name, text));
  expect(found).toEqual([]);
  const bad = [
    'if (word === "--eval") {}',
    'words.includes("--help")',
    'case "-E":',
    'set.has("--json")',
    "/^--json$/.test(word)",
  ];
  for (const text of bad) expect(flagReaders("legacy/bad.ts", text)).toEqual(["legacy/bad.ts"]);
});

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

test.each([
  [["--extra-experimental-features", "nix-command flakes", "eval", "--expr", "1"]],
  [["--cores", "2", "--system", "x86_64-linux", "--option", "cores", "3", "eval", "--expr", "1"]],
  [["-vv", "eval", "--expr", "1"]],
  [["-j4", "eval", "--expr", "1"]],
  [["eval", "-vvL", "-j", "4", "--expr", "1"]],
  [
    [
      "eval",
      "--option",
      "sandbox-paths",
      "/bin /lib /lib64? /usr",
      "--relaxed-sandbox",
      "--extra-substituters",
      "",
      "--expr",
      "1",
    ],
  ],
  [["--offline", "eval", "--expr", "1", "--no-fallback"]],
  [["nix-instantiate", "--eval", "-Q", "-j4", "-vE", "1"]],
  [["nix-instantiate", "--eval", "-E", "--", "1"]],
  [["nix", "eval", "--expr", "1"]],
  [["nix", "--offline", "eval", "--expr", "1"]],
  [["--cores", "1", "--", "config", "show", "cores"]],
  [["config", "--cores", "1", "--", "show", "cores"]],
  [["config", "show", "--cores", "1", "--", "cores"]],
])("firn %j is understood", async (words) => {
  expect(await place.firn(...words)).toMatchObject({ code: 0, out: "1\n" });
});

// The messages are the reference's; a name that may have been meant is Firn's addition.
test.each([
  [["eval", "-Q", "--expr", "1"], "firn", "unrecognised flag '-Q'"],
  [["eval", "-qq"], "firn", "unrecognised flag '-q'"],
  [["eval", "-"], "firn", "unrecognised flag '-'"],
  [["eval", "--expr=1"], "firn", "unrecognised flag '--expr=1'\n       Did you mean --expr?"],
  [["--expr", "1", "eval"], "firn", "unrecognised flag '--expr'"],
  [["eval", "--no-cores"], "firn", "unrecognised flag '--no-cores'"],
  [["eval", "--coers", "2"], "firn", "unrecognised flag '--coers'\n       Did you mean --cores?"],
  [["build", "-j"], "firn", "flag '-j' requires 1 argument(s), but only 0 were given"],
  [["--option", "cores"], "firn", "flag '--option' requires 2 argument(s), but only 1 were given"],
  [["--", "config", "show", "cores", "--cores"], "firn", "unexpected argument '--cores'"],
  [["config", "--", "--cores", "2"], "firn", "'--cores' is not a recognised command"],
  [["--cores", "2"], "firn", "no subcommand specified"],
  [["-j", "config"], "firn", "configuration setting 'max-jobs' should be 'auto' or an integer"],
  [["--cores", "x", "flake"], "firn", "setting 'cores' has invalid value 'x'"],
  [["--cores", "4294967296", "config", "show"], "firn", "setting 'cores' has invalid value '4294967296'"],
  [[""], "firn", "'' is not a recognised command"],
  [["help", "build", "flake"], "firn", "'flake' is not a recognised command"],
  [["help", "flake", "shwo"], "firn", "'shwo' is not a recognised command\n       Did you mean show?"],
  [["help", "hsah"], "firn", "'hsah' is not a recognised command\n       Did you mean hash?"],
  [["nix-instantiate", "-A"], "nix-instantiate", "'-A' requires an argument"],
  [["nix-instantiate", "--arg", "x"], "nix-instantiate", "flag '--arg' requires 2 argument(s), but only 1 were given"],
  [["nix-instantiate", "--eval", "-E", "--", "-1"], "nix-instantiate", "unexpected argument '-1'"],
  [["nix-instantiate", "--offline"], "nix-instantiate", "unrecognised flag '--offline'"],
  [["nix-instantiate", "-Z"], "nix-instantiate", "unrecognised flag '-Z'"],
  [["nix-store"], "nix-store", "no operation specified"],
  [["nix-store", "--foo"], "nix-store", "no operation specified"],
  [["nix-store", "--serve", "--foo"], "nix-store", "unknown flag '--foo'"],
])("firn %j is refused", async (words, program, message) => {
  const { code, out, err } = await place.firn(...words);
  expect(err).toBe(`error: ${message}\nTry '${program} --help' for more information.\n`);
  expect([code, out]).toEqual([1, ""]);
});

test("flags with arguments do not stand for a missing sub-command", async () => {
  const { code, err } = await place.firn("config", "--cores", "2");
  expect(code).toBe(1);
  expect(err).toMatch(/^error: firn config requires a sub-command. Available sub-commands:\n\n.*check\n.*show\n/);
});

test("help shows a page by the name that the user calls the program by", async () => {
  const { out } = await place.firn("help", "store", "gc");
  expect(out).toContain("Usage: firn store gc [OPTION...]");
  expect(await place.firn("store", "gc", "--help")).toMatchObject({ code: 0, out });
  expect((await place.firn("help", "nix-store")).out).toContain("\n       nix-store --serve [OPTION...]\n");
  expect((await place.firn("help", "store")).out).toContain("Usage: firn store COMMAND");
  expect((await place.firn("help")).out).toBe((await place.firn("--help")).out);
});

test.each([
  ["firn", "firn log"],
  ["nix", "nix log"],
])("messages name commands as the user of %s calls them", async (program, command) => {
  const failing = `derivation { name = "fails"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo no; exit 1" ]; }`;
  const { code, err } = await place.firnWith(
    { program },
    "build",
    "--impure",
    "--no-link",
    "--option",
    "sandbox-paths",
    "/bin /lib /lib64? /usr",
    "--expr",
    failing,
  );
  expect(code).toBe(1);
  expect(err).toMatch(new RegExp(`For full logs, run:\n +${command} /nix/store/`));
  expect((await place.firnWith({ program }, "--version")).out).toMatch(new RegExp(`^${program} \\(Nix\\) 2\\.34`));
  expect((await place.firnWith({ program }, "evl")).err).toContain(`Try '${program} --help'`);
});
