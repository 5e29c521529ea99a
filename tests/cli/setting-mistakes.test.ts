/** Wrong settings on the command line. Answers are the reference's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";
import { runSteps, type StepResult } from "../support/steps.ts";
import { settingSteps } from "./setting-steps.ts";

const recorded = JSON.parse(
  readFileSync(new URL("./setting-mistakes.json", import.meta.url), "utf8"),
) as readonly StepResult[];
let place: Place;
let results: readonly StepResult[] = [];

beforeAll(async () => {
  place = makePlace();
  results = await runSteps(settingSteps, join(place.directory, "work"), ([program = "", ...args], input) =>
    place.firnWith({ program, input, bytes: true }, ...args),
  );
}, 300_000);
afterAll(() => place.remove());

test("mistakes of --option are warnings, those of a flag an error", async () => {
  const option = (name: string, value: string) => place.firn("eval", "--option", name, value, "--expr", "1");
  expect(await option("nonsense", "x")).toEqual({ code: 0, out: "1\n", err: "warning: unknown setting 'nonsense'\n" });
  expect(await option("max-jobs", "abc")).toEqual({
    code: 0,
    out: "1\n",
    err: "warning: configuration setting 'max-jobs' should be 'auto' or an integer\n",
  });
  expect((await place.firn("eval", "--max-jobs", "abc", "--expr", "1")).err).toContain(
    "error: configuration setting 'max-jobs' should be 'auto' or an integer\n",
  );
});

test.each(recorded.map((step, index) => [step.words, index] as const))("%s (%i)", (_, index) => {
  expect(results[index]).toEqual(recorded[index]);
});
