/** A store served over HTTP as a cache for Firn and for the reference, which require signatures. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place, startProgram } from "../support/run-firn.ts";

const realNix = process.env.FIRN_REAL_NIX;
let place: Place;
let server: ChildProcess | undefined;

beforeEach(() => {
  place = makePlace();
});
afterEach(() => {
  server?.kill();
  place.remove();
});

/** Starts the server as a program, and returns its URL. */
function serve(...args: string[]): Promise<string> {
  const { process: started, outcome } = startProgram(["serve", ...args], {
    cwd: join(place.directory, "work"),
    env: place.environment,
  });
  server = started;
  return new Promise((resolve, reject) => {
    started.stderr!.on("data", (chunk: Buffer) => {
      const url = /serving '\/nix\/store' at (http:\S+)\n/.exec(chunk.toString())?.[1];
      if (url !== undefined) resolve(url);
    });
    void outcome.then(({ err }) => reject(new Error(`the server ended: ${err}`)));
  });
}

test.skipIf(!sandboxWorks()).each(["zstd", "none"])("with compression %s", async (compression) => {
  const { directory } = place;
  // Not content-addressed: such a path needs no signature.
  const built = `derivation {
    name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo served > $out" ];
  }`;
  const build = await place.firn("build", "--no-link", "--print-out-paths", "--impure", "--expr", built);
  const path = build.out.trim();
  expect([path, build.code]).toEqual([expect.stringMatching(/-x$/), 0]);
  const secret = (await place.firn("key", "generate-secret", "--key-name", "t-1")).out;
  writeFileSync(join(directory, "key"), secret);
  writeFileSync(join(directory, "token"), "sesame\n");
  writeFileSync(join(directory, "netrc"), "machine 127.0.0.1 login any password sesame\n");
  const publicKey = (await place.firnWith({ input: secret }, "key", "convert-secret-to-public")).out;
  const files = ["--key-file", join(directory, "key"), "--token-file", join(directory, "token")];
  const url = await serve("--port", "0", "--compression", compression, ...files);
  const options = ["--option", "netrc-file", join(directory, "netrc")];
  const trusted = [...options, "--option", "trusted-public-keys", publicKey];

  const other = join(directory, "other");
  const refused = await place.firn("copy", "--from", url, "--to", other, ...options, path);
  expect(refused.err).toContain("lacks a signature by a trusted key");
  expect(await place.firn("copy", "--from", url, "--to", other, ...trusted, path)).toMatchObject({ code: 0 });
  expect(readFileSync(join(other, path), "utf8")).toBe("served\n");
  const stranger = await place.firn("copy", "--from", url, "--to", join(directory, "third"), path);
  expect(stranger.code).toBe(1);
  expect(stranger.err).toContain("401");

  if (realNix === undefined) return;
  const theirs = join(directory, "theirs");
  mkdirSync(theirs);
  execFileSync(
    realNix,
    ["nix", "--extra-experimental-features", "nix-command", "copy", "--from", url, "--to", theirs, ...trusted, path],
    { cwd: directory, stdio: "ignore", env: { ...process.env, REAL_NIX_BIND: directory } },
  );
  expect(readFileSync(join(theirs, path), "utf8")).toBe("served\n");
});
