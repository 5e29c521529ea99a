/**
 * Reads vitest's JSON reports and prints the counts of tests on one line. Fails when a test failed, when a test of
 * tests/known-failures.txt passed, or, with CI set, when a test was skipped that it could have run: those of
 * virtual machines, of most services and of whole machines take minutes, and are run only where FIRN_VM_TESTS and FIRN_ALL_STEPS ask for them.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestReport } from "./test-report.ts";

// A file that was run once more counts by its last report.
const results = new Map(
  process.argv
    .slice(2)
    .flatMap((file) => (JSON.parse(readFileSync(file, "utf8")) as TestReport).testResults)
    .map((result) => [result.name, result]),
);
const listFile = new URL("../tests/known-failures.txt", import.meta.url);
const known = new Set(
  existsSync(listFile)
    ? readFileSync(listFile, "utf8")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.split("\t")[0] ?? "")
    : [],
);
/** Tests that take long and are run only where a variable of the environment asks for them. */
const asked = [
  { path: "../tests/vm/", variable: "FIRN_VM_TESTS" },
  { path: "../tests/os/services/services.test.ts", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/services/breadth.test.ts", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/five-configurations/", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/six-configurations/", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/concurrency/crowd.test.ts", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/desktop.test.ts", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/month.test.ts", variable: "FIRN_ALL_STEPS" },
  { path: "../tests/os/specialisation.test.ts", variable: "FIRN_ALL_STEPS" },
].map(({ path, variable }) => ({ path: fileURLToPath(new URL(path, import.meta.url)), variable }));
const mayBeSkipped = (file: string): boolean =>
  asked.some(({ path, variable }) => file.startsWith(path) && process.env[variable] === undefined);
let passed = 0;
let failed = 0;
const skipped: string[] = [];
let lacking = 0;
const surprises: string[] = [];
for (const file of results.values()) {
  // A file that failed without a failed test could not set a suite up: vitest reports the tests of that as skipped.
  if (file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed")) {
    failed++;
    console.log(`could not set up: ${file.name}`);
  }
  for (const test of file.assertionResults) {
    if (test.status === "passed") {
      passed++;
      if (known.has(test.fullName)) surprises.push(test.fullName);
    } else if (test.status === "failed" || test.status === "pending") {
      if (!known.has(test.fullName)) failed++;
    } else {
      skipped.push(test.fullName);
      if (!mayBeSkipped(file.name)) lacking++;
    }
  }
}
for (const name of skipped) console.log(`skipped: ${name}`);
for (const name of surprises) console.log(`passed although listed in tests/known-failures.txt: ${name}`);
console.log(`${passed} passed, ${failed + surprises.length} failed, ${skipped.length} skipped`);
const intolerable = process.env.CI !== undefined && lacking > 0;
if (intolerable) console.log(`of those skipped, ${lacking} must be run where CI is set`);
process.exitCode = failed + surprises.length > 0 || intolerable ? 1 : 0;
