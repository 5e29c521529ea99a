/** `firn __dump-heap`, and commands whose accesses to the heap are checked. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => (place = makePlace()));
afterEach(() => {
  delete process.env._FIRN_CHECKED_HEAP;
  place.remove();
});

const program = 'let a = { x = 1; y = "text"; }; in [ a (a.x + 1.5) (x: x + a.x) ]';

test("tells how much of what an evaluation has left, and with --objects what refers to what", async () => {
  const { out } = await place.firn("__dump-heap", "--objects", "--strict", "--expr", program);
  const size = (kind: string): number => Number(new RegExp(`^${kind} +[0-9]* +([0-9]+)$`, "m").exec(out)?.[1]);
  expect(size("string")).toBeGreaterThan(size("list"));
  expect(size("all in use, also what nothing reaches")).toBeGreaterThan(size("string"));
  const address = (object: string): string | undefined => new RegExp(`^(@[0-9]+) ${object}$`, "m").exec(out)?.[1];
  const set = address(`set: x=1 y=${address('string: "text"')}`);
  expect(set).toBeDefined();
  const sum = address("number: 2.5");
  expect(sum).toBeDefined();
  expect(out).toMatch(new RegExp(`thunk: done, ${sum}\n`));
  expect(out).toMatch(new RegExp(`environment: in @0: .*${set}\n`));
  expect(out).toMatch(/ function: LAMBDA at [0-9]+ in @[0-9]+\n/);
});

test("shows what is not evaluated by its code", async () => {
  const { out } = await place.firn("__dump-heap", "--objects", "--expr", program);
  expect(out).toMatch(/ thunk: [A-Z0-9_]+ at [0-9]+ in @[0-9]+\n/);
  expect(out).not.toContain("number: 2.5");
});

test("a command evaluates on a checked heap", async () => {
  const plain = await place.firn("eval", "--impure", "--expr", `builtins.toJSON (map toString [ (${program}) 2 ])`);
  process.env._FIRN_CHECKED_HEAP = "1";
  const checked = await place.firn("eval", "--impure", "--expr", `builtins.toJSON (map toString [ (${program}) 2 ])`);
  expect(checked).toEqual(plain);
});
