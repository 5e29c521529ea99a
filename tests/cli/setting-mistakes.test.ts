/** Wrong settings on the command line. Answers are the reference's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
});
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
