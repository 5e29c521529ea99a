import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let path: string;
beforeAll(async () => {
  place = makePlace();
  const work = join(place.directory, "work");
  writeFileSync(join(work, "file"), "text");
  path = (await place.firn("store", "add", "./file")).out.trim();
  symlinkSync(path, join(work, "result"));
  symlinkSync("result", join(work, "second"));
  symlinkSync("/nowhere", join(work, "elsewhere"));
});
afterAll(() => place.remove());

test("a link, or a link to one, stands for the store path that it leads to", async () => {
  const { code, out } = await place.firn("path-info", "./second", join(place.directory, "work/result"));
  expect([code, out]).toEqual([0, `${path}\n`]);
});

test("a link that leads elsewhere is a flake's directory, and so is a word without a slash a flake's name", async () => {
  expect((await place.firn("path-info", "./elsewhere")).err).toContain("error:");
  expect((await place.firn("path-info", "result")).err).toContain("flake:result");
});
