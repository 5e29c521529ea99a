/** Derivations are written to the store while the evaluation goes on; nobody may notice. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const derivations = (): string[] => readdirSync(join(place.store, "nix/store")).filter((name) => name.endsWith(".drv"));

const simple = (name: string): string => `derivation { name = "${name}"; system = "any"; builder = "/bin/sh"; }`;

const reading = `let
  path = builtins.unsafeDiscardStringContext (${simple("x")}).drvPath;
in [ (builtins.pathExists path) (builtins.readFileType path) (builtins.substring 0 8 (builtins.readFile path)) ]`;

test("the evaluation that made a derivation can read its file", async () => {
  expect(await place.firn("eval", "--impure", "--json", "--expr", reading)).toMatchObject({
    out: '[true,"regular","Derive(["]\n',
    err: "",
  });
  expect(await place.firn("nix-instantiate", "--eval", "--strict", "--read-write-mode", "-E", reading)).toMatchObject({
    out: '[ true "regular" "Derive([" ]\n',
    err: "",
  });
});

test("what a failing evaluation made before is in the store", async () => {
  const failing = `builtins.seq (${simple("y")}).drvPath (throw "no")`;
  const { code, err } = await place.firn("eval", "--impure", "--expr", failing);
  expect([code, err]).toEqual([1, expect.stringContaining("error: no")]);
  expect(derivations()).toEqual([expect.stringMatching(/-y\.drv$/)]);
});

test("thousands that refer to each other are all valid afterwards", async () => {
  writeFileSync(
    join(place.directory, "work/chain.nix"),
    `let
  step = before: n: derivation { name = "step-\${toString n}"; system = "any"; builder = "/bin/sh"; inherit before; file = if n - n / 10 * 10 == 0 then builtins.toFile "text" (toString n) else null; };
in builtins.foldl' step "" (builtins.genList (n: n) 2500)\n`,
  );
  const { code, err } = await place.firn("nix-instantiate", "chain.nix", "--add-root", "drv");
  expect([code, err]).toEqual([0, ""]);
  const closure = (
    await place.firn("path-info", "-r", `/nix/store/${derivations().find((name) => name.endsWith("-step-2499.drv"))}`)
  ).out
    .trim()
    .split("\n");
  expect(closure.filter((path) => path.endsWith(".drv")).length).toBe(2500);
  expect(derivations().length).toBe(2500);
  expect(await place.firn("store", "verify", "--all", "--no-trust")).toMatchObject({ code: 0 });
});

test("that they cannot be written fails the evaluation", async () => {
  expect((await place.firn("eval", "--impure", "--raw", "--expr", `(${simple("a")}).drvPath`)).code).toBe(0);
  const env = { NIX_REMOTE: `local?root=${place.store}&read-only=true` };
  const { code, err } = await place.firnWith(
    { env },
    "eval",
    "--impure",
    "--raw",
    "--expr",
    `(${simple("b")}).drvPath`,
  );
  expect([code, err]).toEqual([1, expect.stringContaining("attempt to write a readonly database")]);
  expect(derivations()).toEqual([expect.stringMatching(/-a\.drv$/)]);
  expect(existsSync(join(place.store, "nix/store"))).toBe(true);
});
