/** Stores whose paths do not begin with /nix/store; checked beside the reference. */
import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { afterEach, beforeEach, expect, test } from "vitest";

import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let env: Record<string, string>;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const derivation = `derivation {
  name = "d"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo $out > $out; echo built" ];
}`;

async function answer(...args: string[]): Promise<string> {
  const outcome: Outcome = await place.firnWith({ env }, ...args);
  expect({ args, code: outcome.code, err: outcome.code === 0 ? "" : outcome.err }).toEqual({ args, code: 0, err: "" });
  return outcome.out.trim();
}

test.each(["st", "a/much/longer/directory/than/that/of/the/machine/store"])("a store below %s", async (name) => {
  const storeDir = join(place.directory, name);
  // Builders may run as another user.
  chmodSync(place.directory, 0o755);
  mkdirSync(storeDir, { recursive: true });
  const log = join(place.directory, "log");
  env = {
    NIX_STORE_DIR: storeDir,
    NIX_STATE_DIR: join(place.directory, "var"),
    NIX_LOG_DIR: log,
    NIX_REMOTE: "",
    NIX_CONFIG: `sandbox = ${sandboxWorks()}\nsubstituters =\nbuild-users-group =\nexperimental-features = nix-command flakes`,
  };
  expect(await answer("eval", "--expr", "builtins.storeDir")).toBe(`"${storeDir}"`);
  expect(await answer("build", "--no-link", "--print-out-paths", "--expr", 'builtins.toFile "a" "b"')).toMatch(
    new RegExp(`^${storeDir}/[0-9a-z]{32}-a$`),
  );
  const path = await answer("build", "--impure", "--no-link", "--print-out-paths", "--expr", derivation);
  expect(readFileSync(path, "utf8")).toBe(`${path}\n`);
  expect(await answer("log", "--impure", "--expr", derivation)).toBe("built");
  expect(readdirSync(log)).toEqual(["drvs"]);

  const cache = join(place.directory, "cache");
  await answer("copy", "--to", `file://${cache}`, path);
  expect(readFileSync(join(cache, "nix-cache-info"), "utf8")).toBe(`StoreDir: ${storeDir}\n`);
  expect(await answer("store", "gc")).toContain("3 store paths deleted");
  await answer("copy", "--no-check-sigs", "--from", `file://${cache}`, path);
  expect(readFileSync(path, "utf8")).toBe(`${path}\n`);
  await answer("store", "verify", "--no-trust", "--all");

  env = { NIX_STORE_DIR: "/nix/store" };
  const refused = await place.firnWith({ env }, "copy", "--no-check-sigs", "--from", `file://${cache}`, "--all");
  expect(refused).toMatchObject({
    code: 1,
    err: `error: binary cache 'file://${cache}' is for Nix stores with prefix '${storeDir}', not '/nix/store'\n`,
  });
});
