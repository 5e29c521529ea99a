import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { byteStringOf } from "@firn/formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as parameters from "../../packages/store/src/open/parameters.ts";
import { makePlace, type Place, runProgram } from "../support/run-firn.ts";
import { runSteps, type StepResult } from "../support/steps.ts";
import { rareUsesSteps } from "./rare-uses-steps.ts";

const recorded = JSON.parse(
  readFileSync(new URL("./rare-uses.json", import.meta.url), "utf8"),
) as readonly StepResult[];
let place: Place;
let results: readonly StepResult[] = [];

beforeAll(async () => {
  place = makePlace();
  results = await runSteps(rareUsesSteps, join(place.directory, "work"), async (words, input, options) => {
    const [program = "", ...args] = words;
    const env = { EDITOR: "echo EDITOR" };
    if (!options.process) return place.firnWith({ program, input, bytes: true, cwd: options.directory, env }, ...args);
    const own = { ...place.environment, ...env, FIRN_ARGV0: program };
    const { code, out, err } = await runProgram(args, { cwd: options.directory, env: own });
    return { code, out: byteStringOf(out), err: byteStringOf(err) };
  });
}, 300_000);
afterAll(() => place.remove());

test.each(recorded.map((step, index) => [step.words, index] as const))("%s (%i)", (_, index) => {
  expect(results[index]).toEqual(recorded[index]);
});

/** Commands that no recorded step can show whole, since they ask, wait, make up keys, or talk about the machine: the tests that do. */
const elsewhere: Readonly<Record<string, string>> = {
  "config check": "tests/cli/rare-uses.test.ts",
  daemon: "tests/cli/daemon.test.ts",
  develop: "tests/cli/develop.test.ts",
  "flake clone": "tests/cli/rare-uses.test.ts",
  "flake prefetch-inputs": "tests/cli/rare-uses.test.ts",
  help: "tests/cli/grammar.test.ts",
  "help-stores": "tests/cli/rare-uses.test.ts",
  "key generate-secret": "tests/cli/commands.test.ts",
  "profile add": "tests/cli/commands.test.ts",
  "profile rollback": "tests/cli/commands.test.ts",
  "registry list": "tests/flakes/inputs.test.ts",
  repl: "tests/repl/terminal.test.ts",
  "store gc": "tests/cli/other-store-dir.test.ts",
  "store info": "tests/cli/store-upkeep.test.ts",
};
/** Commands that are not there yet (tests/known-failures.txt). */
const missing = new Set(["store roots-daemon", "upgrade-nix"]);

/** The parameters of all kinds of stores. */
const storeParameters = new Set(Object.values(parameters).flatMap((table) => Object.keys(table)));

const here = new URL(".", import.meta.url);
const steps = readdirSync(here)
  .filter((name) => name.endsWith(".json") && name !== "flags.json")
  .flatMap((name) => JSON.parse(readFileSync(new URL(name, here), "utf8")) as unknown)
  .filter((value): value is StepResult => typeof value === "object" && value !== null && "words" in value)
  .filter(({ words }) => typeof words === "string");
const { commands } = JSON.parse(readFileSync(new URL("flags.json", here), "utf8")) as {
  readonly commands: Readonly<Record<string, unknown>>;
};

test.each(Object.keys(commands).filter((name) => name !== "" && !missing.has(name)))(
  "the reference's answers to %s are recorded: one that succeeds, one that fails",
  (name) => {
    const other = elsewhere[name];
    if (other !== undefined) {
      const words = name.split(" ").map((word) => `"${word}"`);
      expect(readFileSync(new URL(`../../${other}`, import.meta.url), "utf8")).toContain(words.join(", "));
      return;
    }
    const mine = steps.filter(({ words }) => words === `nix ${name}` || words.startsWith(`nix ${name} `));
    expect(mine.map(({ code }) => code === 0).sort()).toEqual(expect.arrayContaining([false, true]));
  },
);

test("what depends on the machine", async () => {
  const at = (...names: string[]): string => join(place.directory, "work", ...names);
  const checked = await place.firn("config", "check");
  expect(checked.out).toContain("[PASS] ");
  const stores = await place.firn("help-stores");
  expect([...storeParameters].filter((name) => !stores.out.includes(`\`${name}\``))).toEqual([]);
  mkdirSync(at("inputs"));
  writeFileSync(at("inputs/flake.nix"), `{ inputs.f.url = "path:${at("f")}"; outputs = _: { }; }`);
  const fetched = await place.firn("flake", "prefetch-inputs", "-v", `path:${at("inputs")}`);
  expect([fetched.code, fetched.err]).toEqual([0, expect.stringContaining("fetching 'path:")]);
  for (const args of [
    ["init", "-q"],
    ["add", "."],
    ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"],
  ]) {
    expect(spawnSync("git", args, { cwd: at("f") }).status).toBe(0);
  }
  const cloned = await place.firn("flake", "clone", `git+file://${at("f")}`, "--dest", at("cloned"));
  expect([cloned.code, readFileSync(at("cloned/flake.nix"), "utf8")]).toEqual([
    0,
    readFileSync(at("f/flake.nix"), "utf8"),
  ]);
});
