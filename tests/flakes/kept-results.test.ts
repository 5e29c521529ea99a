import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareEdits } from "./kept-results.ts";

const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

test.each([
  ["of files", undefined],
  ["of a tree in place", "whole"],
  ["of a tree in place with untracked files", "listed"],
] as const)("kept answers %s are those of fresh evaluations, whatever was edited", async (_, inPlace) => {
  console.log(`fuzz seed of edits: ${seed} (FIRN_FUZZ_SEED repeats it)`);
  const directory = mkdtempSync(join(tmpdir(), "firn-edits-"));
  try {
    const { used, wrong } = await compareEdits(directory, {
      seed,
      edits: 120,
      ...(inPlace === undefined ? {} : { inPlace }),
    });
    expect(wrong).toEqual([]);
    // Edits of what nobody reads, and none at all, are common.
    expect(used).toBeGreaterThan(10);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
