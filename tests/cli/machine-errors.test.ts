/** Failures of the machine: what was done, to which path, and what helps; never an error of Node's. */
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;
beforeAll(() => {
  place = makePlace();
  work = join(place.directory, "work");
  mkdirSync(join(work, "dir"), { recursive: true });
  writeFileSync(join(work, "file"), "");
  symlinkSync("loop", join(work, "loop"));
});
afterAll(() => place.remove());

test.each([
  [["hash", "path", "none"], "path '/w/none' does not exist"],
  [["hash", "file", "none"], 'opening file "/w/none": No such file or directory'],
  [["hash", "file", "file/x"], 'opening file "/w/file/x": Not a directory'],
  [["hash", "file", "loop"], 'opening file "/w/loop": Too many levels of symbolic links'],
  [["nix-store", "--dump", "/none"], "path '/none' does not exist"],
  [["eval", "--expr", "1", "--arg-from-file", "a", "dir"], 'reading from file "/w/dir": Is a directory'],
  [["eval", "--arg-from-file", "a", "none", "--expr", "1"], 'opening file "/w/none": No such file or directory'],
  [["eval", "--write-to", "none/x", "--expr", '"a"'], 'opening file "/w/none/x": No such file or directory'],
  [["store", "add", "dir", "--store", "/w/file"], 'creating directory "/w/file/nix": Not a directory'],
] as const)("%j", async (args, message) => {
  const { code, err } = await place.firn(...args.map((word) => word.replace("/w/", `${work}/`)));
  expect({ code, err: err.replaceAll(work, "/w").split("\n")[0] }).toEqual({ code: 1, err: `error: ${message}` });
});

const canMount = spawnSync("unshare", ["--mount", "true"]).status === 0;

describe.skipIf(!canMount)("on a file system of its own", () => {
  /** Runs a script in a mount namespace; `firn` works in a store on a file system of 1 MB at `$disk`. */
  function onSmallDisk(text: string): string {
    const disk = join(place.directory, "disk");
    mkdirSync(disk, { recursive: true });
    const script = `mount -t tmpfs -o size=1m none "$disk"\nfirn() { "$node" "$main" "$@" 2>&1; }\n${text}`;
    const env = { ...place.environment, PATH: process.env.PATH, disk, node: process.execPath, main, NIX_REMOTE: disk };
    const { stdout, stderr } = spawnSync("unshare", ["--mount", "bash", "-c", script], { env, encoding: "utf8" });
    return `${stdout}${stderr}`.replaceAll(disk, "/disk");
  }

  test("a full disk is one message", () => {
    const said = onSmallDisk(`firn store add "$main" > /dev/null; head -c 3000000 /dev/zero > "$disk/x" 2>/dev/null
      firn store add --name b "$main"; echo $?`);
    expect(said).toMatch(
      /^error: .*\n {7}(?:it may be that )?no space is left on the device: free some, e\.g\. with 'firn store gc'\n1\n$/,
    );
  });

  test("a full disk names the file of a binary cache", () => {
    const said =
      onSmallDisk(`firn eval --raw --store "$HOME/s" --expr 'builtins.toFile "x" (builtins.concatStringsSep "" (builtins.genList (x: "0123456789") 300000))' > "$HOME/path"
      firn copy --no-check-sigs --from "$HOME/s" --to "file://$disk/cache?compression=none" "$(cat "$HOME/path")"; echo $?`);
    expect(said).toMatch(
      /\nerror: writing to file "\/disk\/cache\/nar\/.*": No space left on device\n {7}no space is left .*\n1\n$/,
    );
  });

  test("a read-only one tells where and what helps", () => {
    const said = onSmallDisk(
      `mount -o remount,ro "$disk"; firn eval --write-to "$disk/w" --expr '"a"' --store "$HOME/s"`,
    );
    expect(said).toBe(
      'error: opening file "/disk/w": Read-only file system\n       the file system is mounted read-only: mount it writable, or choose another place\n',
    );
  });
});

test.each([
  [25, 'hash path "$here"'],
  [22, "eval --expr 1"],
  [25, "eval --expr 1"],
])("with %i descriptors '%s' tells that they are too few, and how to have more", (count, command) => {
  const script = `ulimit -n ${count}; "$node" --disable-warning=ExperimentalWarning "$main" ${command}`;
  const here = fileURLToPath(new URL("../..", import.meta.url));
  const env = { ...place.environment, PATH: process.env.PATH, node: process.execPath, main, here };
  const { status, stderr } = spawnSync("bash", ["-c", script], { env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^error: (?:opening .*: Too many open files|the evaluator's thread cannot start: .*)\n {7}.*raise .*\n$/,
  );
});
