/**
 * Prints the test files that a run did not finish, one a line: those that it has no result of, and those with tests that were begun and
 * never ended, because the engine died under them.
 *
 *   node scripts/interrupted.ts REPORT < LIST      (LIST: the files that were to run, one a line)
 */
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { TestReport } from "./test-report.ts";

const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as TestReport;
const finished = new Set(
  report.testResults
    .filter(({ assertionResults }) => assertionResults.every(({ status }) => status !== "pending"))
    .map(({ name }) => resolve(name)),
);
const wanted = readFileSync(0, "utf8")
  .split("\n")
  .filter((line) => line.endsWith(".test.ts"))
  .map((line) => resolve(line));
for (const file of wanted) if (!finished.has(file)) console.log(relative(process.cwd(), file));
