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

test("a loop whose steps leave nothing behind may be as long as it likes", async () => {
  const loop = "let loop = n: sum: if n == 0 then sum else loop (n - 1) (sum + n); in";
  const text = `${loop} builtins.foldl' (sum: i: sum + loop 1000 0) 0 (builtins.genList (i: i) 5000)`;
  expect(await place.firn("eval", "--max-memory", "10M", "--expr", text)).toMatchObject({
    code: 0,
    out: "2502500000\n",
  });
});

test("many lines of a repl together take more than it, for what they leave behind is freed", async () => {
  const pairs = "builtins.foldl' (sum: i: sum + builtins.length [ sum i ]) 0 (builtins.genList (i: i) 100000)";
  const lines = Array.from({ length: 12 }, (_, i) => `kept.b + ${i} + ${pairs}`);
  const input = `kept = rec { a = builtins.genList (i: i) 10; b = builtins.length a; }\n${lines.join("\n")}\nkept\n`;
  const { code, out, err } = await place.firnWith({ input }, "repl", "--max-memory", "50M");
  expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringContaining("error:") });
  for (let i = 0; i < 12; i++) expect(out).toContain(`${200010 + i}`);
  expect(out).toContain("b = ");
});
