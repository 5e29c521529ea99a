/**
 * Records what the reference answers to the graphs of tests/flakes/lock-graphs.ts, or compares its answers with Firn's, to the last byte.
 *
 *   node scripts/record-locks.ts [--seed N] [--count N] [--compare]
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LockOutcome, lockOutcome, lockSteps, prepareStep } from "../tests/flakes/lock-graphs.ts";
import { makePlace, runProgram } from "../tests/support/run-firn.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "60" },
    compare: { type: "boolean", default: false },
  },
});
const reference = process.env.FIRN_REFERENCE ?? join(homedir(), ".cache", "firn-reference", "real-nix");
const top = mkdtempSync(join(tmpdir(), "firn-locks-"));
const work = join(top, "work");
const config = "build-users-group =\nexperimental-features = nix-command flakes\nsubstituters =\nflake-registry =\n";

type Runner = (words: readonly string[]) => Promise<{ readonly code: number; readonly err: string }>;

/** Runs the steps of a graph in an empty directory. */
async function outcomes(seed: number, run: Runner): Promise<LockOutcome[]> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  const all: LockOutcome[] = [];
  for (const step of lockSteps(seed)) {
    prepareStep(step, work);
    const ended = await run(step.words.map((word) => word.replaceAll("$WORK", work)));
    all.push(lockOutcome(step, work, { ...ended, exact: values.compare }));
  }
  return all;
}

mkdirSync(join(top, "home"));
mkdirSync(join(top, "state"));
const environment = {
  PATH: process.env.PATH,
  HOME: join(top, "home"),
  NIX_CONFIG: config,
  REAL_NIX_BIND: top,
  REAL_NIX_STATE: join(top, "state"),
  LC_ALL: "C.UTF-8",
};
/** One shell runs all commands of the reference: entering its surroundings takes longer than most of them. */
const shell = spawn(reference, ["sh"], { cwd: top, env: environment, stdio: ["pipe", "pipe", "inherit"] });
const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
const runReference: Runner = async (words) => {
  const errors = join(top, "errors");
  shell.stdin.write(`nix ${words.map(quote).join(" ")} </dev/null >/dev/null 2>${quote(errors)}; echo $?\n`);
  const [status] = (await once(shell.stdout, "data")) as [Buffer];
  return { code: Number(status.toString()), err: readFileSync(errors, "utf8") };
};

const place = makePlace();
/** The published program (scripts/bundle.ts) where FIRN_TEST_PROGRAM names it, which is faster; else the command line in this process. */
const runFirn: Runner =
  process.env.FIRN_TEST_PROGRAM === undefined
    ? (words) => place.firnWith({ cwd: top, env: { NIX_CONFIG: config }, program: "nix" }, ...words)
    : (words) => runProgram(words, { cwd: top, env: { ...place.environment, NIX_CONFIG: config, FIRN_ARGV0: "nix" } });

try {
  const first = Number(values.seed);
  const seeds = Array.from({ length: Number(values.count) }, (_, index) => first + index);
  if (values.compare) {
    let wrong = 0;
    for (const seed of seeds) {
      const wanted = await outcomes(seed, runReference);
      const got = await outcomes(seed, runFirn);
      const at = wanted.findIndex((outcome, index) => JSON.stringify(outcome) !== JSON.stringify(got[index]));
      if (at < 0) continue;
      wrong++;
      console.log(`seed ${seed}, step ${at}: ${wanted[at]!.words}`);
      for (const key of ["code", "err", "lock"] as const)
        if (wanted[at]![key] !== got[at]![key])
          console.log(`  ${key} of the reference: ${wanted[at]![key]}\n  ${key} of Firn: ${got[at]![key]}`);
    }
    console.log(`${seeds.length} graphs from seed ${first}: ${wrong} differ`);
    process.exitCode = wrong === 0 ? 0 : 1;
  } else {
    const recorded: Record<string, LockOutcome[]> = {};
    for (const seed of seeds) recorded[seed] = await outcomes(seed, runReference);
    const target = new URL("../tests/flakes/lock-graphs.json", import.meta.url);
    writeFileSync(target, `${JSON.stringify(recorded, null, 1)}\n`);
  }
} finally {
  shell.stdin.end();
  await once(shell, "exit");
  place.remove();
  rmSync(top, { recursive: true, force: true });
}
