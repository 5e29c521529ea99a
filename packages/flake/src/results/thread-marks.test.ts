import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lastRun, rememberRun, threadMark } from "./thread-marks.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-marks-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("the last run of a command line in a directory is remembered, whichever way it went", () => {
  const mark = threadMark(directory, ["firn", "eval", ".#a"], "/project");
  const others = [
    threadMark(directory, ["firn", "eval", ".#b"], "/project"),
    threadMark(directory, ["firn", "eval", ".#a"], "/other"),
  ];
  expect([mark, ...others].map(lastRun)).toEqual([undefined, undefined, undefined]);
  for (const run of ["without", "without", "long", "without", "long"] as const) {
    rememberRun(mark, run);
    expect([mark, ...others].map(lastRun)).toEqual([run, undefined, undefined]);
  }
  rememberRun(mark, undefined);
  expect(lastRun(mark)).toBeUndefined();
});

test("the directory of what evaluations keep is made where there is none", () => {
  const mark = threadMark(join(directory, "new/code"), [], "/");
  rememberRun(mark, "without");
  expect(lastRun(mark)).toBe("without");
});

test("a thousand are remembered at most, and none where nothing can be written", () => {
  const marks = Array.from({ length: 1001 }, (_, n) => threadMark(directory, [String(n)], "/"));
  for (const mark of marks) rememberRun(mark, "without");
  expect(readdirSync(join(directory, "threads")).length).toBe(1);
  writeFileSync(join(directory, "file"), "");
  const nowhere = threadMark(join(directory, "file"), [], "/");
  rememberRun(nowhere, "without");
  expect(lastRun(nowhere)).toBeUndefined();
});
