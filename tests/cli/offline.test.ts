/** Work that goes on without the network. Names that end in `.invalid` are never found. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

test("machines that cannot be reached are one short warning", async () => {
  const file = join(place.directory, "t.nix");
  writeFileSync(
    file,
    'derivation { name = "t"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }',
  );
  const caches = "https://one.invalid https://two.invalid";
  const words = ["--option", "substitute", "true", "--option", "substituters", caches];
  const { code, err } = await place.firn("build", "--no-link", "-f", file, ...words);
  expect(code).toBe(0);
  expect(err.split("\n").filter((line) => line.includes(".invalid"))).toEqual([
    expect.stringMatching(
      /^warning: '(?:one|two)\.invalid' cannot be reached; going on without what cannot be had from the network$/,
    ),
  ]);
});
