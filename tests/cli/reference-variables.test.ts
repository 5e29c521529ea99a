/** Variables by which the reference's own tests steer what else depends on the machine. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;

beforeAll(() => {
  place = makePlace();
  work = join(place.directory, "work");
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => place.remove());

test("local repositories are cloned as remote ones are; the HEAD of a remote is a ref like others", async () => {
  const repository = join(work, "repository");
  mkdirSync(repository);
  const git = (...words: string[]): string =>
    execFileSync("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", ...words], {
      encoding: "utf8",
    });
  git("init", "--quiet", "--initial-branch", "other");
  git("commit", "--quiet", "--allow-empty", "--message", "one");
  const rev = git("rev-parse", "HEAD").trim();
  const fetch = `(builtins.fetchGit { url = "file://${repository}"; ref = "HEAD"; }).rev`;
  vi.stubEnv("_NIX_FORCE_HTTP", "1");
  expect(await place.firn("eval", "--impure", "--raw", "--expr", fetch)).toMatchObject({ code: 0, out: rev });
  const whole = `(builtins.fetchGit "file://${repository}").rev`;
  expect(await place.firn("eval", "--impure", "--raw", "--expr", whole)).toMatchObject({ code: 0, out: rev });
  renameSync(repository, `${repository}-gone`);
  expect(await place.firn("eval", "--impure", "--raw", "--expr", whole)).toMatchObject({ code: 0, out: rev });
  vi.unstubAllEnvs();
  expect((await place.firn("eval", "--impure", "--raw", "--expr", whole)).code).toBe(1);
});

test("caches in files are remembered as remote ones are, and cannot be written to", async () => {
  writeFileSync(join(work, "file"), "content");
  const cache = `file://${place.directory}/cache`;
  const path = (await place.firn("store", "add", "file")).out.trim();
  expect((await place.firn("copy", "--to", cache, path)).code).toBe(0);
  vi.stubEnv("_NIX_FORCE_HTTP", "1");
  expect(await place.firn("store", "info", "--store", cache)).toMatchObject({ code: 0 });
  rmSync(join(place.directory, "cache/nix-cache-info"));
  expect(await place.firn("store", "info", "--store", cache)).toMatchObject({ code: 0 });
  const asked = await place.firn("store", "info", "--store", cache, "--refresh");
  expect([asked.code, asked.err]).toEqual([
    1,
    expect.stringContaining(`uploading to '${cache}/nix-cache-info' is not supported`),
  ]);
  const written = await place.firn("store", "add", "--store", cache, "--name", "other", "file");
  expect([written.code, written.err]).toEqual([1, expect.stringContaining("is not supported")]);
});

test("fetchClosure takes stores in files only then", async () => {
  writeFileSync(join(work, "closure"), "closure");
  const cache = `file://${place.directory}/closures`;
  const path = (await place.firn("store", "add", "closure")).out.trim();
  expect((await place.firn("copy", "--to", cache, path)).code).toBe(0);
  const expression = `builtins.fetchClosure { fromStore = "${cache}"; fromPath = ${path}; }`;
  const words = ["eval", "--raw", "--expr", expression, "--extra-experimental-features", "fetch-closure"];
  const refused = await place.firn(...words);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining("only supports http:// and https:// stores"),
  ]);
  vi.stubEnv("_NIX_IN_TEST", "1");
  expect(await place.firn(...words)).toMatchObject({ code: 0, out: path });
});

test("garbage is collected while a builder runs when there is too little room", async () => {
  writeFileSync(join(work, "garbage"), "x".repeat(10_000));
  const garbage = (await place.firn("store", "add", "garbage")).out.trim();
  const onDisk = join(place.store, garbage);
  expect(existsSync(onDisk)).toBe(true);
  // Builders of another user write here.
  const directory = join(place.directory, "seen");
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const free = join(directory, "free");
  writeFileSync(free, "1000000");
  chmodSync(free, 0o666);
  const shown = `/seen=${directory} /whole=${place.store}/nix/store`;
  vi.stubEnv("_NIX_TEST_FREE_SPACE_FILE", free);
  const script = `set -e; [ -e /whole/${basename(garbage)} ]; echo 100 > /seen/free; while [ -e /whole/${basename(garbage)} ]; do :; done; echo done > $out`;
  const expression = `derivation { name = "waits"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" ${JSON.stringify(script).replaceAll("$", "\\$")} ]; }`;
  const limits = ["--min-free", "1K", "--max-free", "20K", "--min-free-check-interval", "1"];
  const options = ["--option", "extra-sandbox-paths", shown, "--timeout", "60"];
  const built = await place.firn("build", "--no-link", "--impure", "--expr", expression, ...limits, ...options);
  expect([built.code, built.err]).toEqual([0, expect.stringContaining("running auto-GC")]);
  expect(existsSync(onDisk)).toBe(false);
}, 90_000);
