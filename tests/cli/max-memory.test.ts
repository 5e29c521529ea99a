/** The memory that values may take: `max-memory`, and what the machine leaves. */
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

test.each([
  ["one large value", "builtins.length (builtins.genList (x: x) 100000000)", "'genList' builtin"],
  ["many small ones", "builtins.foldl' (a: x: a ++ [ x ]) [ ] (builtins.genList (x: x) 20000)", "'foldl'' builtin"],
])("%s beyond it end in an error that says what was evaluated", async (_name, text, where) => {
  const { code, err } = await place.firn("eval", "--max-memory", "50M", "--expr", text);
  expect(code).toBe(1);
  expect(err).toContain(where);
  expect(err).toContain("error: the evaluated values exceed the 50 MiB that they may take\n");
  expect(err).toContain("allow more with the setting max-memory\n");
});

test("below it nothing changes, and the next evaluation has its own", async () => {
  const text = "builtins.length (builtins.genList (x: x) 1000000)";
  expect(await place.firn("eval", "--max-memory", "50M", "--expr", text)).toMatchObject({ code: 0, out: "1000000\n" });
  expect(await place.firn("eval", "--expr", "builtins.length (builtins.genList (x: x) 20000000)")).toMatchObject({
    code: 0,
    out: "20000000\n",
  });
});
