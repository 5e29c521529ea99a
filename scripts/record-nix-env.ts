/** Records what the reference's `nix-env` says to the command lines of its test. Usage: FIRN_REAL_NIX=… node scripts/record-nix-env.ts */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLines, layOut, normalised, otherLines, type RecordedRun } from "../tests/cli/nix-env-cases.ts";

const real = process.env.FIRN_REAL_NIX;
if (real === undefined) throw new Error("set FIRN_REAL_NIX to the reference, see scripts/setup-reference");
const directory = realpathSync(mkdtempSync(join(tmpdir(), "firn-nix-env-")));
try {
  const work = join(directory, "work");
  mkdirSync(join(directory, "home"), { recursive: true });
  layOut(work);
  const NIX_CONFIG = "build-users-group =\nexperimental-features = nix-command flakes\nsubstituters =\n";
  const env = { ...process.env, HOME: join(directory, "home"), REAL_NIX_BIND: directory, NIX_CONFIG, TZ: "UTC" };
  const runs: RecordedRun[] = [];
  for (const line of [...commandLines, ...otherLines]) {
    const words = line.split(" ").filter((word) => word !== "");
    const args = words.map((word) => word.replace("$WORK", work));
    const { status, stdout, stderr } = spawnSync(real, ["nix-env", ...args], { cwd: work, env, encoding: "utf8" });
    runs.push({ words, code: status ?? -1, out: normalised(stdout, work), err: normalised(stderr, work) });
  }
  writeFileSync(join(import.meta.dirname, "../tests/cli/nix-env.json"), `${JSON.stringify(runs, null, 1)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
