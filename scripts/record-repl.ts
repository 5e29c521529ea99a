/**
 * Records transcripts of the reference's repl and debugger: the only writer of tests/repl/*.exp.
 *
 *   node scripts/record-repl.ts [case…]
 *
 * A case is NAME.in (standard input) and perhaps NAME.args (one argument a line; the command is `repl` unless the first
 * names another). Both run in a copy of tests/repl/files. FIRN_REFERENCE names the command that runs the reference's
 * programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { formatTranscript, readCase, replConfig } from "../tests/repl/cases.ts";

const root = path.join(import.meta.dirname, "..", "tests", "repl");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const wanted = process.argv.slice(2);

const version = spawnSync(reference, ["nix", "--version"]).stdout.toString().trim();
if (!/ 2\.34\./.test(version)) throw new Error(`the reference is '${version}', expected 2.34`);

let count = 0;
for (const file of fs.readdirSync(root).sort()) {
  const name = file.endsWith(".in") ? file.slice(0, -".in".length) : undefined;
  if (name === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-repl-"));
  fs.chmodSync(directory, 0o755);
  // A store of its own: what is built is built here.
  const state = fs.mkdtempSync(path.join(os.tmpdir(), "firn-repl-store-"));
  fs.cpSync(path.join(root, "files"), directory, { recursive: true });
  const { input, args } = readCase(root, name, directory);
  const done = spawnSync(reference, ["nix", ...args], {
    cwd: directory,
    input: Buffer.from(input, "latin1"),
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      LC_ALL: "C.UTF-8",
      TERM: "xterm",
      NIX_CONFIG: replConfig,
      REAL_NIX_STATE: state,
    },
  });
  if (done.error !== undefined) throw done.error;
  const transcript = formatTranscript({
    out: done.stdout.toString("latin1"),
    err: done.stderr.toString("latin1"),
    code: done.status ?? 128,
    directory,
  });
  fs.writeFileSync(path.join(root, `${name}.exp`), transcript, "latin1");
  for (const made of [directory, state]) spawnSync("rm", ["-rf", made]);
  count++;
}
fs.writeFileSync(path.join(root, "recorded-by.txt"), `${version}\n`);
process.stdout.write(`${count} transcripts recorded from ${version}\n`);
