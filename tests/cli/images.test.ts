/** Images that commands have made in the background, and begin with. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;
let images: string;

beforeEach(() => {
  place = makePlace();
  work = join(place.directory, "work");
  images = join(place.directory, "home/.cache/firn/code/images");
  mkdirSync(join(work, "pkgs/by-name"), { recursive: true });
  // Many packages from many files.
  for (let i = 0; i < 60; i++) {
    writeFileSync(join(work, `pkgs/by-name/p${i}.nix`), `mk: mk "p${i}"\n`);
  }
  write(
    "pkgs/default.nix",
    `{ system }:
    let
      mk = name: derivation { inherit name system; builder = "/bin/sh"; };
      files = map (name: import (./by-name + "/\${name}") mk) (builtins.attrNames (builtins.readDir ./by-name));
      packages = builtins.listToAttrs (map (value: { inherit (value) name; inherit value; }) files);
      more = builtins.listToAttrs (builtins.genList (i: { name = "more\${toString i}"; value = i; }) 300);
    in packages // more // { inherit mk; }\n`,
  );
});
afterEach(async () => {
  // What the last command has started goes on by itself, and writes below the home.
  for (let quiet = 0; quiet < 10; quiet++) {
    await sleep(50);
    if (existsSync(join(images, "making"))) quiet = 0;
  }
  place.remove();
});

function write(path: string, text: string): void {
  writeFileSync(join(work, path), text);
}

/** Runs the program in a process of its own. */
async function instantiate(
  edit: string,
  ...flags: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  write(
    "default.nix",
    `let pkgs = import ./pkgs { system = "x86_64-linux"; }; in derivation {
      name = "whole"; system = "x86_64-linux"; builder = pkgs.p1; args = [ pkgs.p2 "${edit}" ];
    }\n`,
  );
  return run(work, "nix-instantiate", "--explain-cache", "--no-gc-warning", ...flags, "default.nix");
}

async function run(cwd: string, ...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const program = join(import.meta.dirname, "../../firn");
  const child = spawn(program, words, {
    cwd,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: join(place.directory, "home"),
      NIX_CONF_DIR: join(place.directory, "etc"),
      NIX_CONFIG: "substituters =\n",
      NIX_REMOTE: place.store,
      _FIRN_ALWAYS_IMAGES: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}

/** Waits until an image is there, and the process that made it has ended. */
async function imageFile(): Promise<string> {
  for (;;) {
    const names = existsSync(images) ? readdirSync(images) : [];
    const found = names.find((name) => name.endsWith(".image"));
    if (found !== undefined && !names.includes("making")) return join(images, found);
    await sleep(100);
  }
}

const begun = "cache: beginning with an image of";

test("are made after an evaluation, and used after an edit of what is not in them", async () => {
  const first = await instantiate("a");
  expect(first).toMatchObject({ code: 0 });
  const file = await imageFile();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const second = await instantiate("b");
  expect(second.err).toContain(begun);
  expect((await instantiate("b", "--no-eval-cache")).out).toBe(second.out);
  // Back again: the same derivation as without.
  const third = await instantiate("a");
  expect(third.out).toBe(first.out);

  // A file of the packages is another one: the image is none any more, and is made anew.
  write("pkgs/by-name/p2.nix", 'mk: mk "p2-changed"\n');
  const before = statSync(file).ino;
  const changed = await instantiate("a");
  expect(changed.err).not.toContain(begun);
  expect(changed.out).not.toBe(first.out);
  while (statSync(await imageFile()).ino === before) await sleep(100);
  const again = await instantiate("c");
  expect(again.err).toContain(begun);
  expect((await instantiate("c", "--no-eval-cache")).out).toBe(again.out);

  // One that is damaged or cut short is not used.
  const bytes = readFileSync(file);
  for (const damage of [bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1), bytes.subarray(0, -100)]) {
    writeFileSync(file, damage);
    const refused = await instantiate(`d${damage.length}`);
    expect(refused.err).toContain("cache: evaluating again without an image");
    expect((await instantiate(`d${damage.length}`, "--no-eval-cache")).out).toBe(refused.out);
  }
  expect((await place.firn("cache", "info")).out).toMatch(/\nimages: [1-9]\d* files/);
  await place.firn("cache", "clear");
  expect(existsSync(images)).toBe(false);
}, 600_000);

test("are made of flakes without inputs, also where their packages have overlays", async () => {
  const all = readFileSync(join(work, "pkgs/default.nix"), "utf8");
  write(
    "pkgs/default.nix",
    all.replace("{ system }:", "{ system, overlay }:").replace("in packages", "in overlay packages"),
  );
  write(
    "pkgs/flake.nix",
    `{
      outputs = { self }: {
        lib = (import ./lib.nix).extended "flake";
        packages = import ./. { system = "x86_64-linux"; overlay = packages: packages // { added = "added by ${"${self}"}"; }; };
      };
    }\n`,
  );
  write("pkgs/lib.nix", '{ extended = by: { name = args: { inherit (args) text; f = x: "${x}-${by}"; }; }; }\n');
  const flake = join(work, "flake");
  mkdirSync(flake);
  const evaluate = (edit: string, ...flags: string[]): ReturnType<typeof run> => {
    write(
      "flake/flake.nix",
      `{
        inputs.pkgs.url = "path:${work}/pkgs";
        outputs = { self, pkgs }: {
          a = "${edit} ${"${pkgs.packages.p1}"} ${"${pkgs.packages.added}"} ${'${(pkgs.lib.name { text = "x"; }).f "y"}'}";
        };
      }\n`,
    );
    return run(flake, "eval", "--raw", "--explain-cache", ...flags, ".#a");
  };
  const first = await evaluate("a");
  expect(first).toMatchObject({ code: 0 });
  expect(first.out).toMatch(/^a \/.*-p1 added by \/.* y-flake$/);
  await imageFile();
  const second = await evaluate("b");
  expect(second.err).toContain(`${begun} '\u00abinternal\u00bb/flake-of-tree.nix'`);
  expect(second.err).not.toContain("without an image");
  expect(second.out).toBe(first.out.replace(/^a/, "b"));
  expect((await evaluate("b", "--no-eval-cache")).out).toBe(second.out);

  // Another tree of the input is another flake.
  write("pkgs/by-name/p1.nix", 'mk: mk "p1" // { name = "p1"; outPath = "changed"; }\n');
  await run(flake, "flake", "update");
  const third = await evaluate("c");
  expect(third.out).toContain("c changed added by");
  expect((await evaluate("c", "--no-eval-cache")).out).toBe(third.out);
}, 600_000);
