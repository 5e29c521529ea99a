/** Flakes of graphs made at random are locked, edited, overridden and updated as the reference has been recorded to do. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { makePlace } from "../support/run-firn.ts";
import { type LockOutcome, lockOutcome, lockSteps, prepareStep } from "./lock-graphs.ts";

const recorded = JSON.parse(fs.readFileSync(new URL("lock-graphs.json", import.meta.url), "utf8")) as Readonly<
  Record<string, readonly LockOutcome[]>
>;

/** Every fifth graph by default; all of them with `FIRN_ALL_STEPS`. */
const seeds = Object.keys(recorded).filter((_, index) => index % 5 === 0 || process.env.FIRN_ALL_STEPS !== undefined);

describe("the lock files of a graph of flakes", () => {
  it.each(seeds)("made with seed %s", async (seed) => {
    const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "firn-locks-")));
    const work = path.join(top, "work");
    fs.mkdirSync(work);
    const place = makePlace();
    try {
      const outcomes: LockOutcome[] = [];
      for (const step of lockSteps(Number(seed))) {
        prepareStep(step, work);
        const words = step.words.map((word) => word.replaceAll("$WORK", work));
        const { code, err } = await place.firnWith({ cwd: top, program: "nix" }, ...words);
        outcomes.push(lockOutcome(step, work, { code, err }));
      }
      expect(outcomes).toEqual(recorded[seed]);
    } finally {
      place.remove();
      fs.rmSync(top, { recursive: true, force: true });
    }
  });
});
