import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
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

test("a derivation that is added as a file must have the outputs that follow from it", async () => {
  const instantiate = async (name: string, more: string): Promise<[drv: string, output: string]> => {
    const text = `derivation { name = "${name}"; builder = "b"; system = "c"; ${more} }`;
    const drv = (await run("nix-instantiate", "-E", text)).out.trim();
    return [readFileSync(onDisk(drv), "latin1"), (await run("nix-store", "-q", "--outputs", drv)).out.trim()];
  };
  const add = async (name: string, text: string): Promise<Outcome> => {
    writeFileSync(join(place.directory, `work/${name}.drv`), text);
    return run("nix-store", "--add", `${name}.drv`);
  };
  const [plain, output] = await instantiate("a", 'foo = "x1";');
  const forged = await add("a", plain.replace('"x1"', '"x2"'));
  // Words as the reference 2.34.8 has them.
  expect([forged.code, forged.err]).toEqual([
    1,
    expect.stringMatching(
      `^error:\n +… while checking derivation '\\S+-a.drv'\n\n +error: derivation has incorrect output '${output}', should be '/\\S+-a'\n`,
    ),
  ]);
  const [fixed, path] = await instantiate("f", 'outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";');
  const other = `("out","/nix/store/${"a".repeat(32)}-a")`;
  expect((await add("f", fixed.replace(`("out","${path}")`, other))).err).toContain(
    `derivation has incorrect environment variable 'out', should be '${path}' but is actually '/nix/store/${"a".repeat(32)}-a'`,
  );
  expect(await add("f", fixed)).toMatchObject({ code: 0 });
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

/** Makes a program that is `nix-store`, for the far end of a connection, with settings of its own. */
function farEnd(name: string, config: string): string {
  const program = join(place.directory, name);
  const words = `${process.execPath} --disable-warning=ExperimentalWarning ${main} nix-store`;
  writeFileSync(program, `#!/bin/sh\nNIX_CONFIG='${config}' exec ${words} "$@"\n`, { mode: 0o755 });
  return program;
}

test("a store behind ssh at localhost is the far end itself, with a store of its own", async () => {
  const program = farEnd("far-end", "substituters =");
  const far = join(place.directory, "behind ssh");
  const url = `ssh://localhost?remote-program=${program}&remote-store=${encodeURIComponent(far)}`;
  expect(await place.firn("copy", "--to", url, out)).toMatchObject({ code: 0 });
  expect(existsSync(join(far, out))).toBe(true);
  const other = makePlace();
  try {
    expect((await other.firn("copy", "--no-check-sigs", "--from", url, out)).code).toBe(0);
    expect((await other.firnWith({ program: "nix-store" }, "--verify-path", out)).code).toBe(0);
  } finally {
    other.remove();
  }
  expect(JSON.parse((await place.firn("store", "info", "--json", "--store", url)).out)).not.toHaveProperty("trusted");
}, 60_000);

test("a far end serves the store of another far end", async () => {
  const program = farEnd("relay", "substituters =");
  const last = join(place.directory, "behind two");
  const behind = (store: string): string =>
    `ssh://localhost?remote-program=${program}&remote-store=${encodeURIComponent(store)}`;
  expect(await place.firn("copy", "--to", behind(behind(last)), out)).toMatchObject({ code: 0 });
  expect(readFileSync(join(last, out), "latin1")).toBe(readFileSync(onDisk(out), "latin1"));
  const told = await place.firn("path-info", "--json", "--store", behind(behind(last)), out);
  expect(JSON.parse(told.out)).toHaveProperty([out]);
}, 60_000);

test("a binary cache is verified by what it sends", async () => {
  const directory = join(place.directory, "verified");
  expect((await place.firn("copy", "--to", `file://${directory}?compression=none`, out)).code).toBe(0);
  const verify = ["store", "verify", "--no-trust", "--store", `file://${directory}`, "--all"];
  expect(await place.firn(...verify)).toMatchObject({ code: 0 });
  const [name] = readdirSync(join(directory, "nar"));
  const nar = readFileSync(join(directory, "nar", name!));
  nar.write("dama", nar.indexOf("/nix/store/"));
  writeFileSync(join(directory, "nar", name!), nar);
  expect((await place.firn(...verify)).code).not.toBe(0);
});

test("the other machine fetches from its own caches what it is asked to", async () => {
  const cache = `file://${place.directory}/far-cache`;
  expect((await place.firn("copy", "--to", cache, out)).code).toBe(0);
  const program = farEnd("far-end-with-cache", `substituters = ${cache}\nrequire-sigs = false`);
  const far = join(place.directory, "with-cache");
  const url = `ssh://localhost?remote-program=${program}&remote-store=${far}`;
  damage(out);
  try {
    expect((await place.firn("copy", "--to", url, out)).code).toBe(1);
    expect(await place.firn("copy", "--substitute-on-destination", "--to", url, out)).toMatchObject({ code: 0 });
    expect(readFileSync(join(far, out), "latin1")).not.toContain("damaged");
  } finally {
    expect((await run("nix-store", "--repair-path", out)).code).toBe(0);
  }
}, 60_000);
