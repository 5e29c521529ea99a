/** Revisions whose trees mean harm: nothing is written outside the tree, and the error names the entry. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let repository: string;
let outside: string;
beforeEach(() => {
  place = makePlace();
  repository = join(place.directory, "work/repository");
  outside = join(place.directory, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "f"), "precious");
  git("init", "--quiet", "-b", "main", repository);
});
afterEach(() => removePath(place.directory));

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "latin1", env: place.environment }).trim();
}

function object(type: string, contents: Buffer | string): string {
  return execFileSync("git", ["-C", repository, "hash-object", "-t", type, "-w", "--stdin", "--literally"], {
    input: contents,
    encoding: "latin1",
    env: place.environment,
  }).trim();
}

type Entry = readonly [mode: string, name: string, object: string];

/** A tree object with these entries as they stand, which git itself would not make. */
function tree(...entries: readonly Entry[]): string {
  return object(
    "tree",
    Buffer.concat(
      entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(id, "hex")]),
    ),
  );
}

function commit(root: string): string {
  const who = "A <a@example.org> 1 +0000";
  const id = object("commit", `tree ${root}\nauthor ${who}\ncommitter ${who}\n\nx\n`);
  git("-C", repository, "update-ref", "refs/heads/main", id);
  return id;
}

/** Fetches the commit; afterwards everything outside is as it was. */
async function fetch(rev: string, more = ""): Promise<{ code: number; out: string; err: string }> {
  const outcome = await place.firn(
    ...["eval", "--impure", "--raw", "--expr"],
    `(builtins.fetchGit { url = "file://${repository}"; rev = "${rev}"; ref = "main"; ${more} }).outPath`,
  );
  expect(readdirSync(outside)).toEqual(["f"]);
  expect(existsSync(join(place.directory, "escaped"))).toBe(false);
  return outcome;
}

test("a link and a directory of one name", async () => {
  const file = object("blob", "planted");
  const link = object("blob", outside);
  const below = tree(["100644", "planted", file]);
  for (const entries of [
    [
      ["120000", "x", link],
      ["40000", "x", below],
    ],
    [
      ["40000", "x", below],
      ["120000", "x", link],
    ],
  ] satisfies Entry[][]) {
    const { code, err } = await fetch(commit(tree(...entries)));
    expect(code).toBe(1);
    expect(err).toMatch(/'x' (?:is used as a directory but is none|appears twice)/);
  }
});

test("two files of one name", async () => {
  const { code, err } = await fetch(
    commit(tree(["100644", "x", object("blob", "1")], ["100644", "x", object("blob", "2")])),
  );
  expect(code).toBe(1);
  expect(err).toContain("'x' appears twice");
});

test.each([
  ["..", "leads out of the tree"],
  [".", "leads out of the tree"],
  ["../../escaped", "leads out of the tree"],
  ["a/../../../escaped", "leads out of the tree"],
  ["", "empty filename in tree entry"],
  ["/etc", "leads out of the tree"],
  [".git", "invalid name for a tree entry - .git"],
  [".GIT", "invalid name for a tree entry - .GIT"],
])("an entry named '%s'", async (name, reason) => {
  const file = object("blob", "planted");
  const asFile = await fetch(commit(tree(["100644", name, file])));
  expect(asFile).toMatchObject({ code: 1, err: expect.stringContaining(reason) });
  const asDirectory = await fetch(commit(tree(["40000", name, tree(["100644", "f", file])])));
  expect(asDirectory).toMatchObject({ code: 1, err: expect.stringContaining(reason) });
});

test("a submodule below a link, and one in the place of a link", async () => {
  const link = object("blob", outside);
  const module = commit(tree(["100644", "planted", object("blob", "planted")]));
  const modules = object("blob", `[submodule "m"]\n\tpath = x/sub\n\turl = file://${repository}\n`);
  const above = commit(
    tree(["100644", ".gitmodules", modules], ["120000", "x", link], ["40000", "x", tree(["160000", "sub", module])]),
  );
  const { code, err } = await fetch(above, "submodules = true;");
  expect(code).toBe(1);
  expect(err).toMatch(/'x' (?:is used as a directory but is none|appears twice)/);
});

test("three hundred levels", async () => {
  let root = tree(["100644", "f", object("blob", "x")]);
  for (let level = 0; level < 300; level++) root = tree(["40000", "d", root]);
  const { code, err } = await fetch(commit(root));
  expect(code).toBe(1);
  expect(err).toContain("exceeds maximum NAR directory depth of 64");
}, 60_000);

test("what is as it should be is written: modes, links, odd but harmless names", async () => {
  const names = ["-rf", "a b", "caf\xe9", "new\nline", ".gitignore", "git"];
  const file = object("blob", "x");
  const rev = commit(
    tree(
      ...names.sort().map((name): Entry => ["100644", name, file]),
      ["100755", "run", file],
      ["120000", "way", object("blob", "run")],
    ),
  );
  const { code, err } = await fetch(rev);
  expect([code, err]).toEqual([0, expect.any(String)]);
});
