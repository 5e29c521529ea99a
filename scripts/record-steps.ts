/**
 * Records what the reference answers to the steps of tests/cli, into the JSON files beside them.
 *
 *   node scripts/record-steps.ts develop|evaluation|every-command|flake-commands|other-stores|rare-uses|setting-mistakes|store-commands
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { developSteps } from "../tests/cli/develop-steps.ts";
import { evaluationSteps } from "../tests/cli/evaluation-steps.ts";
import { everyCommandSteps } from "../tests/cli/every-command-steps.ts";
import { flakeSteps } from "../tests/cli/flake-steps.ts";
import { otherStoresSteps } from "../tests/cli/other-stores-steps.ts";
import { rareUsesSteps } from "../tests/cli/rare-uses-steps.ts";
import { settingSteps } from "../tests/cli/setting-steps.ts";
import { storeSteps } from "../tests/cli/store-steps.ts";
import { runSteps, type StepSuite } from "../tests/support/steps.ts";

const suites: Readonly<Record<string, StepSuite>> = {
  develop: developSteps,
  evaluation: evaluationSteps,
  "every-command": everyCommandSteps,
  "flake-commands": flakeSteps,
  "other-stores": otherStoresSteps,
  "rare-uses": rareUsesSteps,
  "setting-mistakes": settingSteps,
  "store-commands": storeSteps,
};
const [name = ""] = process.argv.slice(2);
const suite = suites[name];
if (suite === undefined) throw new Error(`usage: record-steps.ts ${Object.keys(suites).join("|")}`);

const reference = process.env.FIRN_REFERENCE ?? join(homedir(), ".cache", "firn-reference", "real-nix");
const place = mkdtempSync(join(tmpdir(), "firn-record-"));
const work = join(place, "work");
mkdirSync(work);
mkdirSync(join(place, "home"));
const config = [
  "build-users-group =",
  "experimental-features = nix-command flakes",
  "substituters =",
  "flake-registry =",
  "sandbox-fallback = false",
].join("\n");

const results = await runSteps(suite, work, async (words, input, { directory }) => {
  const done = spawnSync(reference, words, {
    cwd: directory,
    input: Buffer.from(input, "latin1"),
    env: {
      PATH: process.env.PATH,
      HOME: join(place, "home"),
      NIX_REMOTE: join(place, "root"),
      NIX_CONFIG: config,
      EDITOR: "echo EDITOR",
      REAL_NIX_BIND: place,
      LC_ALL: "C.UTF-8",
    },
  });
  if (done.error !== undefined) throw done.error;
  return { code: done.status ?? 128, out: done.stdout.toString("latin1"), err: done.stderr.toString("latin1") };
});
rmSync(place, { recursive: true, force: true });
writeFileSync(new URL(`../tests/cli/${name}.json`, import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
