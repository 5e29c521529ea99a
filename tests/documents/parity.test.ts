/** PARITY.md says nothing that the checkout does not have: each row is whole, and what it names is there. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Row {
  readonly id: string;
  readonly words: string;
  readonly state: string;
  readonly shownBy: string;
}

/** The rows of all tables of features. */
function rowsOf(page: string): Row[] {
  return page
    .split("\n")
    .filter((line) => /^\| [A-Z]+\d+\b/.test(line))
    .map((line) => {
      const [id = "", words = "", state = "", shownBy = ""] = line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { id, words, state, shownBy };
    });
}

/** Paths of the checkout that a text names, with `tests/language: a, b` as two of them. */
function pathsIn(text: string): string[] {
  const cases = [...text.matchAll(/tests\/language: ([a-z]+(?:, [a-z]+)*)/g)].flatMap(([, names = ""]) =>
    names.split(", ").map((name) => `tests/language/${name}`),
  );
  const plain = [...text.matchAll(/\b(?:tests|packages|scripts|docs|examples|os)\/[\w./*-]*[\w*]/g)].map(
    ([path]) => path,
  );
  return [...cases, ...plain];
}

/** What is wrong with the page, one line each. */
function problems(page: string): string[] {
  const rows = rowsOf(page);
  const found: string[] = [];
  const seen = new Set<string>();
  for (const { id, words, state, shownBy } of rows) {
    if (!/^[A-Z]+\d+$/.test(id)) found.push(`${id}: a row has one id`);
    if (seen.has(id)) found.push(`${id}: stands here twice`);
    seen.add(id);
    if (!/\p{L}{3}/u.test(words)) found.push(`${id}: has no words`);
    if (!/^(yes|part)\b/.test(state)) found.push(`${id}: '${state}' is no state`);
    if (shownBy === "") found.push(`${id}: nothing shows it`);
    for (const [name] of shownBy.matchAll(/(?<![\w/*.-])[\w-]+\.test\.ts/g))
      found.push(`${id}: ${name} lacks its directory`);
  }
  for (const path of pathsIn(page)) {
    const there = path.includes("*") ? globSync(path, { cwd: root }).length > 0 : existsSync(join(root, path));
    if (!there) found.push(`${path} does not exist`);
  }
  return found;
}

const page = readFileSync(join(root, "PARITY.md"), "utf8");

test("each row of PARITY.md is whole and names what exists", () => {
  expect(rowsOf(page).length).toBeGreaterThan(150);
  expect(problems(page)).toEqual([]);
});

test.each([
  [
    "an id that stands there twice",
    "| L01 | integers | yes | tests/language |\n| L01 | integers | yes | tests/language |",
  ],
  ["two ids in a row", "| L01, L02 | integers | yes | tests/language |"],
  ["an id without words", "| L01 | yes | tests/language |"],
  ["no evidence", "| L01 | integers | yes | |"],
  ["a test that is gone", "| L01 | integers | yes | tests/language/gone.test.ts |"],
  ["a topic that is gone", "| L01 | integers | yes | tests/language: numbers, gone |"],
  ["a test without its directory", "| L01 | integers | yes | tests/cli, gone.test.ts |"],
  ["an unknown state", "| L01 | integers | perhaps | tests/language |"],
])("%s is found", (_what, row) => {
  expect(problems(row)).not.toEqual([]);
});
