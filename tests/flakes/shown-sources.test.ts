/** Trees are named in errors by the source that they were fetched from, as the reference names them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let repository: string;
let directory: string;

const date = "2020-01-01T00:00:00Z";
const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" };

function git(...args: string[]): string {
  const env = { ...process.env, ...identity, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  return execFileSync("git", ["-C", repository, ...args], { env, encoding: "utf8" }).trim();
}

beforeAll(() => {
  place = makePlace();
  const root = realpathSync(place.directory);
  repository = join(root, "repository");
  directory = join(root, "directory");
  mkdirSync(repository);
  mkdirSync(directory);
  git("init", "-q", "-b", "main");
  writeFileSync(
    join(repository, "flake.nix"),
    `{ outputs = _: { x = throw "inner"; read = builtins.readFile ./none; imported = import ./none.nix; sub = import ./sub.nix; }; }\n`,
  );
  writeFileSync(join(repository, "sub.nix"), "a\n");
  git("add", ".");
  git("commit", "-q", "-m", "1");
  writeFileSync(
    join(directory, "flake.nix"),
    `{ inputs.i.url = "git+file://${repository}"; outputs = { self, i }: { inherit (i) x read imported sub; }; }\n`,
  );
});
afterAll(() => place.remove());

/** Returns the files that a trace names, in order, and the message, with the revision's hash left out. */
async function told(...args: string[]): Promise<readonly string[]> {
  const { code, err }: Outcome = await place.firn("eval", ...args);
  expect(code).toBe(1);
  const shown = err.replaceAll(git("rev-parse", "HEAD"), "REV").replaceAll(repository, "REPO");
  const lines = shown.split("\n").map((line) => line.trim());
  return lines.filter((line) => /^at |^error: ./.test(line)).map((line) => line.replace(/:\d+:\d+:$/, ""));
}

test("a revision", async () => {
  const source = "«git+file://REPO?ref=main&rev=REV»";
  const reference = (name: string): string => `git+file://${repository}?ref=main#${name}`;
  expect(await told(reference("x"))).toEqual([`at ${source}/flake.nix`, "error: inner"]);
  expect(await told(reference("read"))).toEqual([`at ${source}/flake.nix`, `error: '${source}/none' does not exist`]);
  expect(await told(reference("imported"))).toEqual([
    `at ${source}/flake.nix`,
    `error: path '${source}/none.nix' does not exist`,
  ]);
  expect(await told(reference("sub"))).toEqual([
    `at ${source}/flake.nix`,
    "error: undefined variable 'a'",
    `at ${source}/sub.nix`,
  ]);
});

test("impure evaluations know the store path only", async () => {
  const store = expect.stringMatching(/^at \/nix\/store\/[0-9a-z]{32}-source\/flake\.nix$/);
  expect(await told("--impure", `git+file://${repository}?ref=main#x`)).toEqual([store, "error: inner"]);
});

test("an entry of a lock file", async () => {
  expect(await place.firn("flake", "lock", `path:${directory}`)).toMatchObject({ code: 0 });
  const source = "«git+file://REPO?ref=refs/heads/main&rev=REV&shallow=1»";
  const twice = [`at ${source}/flake.nix`, `at ${source}/flake.nix`];
  expect(await told(`path:${directory}#x`)).toEqual([...twice, "error: inner"]);
  expect(await told(`path:${directory}#read`)).toEqual([
    ...twice,
    expect.stringMatching(/^error: opening file '\/nix\/store\/[0-9a-z]{32}-source\/none': No such file or directory$/),
  ]);
  expect(await told(`path:${directory}#imported`)).toEqual([
    ...twice,
    `error: path '${source}/none.nix' does not exist`,
  ]);
});

test("a setting that is a file of the flake stays the same when another file changes", async () => {
  writeFileSync(join(directory, "hook"), "#!/bin/sh\n", { mode: 0o755 });
  const hook = async (name: string): Promise<string | undefined> => {
    const text = `derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }`;
    writeFileSync(
      join(directory, "flake.nix"),
      `{ nixConfig.post-build-hook = ./hook; outputs = _: { packages.x86_64-linux.default = ${text}; }; }\n`,
    );
    const { err } = await place.firn("build", "--accept-flake-config", "--no-link", `path:${directory}`);
    // The store of tests is not at /nix/store, so that the hook cannot be started.
    return /'(\/nix\/store\/[0-9a-z]{32}-hook)'/.exec(err)?.[1];
  };
  const first = await hook("one");
  expect(first).toBeDefined();
  expect(await hook("two")).toBe(first);
});
