/**
 * Records what the real Nix makes of our own cases of the module system with nixpkgs' lib: the only writer of
 * tests/os/modules/*.exp. The tree is only read.
 *
 *   node scripts/record-modules.ts --nixpkgs DIR [topic…]
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const directory = path.join(import.meta.dirname, "..", "tests", "os", "modules");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const { values: options, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { nixpkgs: { type: "string" } },
});
if (options.nixpkgs === undefined) throw new Error("--nixpkgs names the tree");
const nixpkgs = fs.realpathSync(options.nixpkgs);
const topics = fs
  .readdirSync(directory)
  .filter((file) => file.endsWith(".nix") && file !== "cases.nix")
  .map((file) => file.slice(0, -".nix".length));

let count = 0;
for (const topic of topics) {
  if (chosen.length > 0 && !chosen.includes(topic)) continue;
  const expression = `import ./cases.nix { lib = import ${nixpkgs}/lib; topic = ./${topic}.nix; }`;
  const done = spawnSync(reference, ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression], {
    cwd: directory,
    env: { ...process.env, NIX_REMOTE: "dummy://", NIX_PATH: "", REAL_NIX_BIND: nixpkgs },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${topic}: ${done.stderr}`);
  const answers = JSON.parse(done.stdout) as Record<string, unknown>;
  const lines = Object.entries(answers).map(([name, answer]) => `  ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  fs.writeFileSync(path.join(directory, `${topic}.exp`), `{\n${lines.join(",\n")}\n}\n`);
  count += lines.length;
}
console.log(`${count} cases recorded`);
