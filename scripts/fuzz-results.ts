/**
 * Edits generated projects at random and compares kept answers of evaluations with fresh ones.
 *
 *   node scripts/fuzz-results.ts [--seed N] [--edits N] [--in-place whole|listed]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareEdits } from "../tests/flakes/kept-results.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, edits: { type: "string", default: "10000" }, "in-place": { type: "string" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const kind = values["in-place"];
const directory = mkdtempSync(join(tmpdir(), "firn-edits-"));
try {
  const { used, wrong } = await compareEdits(directory, {
    seed,
    edits: Number(values.edits),
    ...(kind === "whole" || kind === "listed" ? { inPlace: kind } : {}),
  });
  for (const text of wrong) console.log(text);
  console.log(`seed ${seed}: ${values.edits} edits, ${used} kept answers used, ${wrong.length} wrong`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true });
}
