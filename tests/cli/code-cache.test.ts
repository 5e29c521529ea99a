import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

test("a body that the cache does not have comes from its own file, whatever was read since", async () => {
  const work = join(place.directory, "work");
  const cache = join(place.directory, "code");
  // Only a good deal of code is worth keeping.
  const sums = Array.from({ length: 2000 }, (_, index) => `(x + ${index})`).join(" ");
  const functions = `{\n  first = x: builtins.length [ ${sums} ];\n  second = x: builtins.length [ 1 ${sums} ];\n}\n`;
  writeFileSync(join(work, "functions.nix"), functions);
  writeFileSync(join(work, "other.txt"), "x".repeat(functions.length));
  const run = (name: string) =>
    place.firnWith(
      { env: { FIRN_CODE_CACHE: cache } },
      ...["eval", "--impure", "--expr"],
      // Nine files are more than the command's own thread takes on, which looks at no cache.
      `let f = import ./functions.nix; read = builtins.genList (_: builtins.readFile ./other.txt) 9; in
       builtins.seq f (builtins.deepSeq read (f.${name} 1))`,
    );
  expect(await run("first")).toMatchObject({ out: "2000\n", err: "" });
  expect(existsSync(cache)).toBe(true);
  expect(await run("second")).toMatchObject({ out: "2001\n", err: "" });
});
