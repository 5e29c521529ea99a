/** Completions of command lines; the lines are the reference's. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
  const work = join(place.directory, "work");
  for (const name of ["foo", "bar", "err"]) mkdirSync(join(work, name));
  writeFileSync(join(work, "foo/flake.nix"), "{ outputs = _: { x = { a = 1; b = 2; }; xy = 1; }; }\n");
  writeFileSync(
    join(work, "bar/flake.nix"),
    '{ inputs.a.url = "path:./foo"; inputs.bb.url = "path:./foo"; outputs = _: { }; }\n',
  );
  writeFileSync(join(work, "foo.nix"), "{ one.two = 1; one.three = 1; }\n");
});
afterAll(() => place.remove());

/** Completes the last word. */
async function completed(...words: readonly string[]): Promise<string> {
  const outcome = await place.firnWith({ env: { NIX_GET_COMPLETIONS: String(words.length) } }, ...words);
  expect(outcome.code).toBe(0);
  return outcome.out;
}

test.each([
  [["buil"], "normal\nbuild\t\n"],
  [["flake", "up"], "normal\nupdate\t\n"],
  [["flake", "metad"], "normal\nmetadata\t\n"],
  [["build", "./f"], "filenames\n./foo\t\n"],
  [["build", "nixp"], "filenames\n"],
  [["eval", "--file", "./f"], "filenames\n./foo\t\n./foo.nix\t\n"],
  [["eval", "--file", "./foo.nix", "one.t"], "attrs\none.three\t\none.two\t\n"],
  [["build", "./foo#x"], "attrs\n./foo#x\t\n./foo#xy\t\n"],
  [["eval", "./foo#x."], "attrs\n./foo#x.a\t\n./foo#x.b\t\n"],
  [["build", "./bar", "--override-input", ""], "normal\na\t\nbb\t\n"],
  [["flake", "update", "--flake", "./bar", "b"], "normal\nbb\t\n"],
  [
    ["build", "--option", "allow-impo"],
    "normal\nallow-import-from-derivation\tSet the `allow-import-from-derivation` setting\n",
  ],
  [["eval", "--impu"], "normal\n--impure\tAllow access to mutable paths and repositories\n"],
  [["hash", "convert", "--to", "s"], "normal\nsri\t\n"],
] as const)("%s", async (words, expected) => {
  expect(await completed(...words)).toBe(expected);
});

test.each([
  [3, ["build", "--override-input", "", "path:./foo", "./bar"], "normal\na\t\nbb\t\n"],
  [3, ["flake", "update", "", "--flake", "./bar"], "normal\na\t\nbb\t\n"],
  [2, ["eval", "one.t", "--file", "./foo.nix"], "attrs\none.three\t\none.two\t\n"],
] as const)("word %s of %s", async (index, words, expected) => {
  const outcome = await place.firnWith({ env: { NIX_GET_COMPLETIONS: String(index) } }, ...words);
  expect(outcome).toMatchObject({ code: 0, out: expected });
});

test.each(["bash", "zsh", "fish"])("the script for %s is printed", async (shell) => {
  const { code, out } = await place.firn("completion", shell);
  expect(code).toBe(0);
  expect(out).toContain("NIX_GET_COMPLETIONS");
  if (shell === "bash")
    expect(spawnSync("bash", ["-n"], { input: out, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});
