/** Realisations of content-addressed derivations on the command line; all expected texts are recorded from the reference. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;

beforeAll(() => {
  place = makePlace();
  writeFileSync(
    join(place.directory, "work", "f.nix"),
    `derivation {
      name = "ca"; system = "builtin"; builder = "builtin:buildenv"; derivations = ""; manifest = "/none";
      __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";
    }`,
  );
});
afterAll(() => place.remove());

const drvPath = "/nix/store/rfdmwf45birwlcqvxn9rv9kyqzwfhnx3-ca.drv";
const out = "/nix/store/vv25g6axsqdnf71zsaw4y8zxqs633sgn-ca";
const id = "sha256:58acb39be56c7f37ffe4bdebb6da48a014d6e1f60f2b58ae434f90874a87ff4d!out";
const json = `{"dependentRealisations":{},"id":"${id}","outPath":"vv25g6axsqdnf71zsaw4y8zxqs633sgn-ca","signatures":[]}`;

function firn(...words: readonly string[]): Promise<Outcome> {
  return place.firn(...words, "-f", "f.nix", "--extra-experimental-features", "ca-derivations");
}

test("realisations are told, and copied, once they are there", async () => {
  const unbuilt = await firn("realisation", "info");
  expect(unbuilt).toMatchObject({ code: 1, out: "" });
  expect(unbuilt.err).toContain(`error: cannot operate on output 'out' of the unbuilt derivation '${drvPath}'\n`);
  expect((await firn("build", "--no-link", "--json")).out).toBe(
    `[{"drvPath":"${drvPath}","outputs":{"out":"${out}"}}]\n`,
  );
  expect(await firn("realisation", "info")).toMatchObject({ code: 0, out: `${id} ${out}\n` });
  expect(await firn("realisation", "info", "--json")).toMatchObject({ code: 0, out: `[${json}]\n` });
  expect((await firn("path-info")).out).toBe(`${out}\n`);
  const cache = join(place.directory, "cache");
  expect((await firn("copy", "--to", `file:${cache}`)).code).toBe(0);
  expect(readdirSync(join(cache, "realisations"))).toEqual([`${id}.doi`]);
  expect(readFileSync(join(cache, "realisations", `${id}.doi`), "utf8")).toBe(json);
});

test("a signed realisation of a cache keeps its signatures when it is built there, and is used offline", async () => {
  const cache = join(place.directory, "signed");
  const key = join(place.directory, "key");
  const secret = (await place.firn("key", "generate-secret", "--key-name", "k")).out;
  writeFileSync(key, secret);
  const own = join(place.directory, "signing");
  expect((await firn("build", "--no-link", "--store", own, "--secret-key-files", key)).code).toBe(0);
  expect((await firn("copy", "--store", own, "--to", `file:${cache}`)).code).toBe(0);
  const file = join(cache, "realisations", `${id}.doi`);
  const signed = readFileSync(file, "utf8");
  expect(signed).toContain('"signatures":["k:');
  expect((await firn("build", "--no-link", "--store", `file://${cache}`)).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(signed);
  const publicKey = (await place.firnWith({ input: secret }, "key", "convert-secret-to-public")).out;
  const from = ["--substituters", `file://${cache}`, "--trusted-public-keys", publicKey.trim()];
  const offline = (store: string, ...words: string[]): Promise<Outcome> =>
    firn("build", "--no-link", "--offline", "--store", join(place.directory, store), ...from, ...words);
  expect((await offline("building")).err).not.toContain("copying path");
  expect((await offline("fetching", "--substitute")).err).toContain(`copying path '${out}' from 'file://${cache}'`);
});

test("realisation info wants its feature", async () => {
  const refused = await place.firn("realisation", "info", "/nix/store/00000000000000000000000000000000-x");
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain(
    "error: experimental Nix feature 'ca-derivations' is disabled; add '--extra-experimental-features ca-derivations' to enable it\n",
  );
});

test("outputs of one derivation are one target", async () => {
  const expr = "[ drv.out drv.dev ]";
  const whole = `let drv = derivation { name = "x"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }; in ${expr}`;
  const planned = await place.firn("build", "--dry-run", "--json", "--expr", whole);
  const [only, ...others] = JSON.parse(planned.out) as readonly { readonly outputs: object }[];
  expect(others).toEqual([]);
  expect(Object.keys(only!.outputs)).toEqual(["dev", "out"]);
});

test("a string names what its context refers to", async () => {
  const build = (expr: string): Promise<Outcome> => place.firn("build", "--no-link", "--json", "--expr", expr);
  expect((await build('""')).err).toBe(
    "error:\n       … while evaluating the attribute ''\n\n       error: string '' has 0 entries in its context. It should only have exactly one entry\n",
  );
  const deep = await build('(derivation { name = "d"; system = "s"; builder = "b"; }).drvPath');
  expect(deep.err).toContain("has a context which refers to a complete source and binary closure.");
});
