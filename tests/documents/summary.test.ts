/** The line that `npm test` ends with. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-summary-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type Result = readonly [file: string, status: string, tests: readonly (readonly [name: string, status: string])[]];

function summaryOf(...results: readonly Result[]): {
  readonly status: number | null;
  readonly last: string | undefined;
} {
  const testResults = results.map(([name, status, tests]) => ({
    name,
    status,
    assertionResults: tests.map(([fullName, outcome]) => ({ fullName, status: outcome })),
  }));
  const report = join(directory, "report.json");
  writeFileSync(report, JSON.stringify({ testResults }));
  const script = fileURLToPath(new URL("../../scripts/summary.ts", import.meta.url));
  const env = { ...process.env, CI: undefined };
  const { status, stdout } = spawnSync(process.execPath, [script, report], { encoding: "utf8", env });
  return { status, last: stdout.trim().split("\n").at(-1) };
}

test("counts what passed, failed and was skipped", () => {
  const outcome = summaryOf(
    ["/a.test.ts", "passed", [["one", "passed"]]],
    [
      "/b.test.ts",
      "failed",
      [
        ["two", "failed"],
        ["three", "passed"],
      ],
    ],
    ["/c.test.ts", "passed", [["four", "skipped"]]],
  );
  expect(outcome).toEqual({ status: 1, last: "2 passed, 1 failed, 1 skipped" });
});

test.each<Result>([
  ["/cannot-load.test.ts", "failed", []],
  [
    "/no-setup.test.ts",
    "failed",
    [
      ["a suite one", "skipped"],
      ["beside it", "passed"],
    ],
  ],
])("a suite that cannot set up is a failure (%s)", (...result) => {
  const { status, last } = summaryOf(result);
  expect(status).toBe(1);
  expect(last).toContain(" 1 failed, ");
});
