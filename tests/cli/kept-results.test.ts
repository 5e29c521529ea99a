/** The same command again: answers of earlier evaluations. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;

/** Takes long enough to be kept. */
const slow = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) 500000)";

beforeEach(() => {
  place = makePlace();
  work = join(place.directory, "work");
  write("message.nix", '"hello"');
  mkdirSync(join(work, "src"));
  write("src/file", "1");
  write(
    "default.nix",
    `builtins.trace "traced" (builtins.warn "warned" (builtins.seq (${slow}) (derivation {
      name = "x"; system = "x86_64-linux"; builder = "/bin/sh";
      src = ./src; message = import ./message.nix; choice = builtins.getEnv "CHOICE";
    })))\n`,
  );
});
afterEach(() => place.remove());

function write(path: string, text: string): void {
  writeFileSync(join(work, path), text);
}

function firn(...args: string[]): Promise<Outcome> {
  return place.firnWith({ env: {} }, ...args);
}

const used = "cache: nothing that was read has changed\n";
const instantiate = ["nix-instantiate", "--explain-cache", "--no-gc-warning", "default.nix"];

test("gives the same answer and the same messages without evaluating", async () => {
  const first = await firn(...instantiate);
  const second = await firn(...instantiate);
  expect(first.err).toContain("cache: evaluating: it was not evaluated before\n");
  expect(first.err).toContain("trace: traced\n");
  expect(first.err).toContain("evaluation warning: warned\n");
  expect(second).toEqual({
    ...first,
    err: first.err.replace("cache: evaluating: it was not evaluated before\n", used),
  });
});

test.each([
  ["an imported file", () => write("message.nix", '"bye"'), "/message.nix' has changed"],
  ["a copied tree", () => write("src/file", "2"), "/src' has changed"],
  ["the expression", () => write("default.nix", `${slow}\n`), "/default.nix' has changed"],
])("evaluates again after a change of %s, and tells it", async (_name, change, told) => {
  const first = await firn(...instantiate);
  change();
  const second = await firn(...instantiate);
  expect(second.err).toContain(told);
  expect(second.out).not.toBe(first.out);
});

test("depends on the variables that were asked for, and on no others", async () => {
  const first = await firn(...instantiate);
  expect(await place.firnWith({ env: { OTHER: "1" } }, ...instantiate)).toMatchObject({ out: first.out });
  const chosen = await place.firnWith({ env: { CHOICE: "1" } }, ...instantiate);
  expect(chosen.err).toContain("the variable 'CHOICE' has changed");
  expect(chosen.out).not.toBe(first.out);
});

test("writes a derivation again that was collected", async () => {
  const first = await firn(...instantiate);
  const drv = join(place.store, first.out.trim());
  expect(statSync(drv).isFile()).toBe(true);
  await firn("store", "gc");
  expect(() => statSync(drv)).toThrow("ENOENT");
  const again = await firn(...instantiate);
  expect(again.out).toBe(first.out);
  expect(again.err).toContain("is not in the store");
  expect(statSync(drv).isFile()).toBe(true);
});

test("serves new commands, dirty work trees of flakes, and commands that share their beginning", async () => {
  write("flake.nix", `{ outputs = _: rec { a = import ./. ; b = builtins.seq a.name "b"; }; }`);
  write("default.nix", `builtins.seq (${slow}) (derivation { name = "x"; system = "s"; builder = "b"; src = ./src; })`);
  spawnSync("git", ["init", "-q"], { cwd: work });
  spawnSync("git", ["add", "."], { cwd: work });
  const evaluate = (name: string) => firn("eval", "--explain-cache", "--no-write-lock-file", `.#${name}`);
  const first = await evaluate("a.drvPath");
  expect(first.code).toBe(0);
  expect((await evaluate("a.drvPath")).err).toContain(used);
  const other = await evaluate("b");
  expect(other).toMatchObject({ out: '"b"\n' });
  expect(other.err).toContain(`${used}cache: evaluating the rest: it was not evaluated before\n`);
  write("src/file", "2");
  const changed = await evaluate("a.drvPath");
  expect(changed.out).not.toBe(first.out);
  expect((await evaluate("a.drvPath")).err).toContain(used);
});

test("evaluates a flake again when a link is put in the way of a file that it has read, whatever it leads to", async () => {
  const flake = join(work, "flake");
  mkdirSync(join(flake, "below"), { recursive: true });
  write(
    "flake/flake.nix",
    `{ outputs = _: { x = builtins.seq (${slow}) (import ./below/value.nix + builtins.readFile ./below/text); }; }\n`,
  );
  write("flake/below/value.nix", '"value "\n');
  write("flake/below/text", "text");
  const evaluate = (...flags: string[]): Promise<Outcome> =>
    firn("eval", "--explain-cache", ...flags, `path:${flake}#x`);
  const first = await evaluate();
  expect(first).toMatchObject({ code: 0, out: '"value text"\n' });
  expect((await evaluate()).err).toContain(used);
  renameSync(join(flake, "below"), join(work, "elsewhere"));
  symlinkSync(join(work, "elsewhere"), join(flake, "below"));
  const behindLink = await evaluate();
  expect(behindLink.err).toContain("below/value.nix' has changed\n");
  expect(behindLink).toMatchObject({ code: 1, out: "" });
  expect((await evaluate("--no-eval-cache")).code).toBe(1);
});

test("keeps no errors, and nothing that depends on the time or is told not to", async () => {
  write("fails.nix", `builtins.seq (${slow}) (throw (import ./message.nix))`);
  for (const _ of [1, 2]) {
    const { code, err } = await firn("eval", "--explain-cache", "-f", "fails.nix");
    expect(code).toBe(1);
    expect(err).toContain("error: hello");
    expect(err).not.toContain(used);
  }
  write("time.nix", `builtins.seq (${slow}) builtins.currentTime`);
  for (const _ of [1, 2]) {
    const { err } = await firn("eval", "--explain-cache", "-f", "time.nix");
    expect(err).toContain("cache: not kept: it asked for the time\n");
  }
  await firn(...instantiate);
  expect((await firn(...instantiate, "--no-eval-cache")).err).not.toContain("cache:");
});

test("takes a damaged database for an empty one", async () => {
  const first = await firn(...instantiate);
  const file = join(place.directory, "home/.cache/firn/code/results.sqlite");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const bytes = readFileSync(file);
  for (const damage of [
    () => bytes.fill(0xff, 0, 100),
    () => bytes.fill(0x55, 4096),
    () => bytes.subarray(0, bytes.length >> 1),
  ]) {
    writeFileSync(file, damage());
    expect((await firn(...instantiate)).out).toBe(first.out);
    expect((await firn(...instantiate)).out).toBe(first.out);
  }
});

test("uses nothing from a directory in which others may write", async () => {
  await firn(...instantiate);
  const directory = join(place.directory, "home/.cache/firn/code");
  expect((await firn(...instantiate)).err).toContain(used);
  chmodSync(directory, 0o777);
  expect((await firn(...instantiate)).err).not.toContain(used);
  chmodSync(directory, 0o700);
  expect((await firn(...instantiate)).err).toContain(used);
});

test("is shown and removed", async () => {
  await firn(...instantiate);
  const info = await firn("cache", "info");
  expect(info.out).toMatch(
    /^directory: .*\/home\/\.cache\/firn\/code\nanswers: [1-9]\d* \(\d+\.\d MiB\)\nlowered code: \d+ files/,
  );
  expect(JSON.parse((await firn("cache", "info", "--json")).out)).toMatchObject({ code: {} });
  expect(await firn("cache", "clear")).toEqual({ code: 0, out: "", err: "" });
  expect(readdirSync(join(place.directory, "home/.cache/firn/code"))).toEqual([]);
  expect((await firn(...instantiate)).err).toContain("it was not evaluated before");
});
