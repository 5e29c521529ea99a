import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareImageEdits } from "./kept-images.ts";

const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const edits = process.env.FIRN_ALL_STEPS === undefined ? 100 : 1000;

test.concurrent.each([0, 1, 2])(
  "evaluations that begin with an image answer as fresh ones do, whatever was edited (%i)",
  async (part) => {
    console.log(`fuzz seed of edits: ${seed} (FIRN_FUZZ_SEED repeats it)`);
    const directory = mkdtempSync(join(tmpdir(), "firn-images-"));
    try {
      const { begun, left, made, wrong } = await compareImageEdits(directory, { seed: seed + part, edits });
      expect(wrong).toEqual([]);
      // Most edits are of the project alone.
      expect(made).toBeGreaterThan(edits / 20);
      expect(begun).toBeGreaterThan(edits / 5);
      expect(left).toBeLessThan(begun);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  1_800_000,
);
