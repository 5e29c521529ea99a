/** Working directories, homes, stores and names that are not ASCII, or no text at all; checked beside the reference. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { byteStringOf } from "@firn/formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;
let env: Record<string, string>;

const derivation = `derivation {
  name = "d"; system = builtins.currentSystem; builder = "/bin/sh"; v = "ж";
  args = [ "-c" "echo $v > $out; echo построено" ];
}`;

beforeAll(() => {
  place = makePlace();
  work = join(place.directory, "Документы/ü b");
  const home = join(place.directory, "hömé");
  const temporary = join(place.directory, "tmp ü");
  mkdirSync(join(work, "tree"), { recursive: true });
  mkdirSync(home);
  mkdirSync(temporary);
  env = { HOME: home, TMPDIR: temporary, NIX_REMOTE: join(place.directory, "störe"), PATH: process.env.PATH ?? "" };
  writeFileSync(join(work, "x.nix"), `{ a = "ñ"; here = ./.; d = ${derivation}; }`);
  writeFileSync(join(work, "bad.nix"), 'throw "плохо: ${toString ./.}"');
  writeFileSync(join(work, "flake.nix"), '{ outputs = _: { "ключ" = 1; names = builtins.readDir ./tree; }; }');
  writeFileSync(join(work, "tree/Файл"), "f");
  symlinkSync("цель", join(work, "tree/link"));
  const raw = Buffer.concat([Buffer.from(join(work, "tree")), Buffer.from("/\xff.txt", "latin1")]);
  writeFileSync(raw, "x");
});
afterAll(() => place.remove());

const firn = (...args: string[]): Promise<Outcome> => place.firnWith({ cwd: work, env }, ...args);
async function answer(...args: string[]): Promise<string> {
  const { code, out, err } = await firn(...args);
  expect({ args, code, err }).toMatchObject({ args, code: 0 });
  return out;
}

describe("evaluation", () => {
  test("of files, expressions and the search path", async () => {
    expect(await answer("eval", "-f", "x.nix", "a")).toBe('"ñ"\n');
    expect(await answer("eval", "--raw", "-f", "x.nix", "a")).toBe("ñ");
    expect(await answer("eval", "--json", "-f", "x.nix", "a")).toBe('"ñ"\n');
    expect(await answer("eval", "-f", "x.nix", "here")).toBe(`${work}\n`);
    expect(await answer("eval", "--impure", "-I", `u=${work}`, "--expr", "<u/x.nix>")).toBe(`${work}/x.nix\n`);
    expect(await answer("eval", "--impure", "--expr", '"${builtins.getEnv "HOME"}"')).toBe(`"${env.HOME}"\n`);
    expect(await answer("eval", "--apply", 'x: x + "ж"', "--expr", '"щ"')).toBe('"щж"\n');
    expect(await answer("eval", "--json", "--expr", '{ "ж" = "ü"; }')).toBe('{"ж":"ü"}\n');
  });

  test("errors, traces and warnings name such places", async () => {
    const { code, err } = await firn("eval", "-f", "bad.nix");
    expect(code).toBe(1);
    expect(err).toContain(`at ${work}/bad.nix:1:1:`);
    expect(err).toContain(`error: плохо: ${work}`);
    expect((await firn("eval", "-f", "nö.nix")).err).toBe(`error: path '${work}/nö.nix' does not exist\n`);
    expect((await firn("eval", "--expr", 'builtins.trace "т" 1')).err).toBe("trace: т\n");
    expect((await firn("ж")).err).toContain("'ж' is not a recognised command");
  });

  test("writes trees with such names", async () => {
    await answer("eval", "--write-to", "wrïtten", "--expr", '{ "ж" = "щ"; }');
    expect(readFileSync(join(work, "wrïtten/ж"), "utf8")).toBe("щ");
  });
});

describe("trees", () => {
  test("have names of any bytes", async () => {
    expect(await answer("hash", "path", "tree")).toMatch(/^sha256-/);
    expect(await answer("store", "add", "--name", "tree", "tree")).toMatch(/-tree\n$/);
    const names = await answer("eval", "--impure", "--expr", "builtins.attrNames (builtins.readDir ./tree)");
    expect(names).toBe('[ "link" "Файл" "\ufffd.txt" ]\n');
  });

  test("of flakes and of Git repositories", async () => {
    expect(await answer("eval", ".#ключ")).toBe("1\n");
    expect(await answer("eval", "path:./#ключ")).toBe("1\n");
    const git = (...args: string[]): unknown => execFileSync("git", ["-C", work, ...args], { stdio: "pipe" });
    git("init", "-q");
    git("add", ".");
    git("-c", "user.name=ж", "-c", "user.email=a@b", "commit", "-qm", "ж");
    expect(await answer("eval", ".#ключ")).toBe("1\n");
    writeFileSync(join(work, "новый"), "");
    git("add", "новый");
    const dirty = await firn("eval", "--json", ".#names");
    expect(JSON.parse(dirty.out)).toMatchObject({ Файл: "regular", link: "symlink" });
    expect(dirty.err).toBe(`warning: Git tree '${work}' is dirty\n`);
  });
});

describe("stores", () => {
  test("at such places build, keep, copy and tell", async () => {
    const path = (await answer("build", "-f", "x.nix", "d", "-o", "rés", "--print-out-paths")).trim();
    expect(readlinkSync(join(work, "rés"))).toBe(path);
    expect(readFileSync(`${env.NIX_REMOTE}${path}`, "utf8")).toBe("ж\n");
    expect(await answer("log", "-f", "x.nix", "d")).toBe("построено\n");
    await answer("store", "gc");
    expect(readFileSync(`${env.NIX_REMOTE}${path}`, "utf8")).toBe("ж\n");
    await answer("copy", "--to", `file://${place.directory}/c%20h%C3%A9`, path);
    expect(readdirSync(place.directory)).toContain("c hé");
    const other = join(place.directory, "дом");
    await answer("copy", "--no-check-sigs", "--from", `file://${place.directory}/c%20h%C3%A9`, "--to", other, path);
    expect(readFileSync(other + path, "utf8")).toBe("ж\n");
    expect(await answer("eval", "--store", join(work, "st"), "--expr", "1")).toBe("1\n");
  });

  test("are looked at by old commands and the repl", async () => {
    expect(await answer("nix-instantiate", "--eval", "x.nix", "-A", "a")).toBe('"ñ"\n');
    const root = await answer("nix-instantiate", "x.nix", "-A", "d", "--add-root", "корень", "--indirect");
    expect(root).toBe(`${work}/корень\n`);
    const repl = await place.firnWith({ cwd: work, env, input: byteStringOf(":l x.nix\na\n:l нет.nix\n") }, "repl");
    expect(repl.out).toContain('"ñ"');
    expect(repl.err).toContain(`path '${work}/нет.nix' does not exist`);
  });
});

test("the program itself takes arguments that are text and such that are none", () => {
  const script = `"$0" --disable-warning=ExperimentalWarning "$1" eval --raw --expr $'"\\xc3\\xbc\\xff"'`;
  const out = execFileSync("bash", ["-c", script, process.execPath, main], { cwd: work, env });
  expect(out).toEqual(Buffer.from([0xc3, 0xbc, 0xff]));
});

test("a store by a relative path is in such a working directory", () => {
  const words = ["--disable-warning=ExperimentalWarning", main, "store", "add", "--store", "./störe", "x.nix"];
  const path = execFileSync(process.execPath, words, { cwd: work, env, encoding: "utf8" }).trim();
  expect(readFileSync(join(work, "störe", path))).toEqual(readFileSync(join(work, "x.nix")));
});

test("variables keep bytes that are no text", () => {
  const script = `X=$(printf 'bad\\377') exec "$@"`;
  const words = ["eval", "--impure", "--raw", "--expr", 'builtins.getEnv "X"'];
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", main, ...words];
  const out = execFileSync("sh", ["-c", script, "sh", ...node], { env: { ...process.env, ...place.environment } });
  expect(out.toString("latin1")).toBe("bad\xff");
});
