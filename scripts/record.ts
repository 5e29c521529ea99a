/**
 * Records what the real Nix answers to our own cases: the only writer of expected values.
 *
 *   node scripts/record.ts [topic…]
 *
 * A case is NAME.nix, run as `nix-instantiate --eval --strict --show-trace ./NAME.nix`. Beside it may lie NAME.flags,
 * one word a line: these arguments instead of the three (`NAME=value` sets a variable of the environment), and
 * NAME.stdin. Expected are NAME.exp (standard output, present when the command succeeds) and NAME.err (standard error,
 * present unless it is empty).
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { makeCaseDirectory } from "../tests/language/cases.ts";

const root = path.join(import.meta.dirname, "..", "tests", "language");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const topics = process.argv.slice(2);

interface Run {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: Buffer;
}

function run(args: readonly string[], options: Run): { status: number | null; out: Buffer; err: Buffer } {
  const done = spawnSync(reference, args, {
    cwd: options.cwd,
    env: {
      ...process.env,
      NIX_REMOTE: "dummy://",
      NIX_PATH: "",
      NIX_STORE_DIR: "/nix/store",
      LC_ALL: "C.UTF-8",
      HOME: "/homeless-shelter",
      ...options.environment,
    },
    ...(options.input === undefined ? { stdio: ["ignore", "pipe", "pipe"] } : { input: options.input }),
  });
  if (done.error !== undefined) throw done.error;
  return { status: done.status, out: done.stdout as Buffer, err: done.stderr as Buffer };
}

/** The words of a flags file: arguments, and variables of the environment. */
function flagsOf(base: string): { args: string[]; environment: Record<string, string> } {
  const words = fs.existsSync(`${base}.flags`)
    ? fs
        .readFileSync(`${base}.flags`, "utf8")
        .split("\n")
        .filter((word) => word !== "")
    : ["--eval", "--strict", "--show-trace"];
  const environment: Record<string, string> = {};
  const args: string[] = [];
  for (const word of words) {
    const variable = /^([A-Z_]+)=(.*)$/.exec(word);
    if (variable === null) args.push(word);
    else environment[variable[1]!] = variable[2]!;
  }
  return { args, environment };
}

const version = run(["nix-instantiate", "--version"], { cwd: root }).out.toString().trim();
if (!/ 2\.34\./.test(version)) throw new Error(`the reference is '${version}', expected 2.34`);

let count = 0;
const cases = makeCaseDirectory();
for (const topic of fs.readdirSync(root).sort()) {
  const directory = path.join(root, topic);
  if (!fs.statSync(directory).isDirectory() || (topics.length > 0 && !topics.includes(topic))) continue;
  const copy = cases.copy(topic);
  for (const file of fs.readdirSync(directory).sort()) {
    if (!file.endsWith(".nix")) continue;
    const base = path.join(directory, file.slice(0, -".nix".length));
    const { args, environment } = flagsOf(base);
    const input = fs.existsSync(`${base}.stdin`) ? fs.readFileSync(`${base}.stdin`) : undefined;
    const { status, out, err } = run(["nix-instantiate", ...args, `./${file}`], {
      cwd: copy,
      environment,
      ...(input === undefined ? {} : { input }),
    });
    fs.rmSync(`${base}.exp`, { force: true });
    fs.rmSync(`${base}.err`, { force: true });
    // Positions are absolute; the copy's directory becomes /cases so that any checkout compares equal.
    const plain = (text: Buffer) => text.toString("latin1").replaceAll(copy, "/cases");
    if (status === 0) fs.writeFileSync(`${base}.exp`, plain(out), "latin1");
    // Our `derivation` is another text: frames inside the reference's stay, without their place.
    const text = plain(err).replaceAll(/\n +at \xc2\xabnix-internal[^\n]*(?:\n +[0-9]*\|[^\n]*)*/g, "");
    if (text !== "") fs.writeFileSync(`${base}.err`, text, "latin1");
    count++;
  }
}
cases.remove();
// The reference made its home, whose absence its own builds insist on.
run(["rm", "-rf", "/homeless-shelter"], { cwd: root });
fs.writeFileSync(path.join(root, "recorded-by.txt"), `${version}\n`);
process.stdout.write(`${count} cases recorded from ${version}\n`);

/** Names and arguments of the reference's builtins, without their texts. */
interface BuiltinFacts {
  readonly args?: readonly string[];
  readonly type?: string;
  readonly "experimental-feature"?: string;
  readonly "impure-only"?: boolean;
}

if (topics.length === 0) {
  const dump = JSON.parse(run(["nix", "__dump-language"], { cwd: root }).out.toString()) as Record<
    string,
    BuiltinFacts
  >;
  const documented: Record<string, BuiltinFacts> = {};
  for (const [name, facts] of Object.entries(dump)) {
    const { args, type, "experimental-feature": feature, "impure-only": impure } = facts;
    documented[name] = {
      ...(args === undefined ? {} : { args }),
      ...(type === undefined ? {} : { type }),
      ...(feature === undefined ? {} : { "experimental-feature": feature }),
      ...(impure === undefined ? {} : { "impure-only": impure }),
    };
  }
  const names = (...options: string[]): string[] =>
    JSON.parse(
      run(["nix-instantiate", "--eval", "--strict", "--json", "-E", "builtins.attrNames builtins", ...options], {
        cwd: root,
      }).out.toString(),
    ) as string[];
  const features = (list: string) => names("--option", "experimental-features", list);
  const sets = {
    "": features(""),
    flakes: features("flakes"),
    "fetch-tree": features("fetch-tree"),
    "fetch-closure": features("fetch-closure"),
    "dynamic-derivations": features("dynamic-derivations"),
    "flakes fetch-closure dynamic-derivations pure": names(
      "--option",
      "experimental-features",
      "flakes fetch-closure dynamic-derivations",
      "--pure-eval",
    ),
    native: names(
      "--option",
      "experimental-features",
      "",
      "--option",
      "allow-unsafe-native-code-during-evaluation",
      "true",
    ),
  };
  fs.writeFileSync(path.join(root, "builtins.json"), `${JSON.stringify({ documented, names: sets }, null, 1)}\n`);
}
