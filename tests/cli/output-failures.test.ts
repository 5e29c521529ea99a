/** Standard streams that are closed, full or read no further, and a working directory that was removed. Statuses are the reference's. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const launcher = fileURLToPath(new URL("../../firn", import.meta.url));
let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

/** Runs a script in which `firn` is the launcher; the last line of its output is the status. */
function script(text: string): { readonly out: string; readonly err: string } {
  const { stdout, stderr } = spawnSync("bash", ["-c", `firn() { "${launcher}" "$@"; }\n${text}`], {
    cwd: place.directory,
    env: { ...place.environment, PATH: process.env.PATH ?? "" },
    encoding: "utf8",
  });
  return { out: stdout, err: stderr };
}

const large = "firn eval --expr 'builtins.genList (x: x) 200000'";

test.each([
  [
    "a reader that leaves",
    `${large} | head -c 3; echo " \${PIPESTATUS[0]}"`,
    "[ 0 1\n",
    /^error: write of \d+ bytes: Broken pipe\n$/,
  ],
  [
    "a full device",
    "firn eval --expr 1 > /dev/full; echo $?",
    "1\n",
    /^error: write of 2 bytes: No space left on device\n$/,
  ],
  ["a closed output", "firn eval --expr 1 >&-; echo $?", "1\n", /^error: write of 2 bytes: Bad file descriptor\n$/],
  [
    "a full device, for an archive",
    "firn nar pack /proc/self/exe > /dev/full; firn nar pack . > /dev/full; echo $?",
    "1\n",
    /^(?:error: .*\n){2}$/,
  ],
  [
    "an old command",
    "firn nix-instantiate --eval -E 1 > /dev/full; echo $?",
    "1\n",
    /^error: write of 2 bytes: No .*\n$/,
  ],
  ["help, which nobody needs to the end", "firn --help > /dev/full; echo $?", "0\n", /^$/],
  ["the version", "firn --version > /dev/full; echo $?", "0\n", /^$/],
  ["a closed standard error", "firn eval --expr 'builtins.trace \"x\" 1' 2>&-; echo $?", "1\n0\n", /^$/],
  ["a full standard error", "firn eval --expr 'throw \"x\"' 2> /dev/full; echo $?", "1\n", /^$/],
  [
    "no working directory",
    'mkdir gone; cd gone; rmdir "$PWD"; firn eval --expr 1 2>&1 | grep -v getcwd; echo ${PIPESTATUS[0]}',
    "error: cannot get cwd: No such file or directory\n       it was removed; change to one that is there\n1\n",
    /^$/,
  ],
] as const)("%s", (_, text, out, err) => {
  const outcome = script(text);
  expect(outcome.out).toBe(out);
  expect(outcome.err).toMatch(err);
});
