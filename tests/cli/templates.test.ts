/** The templates that come with Firn: each is copied whole and evaluates, with the Debian set by its name in the registry. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const templates = join(import.meta.dirname, "../../templates");
const names = readdirSync(templates, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
let place: Place;

beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

test.each(names)("%s", async (name) => {
  const made = await place.firn("flake", "new", name, "-t", `firn#${name}`);
  expect([made.code, made.out]).toEqual([0, ""]);
  const copy = join(place.directory, "work", name);
  expect(readdirSync(copy, { recursive: true }).sort()).toEqual(
    readdirSync(join(templates, name), { recursive: true }).sort(),
  );
  const shell = await place.firn("eval", "--raw", `path:${copy}#devShells.x86_64-linux.default.drvPath`);
  expect(shell).toMatchObject({ code: 0, out: expect.stringMatching(/^\/nix\/store\/\w{32}-shell\.drv$/) });
});

test("the flake has them all, and a default", async () => {
  const { out } = await place.firn("eval", "--json", "firn#templates", "--apply", "builtins.attrNames");
  expect(JSON.parse(out)).toEqual(["default", ...names].sort());
});
