import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareImageEdits } from "./kept-images.ts";

const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const edits = process.env.FIRN_ALL_STEPS === undefined ? 15 : 1000;

// One after the other: each comparison has two heaps in this process at a time.
test("evaluations that begin with an image answer as fresh ones do, whatever was edited", async () => {
  console.log(`fuzz seed of edits: ${seed} (FIRN_FUZZ_SEED repeats it)`);
  let begunInAll = 0;
  for (let part = 0; part < 3; part++) {
    const directory = mkdtempSync(join(tmpdir(), "firn-images-"));
    try {
      const { begun, left, made, wrong } = await compareImageEdits(directory, { seed: seed + part, edits });
      expect(wrong).toEqual([]);
      expect(made).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(begun);
      begunInAll += begun;
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
  // Most edits are of the project alone; some projects are seen to have no image for long.
  expect(begunInAll).toBeGreaterThan(edits / 5);
}, 3_600_000);
