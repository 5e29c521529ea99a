/**
 * Edits a generated set of packages and a project at random and compares evaluations that begin with images with fresh ones.
 *
 *   node scripts/fuzz-images.ts [--seed N] [--edits N]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareImageEdits } from "../tests/flakes/kept-images.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, edits: { type: "string", default: "1000" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const directory = mkdtempSync(join(tmpdir(), "firn-images-"));
try {
  const { begun, left, made, wrong } = await compareImageEdits(directory, { seed, edits: Number(values.edits) });
  for (const text of wrong) console.log(text);
  console.log(
    `seed ${seed}: ${values.edits} edits, ${made} images made, ${begun} evaluations began with one, ${left} of them went on without, ${wrong.length} wrong`,
  );
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true });
}
