/** What the first binary cache offers and cannot give is taken from the next. */
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
const at = (...names: string[]): string => join(place.directory, ...names);

beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

test.each([
  ["is missing", (archive: string) => rmSync(archive)],
  ["is cut off", (archive: string) => truncateSync(archive, 60)],
  ["is garbage", (archive: string) => writeFileSync(archive, "<html>captive portal</html>")],
  ["is empty", (archive: string) => truncateSync(archive, 0)],
  [
    "has other contents",
    (archive: string) => writeFileSync(archive, readFileSync(archive, "latin1").replace("hello", "jello"), "latin1"),
  ],
])("an archive that %s", async (_what, harm) => {
  writeFileSync(at("work/f"), "hello");
  const path = (await place.firn("store", "add", "f")).out.trim();
  for (const name of ["first", "second"]) {
    mkdirSync(at(name));
    const to = `file://${at(name)}?compression=none`;
    expect((await place.firn("copy", "--to", to, path)).code).toBe(0);
  }
  const [archive = ""] = readdirSync(at("first/nar"));
  harm(at("first/nar", archive));
  const env = { NIX_REMOTE: at("other") };
  const caches = `file://${at("first")}?priority=10 file://${at("second")}?priority=50`;
  const options = ["--option", "substituters", caches, "--option", "require-sigs", "false"];
  const { code } = await place.firnWith({ env }, "build", "--no-link", path, ...options);
  expect(code).toBe(0);
  expect(readFileSync(at("other", path), "utf8")).toBe("hello");
});
