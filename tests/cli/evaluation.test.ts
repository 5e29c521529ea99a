import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";
import { runSteps, type StepResult } from "../support/steps.ts";
import { evaluationSteps } from "./evaluation-steps.ts";

const recorded = JSON.parse(
  readFileSync(new URL("./evaluation.json", import.meta.url), "utf8"),
) as readonly StepResult[];
let place: Place;
let results: readonly StepResult[] = [];

beforeAll(async () => {
  place = makePlace();
  results = await runSteps(evaluationSteps, join(place.directory, "work"), ([program = "", ...args], input) =>
    place.firnWith({ program, input, bytes: true }, ...args),
  );
}, 300_000);
afterAll(() => place.remove());

test.each(recorded.map((step, index) => [step.words, index] as const))("%s (%i)", (_, index) => {
  expect(results[index]).toEqual(recorded[index]);
});
