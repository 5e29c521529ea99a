import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ranWithoutThread, rememberThread, threadMark } from "./thread-marks.ts";

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
  expect([mark, ...others].map(ranWithoutThread)).toEqual([false, false, false]);
  rememberThread(mark, false);
  rememberThread(mark, false);
  expect([mark, ...others].map(ranWithoutThread)).toEqual([true, false, false]);
  rememberThread(mark, true);
  expect(ranWithoutThread(mark)).toBe(false);
});

test("the directory of what evaluations keep is made where there is none", () => {
  const mark = threadMark(join(directory, "new/code"), [], "/");
  rememberThread(mark, false);
  expect(ranWithoutThread(mark)).toBe(true);
});

test("a thousand are remembered at most, and none where nothing can be written", () => {
  const marks = Array.from({ length: 1001 }, (_, n) => threadMark(directory, [String(n)], "/"));
  for (const mark of marks) rememberThread(mark, false);
  expect(readdirSync(join(directory, "without-thread")).length).toBe(1);
  writeFileSync(join(directory, "file"), "");
  const nowhere = threadMark(join(directory, "file"), [], "/");
  rememberThread(nowhere, false);
  expect(ranWithoutThread(nowhere)).toBe(false);
});
