/** Files of Firn's own that are damaged: the error names the file and says what to do. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

const at = (...names: string[]): string => join(place.directory, ...names);

/** The error of a command, in one line. */
async function failure(...args: string[]): Promise<string> {
  const { code, err } = await place.firn(...args);
  expect([code, err]).toEqual([1, expect.not.stringMatching(/internal error|\n +at /)]);
  return err.replace(/\s+/g, " ");
}

test("a registry", async () => {
  const file = at("home/.config/nix/registry.json");
  mkdirSync(at("home/.config/nix"), { recursive: true });
  for (const text of ["{bad", '{"version":2,"flakes":[{}]}']) {
    writeFileSync(file, text);
    expect(await failure("registry", "list")).toMatch(
      new RegExp(`error: cannot parse flake registry '${file}': .* mend the file, or delete it`),
    );
  }
});

test("a lock file", async () => {
  mkdirSync(at("work/fl"));
  writeFileSync(at("work/fl/flake.nix"), "{ outputs = _: { x = 1; }; }");
  writeFileSync(at("work/fl/flake.lock"), "{bad");
  expect(await failure("eval", `path:${at("work/fl")}#x`)).toMatch(
    /error: Could not parse '[^']*\/flake\.lock': .* mend the file, or delete it to lock the inputs anew/,
  );
});

test("the manifest of a profile", async () => {
  mkdirSync(at("work/broken"));
  writeFileSync(at("work/broken/manifest.json"), "{bad");
  const path = (await place.firn("store", "add", "broken")).out.trim();
  symlinkSync(path, at("work/p-1-link"));
  symlinkSync("p-1-link", at("work/p"));
  expect(await failure("profile", "list", "--profile", at("work/p"))).toMatch(
    /error: cannot read the profile manifest '[^']*\/manifest\.json': .* go back with 'firn profile rollback'/,
  );
});

test("a configuration, a database and its schema", async () => {
  mkdirSync(at("etc"));
  writeFileSync(at("etc/nix.conf"), "foo bar");
  expect(await failure("eval", "--expr", "1")).toContain(`in "${at("etc/nix.conf")}"`);
  writeFileSync(at("etc/nix.conf"), "");
  writeFileSync(at("work/f"), "x");
  const path = (await place.firn("store", "add", "f")).out.trim();
  const database = at("root/nix/var/nix/db");
  for (const name of ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"]) removePath(join(database, name));
  writeFileSync(join(database, "db.sqlite"), Buffer.alloc(8192, 7));
  const damaged = "it is damaged: put a copy of it back";
  expect(await failure("path-info", path)).toContain(`"${database}/db.sqlite": file is not a database ${damaged}`);
  writeFileSync(join(database, "db.sqlite"), "");
  for (const args of [
    ["path-info", path],
    ["store", "add", "--name", "g", "f"],
  ]) {
    expect(await failure(...args)).toContain(`"${database}/db.sqlite": no such table: ValidPaths ${damaged}`);
  }
  writeFileSync(join(database, "schema"), "abc");
  expect(await failure("path-info", path)).toContain(`"${database}/schema" is corrupt`);
});
