import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCodes } from "@firn/formats";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The page of all codes: change the table, then write this into docs/errors.md. */
function page(): string {
  const rows = Object.entries(errorCodes).map(([code, [meaning, help]]) => `| \`${code}\` | ${meaning} | ${help} |`);
  return [
    "# Errors",
    "",
    "An error has a code, which stays the same when its text changes: programs decide by the code alone. The table is that of",
    "`packages/formats/src/base/error-codes.ts`; a code that is not in it does not compile.",
    "",
    "| code | what happened | what to do |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

test("docs/errors.md is the table of codes", () => {
  expect(readFileSync(join(root, "docs/errors.md"), "utf8")).toBe(page());
});

test("codes are sorted, and each is used", () => {
  const codes = Object.keys(errorCodes);
  expect(codes).toEqual([...codes].sort());
  const all = sourceFiles(root)
    .filter(({ file }) => !file.endsWith("/error-codes.ts"))
    .map(({ text }) => text)
    .join("\n");
  expect(codes.filter((code) => !all.includes(`"${code}"`))).toEqual([]);
});

/** Lines that read the text of an error to decide something. */
function decisionsByText(text: string): string[] {
  const reading =
    /(?:\b(?:error|cause|thrown|err|failure|reason|e)|Error\))\.message\.(?:includes|startsWith|endsWith|match|search|indexOf)\(|\.(?:test|exec)\([^()]*\.message\b/;
  return text
    .split("\n")
    .filter((line) => reading.test(line))
    .map((line) => line.trim());
}

/** Where it is right, and why. */
const allowed: Record<string, string> = {
  "packages/cli/src/render/error.ts": "lays out the text by how it ends",
  "packages/language/src/value/evaluation-error.ts": "the engine gives an exhausted stack no code",
};

test("nothing is decided by the text of an error", () => {
  const found = sourceFiles(root)
    .filter(({ text }) => decisionsByText(text).length > 0)
    .map(({ file }) => file);
  expect(found.sort()).toEqual(Object.keys(allowed).sort());
});

test.each([
  'if (error.message.includes("x")) return;',
  'if ((error as Error).message.startsWith("x")) return;',
  "const name = /a(.*)/.exec(error.message)?.[1];",
  "if (/ENOENT/.test(cause.message)) return;",
])("%s is found", (line) => {
  expect(decisionsByText(line)).toEqual([line]);
});
