import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Ways by which text enters, or a path reaches Node, without becoming bytes. Types alone do no harm. */
function otherEdges(text: string): string[] {
  const ways =
    /^import (?!type\b).* from "(?:node:)?fs(?:\/promises)?";|\bprocess\.(?:env\b(?!\.(?:FIRN_ARGV0|TERM)\b)|cwd\(|argv\.slice)|\b(?:homedir|tmpdir|fileURLToPath|pathToFileURL)\(/;
  return text.split("\n").filter((line) => ways.test(line));
}

const edges = ["fs/disk.ts", "fs/files.ts", "surroundings.ts"].map((file) => `packages/store/src/${file}`);

test("arguments, environment and paths become byte strings at one edge", () => {
  const found = sourceFiles(root).filter(({ text }) => otherEdges(text).length > 0);
  expect(found.map(({ file }) => file)).toEqual(edges);
});

test.each([
  'import fs from "node:fs";',
  'import { readFileSync } from "fs";',
  "const home = process.env.HOME;",
  "const here = process.cwd();",
  "const words = process.argv.slice(2);",
  "const home = homedir();",
])("%s is found", (line) => {
  expect(otherEdges(line)).toEqual([line]);
});
