/**
 * Records what the real Nix answers to our own cases: the only writer of expected values.
 *
 *   node scripts/record.ts [topic…]
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.join(import.meta.dirname, "..", "tests", "language");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const topics = process.argv.slice(2);

function run(args: readonly string[], cwd: string): { status: number | null; out: Buffer; err: Buffer } {
  const done = spawnSync(reference, args, {
    cwd,
    env: { ...process.env, NIX_REMOTE: "dummy://", NIX_PATH: "", NIX_STORE_DIR: "/nix/store", LC_ALL: "C.UTF-8" },
  });
  if (done.error !== undefined) throw done.error;
  return { status: done.status, out: done.stdout, err: done.stderr };
}

const version = run(["nix-instantiate", "--version"], root).out.toString().trim();
if (!/ 2\.34\./.test(version)) throw new Error(`the reference is '${version}', expected 2.34`);

let count = 0;
for (const topic of fs.readdirSync(root).sort()) {
  const directory = path.join(root, topic);
  if (!fs.statSync(directory).isDirectory() || (topics.length > 0 && !topics.includes(topic))) continue;
  for (const file of fs.readdirSync(directory).sort()) {
    if (!file.endsWith(".nix")) continue;
    const base = path.join(directory, file.slice(0, -".nix".length));
    const { status, out, err } = run(["nix-instantiate", "--eval", "--strict", "--show-trace", `./${file}`], directory);
    fs.rmSync(`${base}.exp`, { force: true });
    fs.rmSync(`${base}.err`, { force: true });
    if (status === 0) fs.writeFileSync(`${base}.exp`, out);
    else {
      // Positions are absolute; the directory becomes /cases so that any checkout compares equal.
      const text = err
        .toString("latin1")
        .replaceAll(directory, "/cases")
        // Our `derivation` is another text: frames inside the reference's stay, without their place.
        .replaceAll(/\n +at \xc2\xabnix-internal[^\n]*(?:\n +[0-9]*\|[^\n]*)*/g, "");
      fs.writeFileSync(`${base}.err`, text, "latin1");
    }
    count++;
  }
}
fs.writeFileSync(path.join(root, "recorded-by.txt"), `${version}\n`);
process.stdout.write(`${count} cases recorded from ${version}\n`);
