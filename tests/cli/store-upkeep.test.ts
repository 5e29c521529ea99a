import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let drv = "";
let out = "";
const expression =
  'derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $src > $out" ]; src = builtins.toFile "src" "text"; }';

beforeAll(async () => {
  place = makePlace();
  drv = (await run("nix-instantiate", "-E", expression)).out.trim();
  out = (await run("nix-store", "-r", drv, "--no-gc-warning")).out.trim();
}, 120_000);
afterAll(() => place.remove());

function run(program: string, ...args: string[]): Promise<Outcome> {
  return place.firnWith({ program }, ...args);
}

function onDisk(path: string): string {
  return join(place.store, path);
}

function damage(path: string): void {
  chmodSync(onDisk(path), 0o644);
  appendFileSync(onDisk(path), "damaged");
}

describe("a damaged path", () => {
  test("is found by its contents and built again", async () => {
    damage(out);
    const found = await run("nix-store", "--verify-path", out);
    expect(found.err).toContain(`path '${out}' was modified! expected hash 'sha256:`);
    expect(found.code).toBe(1);
    expect((await run("nix-store", "--verify", "--check-contents")).code).toBe(1);
    expect((await run("nix-store", "--verify", "--check-contents", "--repair")).code).toBe(0);
    expect(await run("nix-store", "--verify-path", out)).toMatchObject({ code: 0, err: "" });
  });

  test("is fetched again from a cache, also when it is gone", async () => {
    const cache = `file://${place.directory}/cache`;
    expect((await place.firn("copy", "--to", cache, out)).code).toBe(0);
    rmSync(onDisk(out), { force: true });
    const options = ["--option", "substituters", cache, "--option", "require-sigs", "false"];
    expect((await run("nix-store", "--repair-path", out, ...options)).err).not.toContain("building");
    expect(await run("nix-store", "--verify-path", out)).toMatchObject({ code: 0 });
  });

  test("that nothing can repair is told", async () => {
    const text = (await run("nix-store", "--add", "../home")).out.trim();
    rmSync(onDisk(text), { recursive: true });
    writeFileSync(onDisk(text), "other");
    const { code, err } = await place.firn("store", "repair", text);
    expect([code, err]).toEqual([1, `error: cannot repair path '${text}'\n`]);
    const verified = await run("nix-store", "--verify", "--check-contents", "--repair");
    expect(verified.err).toContain(`warning: cannot repair path '${text}'`);
    expect(verified.code).toBe(1);
    expect((await run("nix-store", "--delete", text)).code).toBe(0);
  });
});

test("equal files are shared, once", async () => {
  writeFileSync(join(place.directory, "work/one"), "the same");
  writeFileSync(join(place.directory, "work/two"), "the same");
  const [one = "", two = ""] = (await run("nix-store", "--add", "one", "two")).out.split("\n");
  const first = await run("nix-store", "--optimise");
  expect(first.err).toMatch(/freed by hard-linking 1 files/);
  expect(lstatSync(onDisk(one)).ino).toBe(lstatSync(onDisk(two)).ino);
  expect((await run("nix-store", "--optimise")).err).toBe("0.0 KiB freed by hard-linking 0 files\n");
  expect((await run("nix-store", "--verify", "--check-contents")).code).toBe(0);
});

test("a build shares its files when the store is told to", async () => {
  const [a, b] = ["a", "b"].map((name) => expression.replace('"x"', `"${name}"`).replace("$src", "twin"));
  const build = async (text = ""): Promise<string> =>
    (await run("nix-build", "--no-out-link", "--auto-optimise-store", "-E", text)).out.trim();
  expect(lstatSync(onDisk(await build(a))).ino).toBe(lstatSync(onDisk(await build(b))).ino);
}, 60_000);

test("what keeps a path is shown with the chain of references to it", async () => {
  const link = join(place.directory, "work/kept");
  expect((await run("nix-store", "-r", out, "--add-root", link)).out).toBe(`${link}\n`);
  const source = (await run("nix-store", "-q", "--references", out)).out.trim();
  expect(await place.firn("store", "why-alive", source)).toMatchObject({
    code: 0,
    out: `${link}\n-> ${out}\n  -> ${source}\n`,
  });
  expect(JSON.parse((await place.firn("store", "why-alive", "--json", source)).out)).toEqual({
    [source]: [{ chain: [out, source], roots: [link] }],
  });
  rmSync(link);
  expect((await place.firn("store", "why-alive", source)).out).toBe(`'${source}' is kept by no root\n`);
});

test("old generations go before what only they kept", async () => {
  const profile = join(place.store, "nix/var/nix/profiles/test");
  const first = (await run("nix-store", "--add", "one")).out.trim();
  for (const path of [first, out]) expect((await run("nix-env", "-p", profile, "--set", path)).code).toBe(0);
  const dry = await run("nix-collect-garbage", "-d", "--dry-run");
  expect(dry.err).toContain(`removing old generations of profile ${profile}\nwould remove profile version 1\n`);
  expect(existsSync(onDisk(first))).toBe(true);
  const done = await run("nix-collect-garbage", "-d");
  expect(done.err).toContain(`deleting '${first}'`);
  expect(done.out).toMatch(/^\d+ store paths deleted, [\d.]+ KiB freed\n$/);
  expect([existsSync(onDisk(first)), existsSync(onDisk(out))]).toEqual([false, true]);
  expect(readlinkSync(profile)).toBe("test-2-link");
});

test("an export that is cut short adds nothing of the path that it cuts", async () => {
  const { out: stream } = await place.firnWith({ program: "nix-store", bytes: true }, "--export", out);
  const other = makePlace();
  try {
    const importing = (input: string): Promise<Outcome> => other.firnWith({ program: "nix-store", input }, "--import");
    expect(await importing(stream.slice(0, -30))).toMatchObject({ code: 1, out: "" });
    expect(await importing(`x${stream}`)).toMatchObject({ code: 1 });
    const { code, err } = await importing(stream);
    expect([code, err]).toEqual([1, expect.stringContaining("is not valid")]);
    expect(await other.firnWith({ program: "nix-store" }, "--dump-db")).toMatchObject({ code: 0, out: "" });
  } finally {
    other.remove();
  }
});

test("copied paths become a generation of a profile and a root of the destination", async () => {
  const [to, profile, link] = ["far", "far-profile", "far-link"].map((name) => join(place.directory, name));
  const { code } = await place.firn("copy", "--no-check-sigs", "--to", to!, "--profile", profile!, "-o", link!, out);
  expect([code, readlinkSync(profile!), readlinkSync(link!)]).toEqual([0, "far-profile-1-link", out]);
  expect(readFileSync(join(to!, out), "latin1")).toContain("-src");
});

test("a derivation is added only with the right output paths", async () => {
  const shown = JSON.parse((await place.firn("derivation", "show", drv)).out) as {
    derivations: Record<string, object>;
  };
  const [json] = Object.values(shown.derivations);
  const add = (value: object): Promise<Outcome> =>
    place.firnWith({ input: JSON.stringify(value) }, "derivation", "add");
  expect(await add(json!)).toMatchObject({ code: 0, out: `${drv}\n` });
  expect(await add({ ...json, outputs: { out: {} } })).toMatchObject({ code: 0, out: `${drv}\n` });
  const renamed = await add({ ...json, name: "y" });
  expect([renamed.code, renamed.err]).toEqual([1, expect.stringContaining(`has incorrect output '${out}', should be`)]);
});
