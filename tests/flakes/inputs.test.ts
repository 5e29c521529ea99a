import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";
import { type Forge, makeRepository, startForge } from "./forge.ts";

let place: Place;
let forge: Forge;
let rev: string;
let repository: string;
let flake: string;
let number = 0;

beforeAll(async () => {
  place = makePlace();
  repository = join(place.directory, "repository");
  rev = makeRepository(repository, {
    "flake.nix":
      '{ description = "remote"; outputs = { self }: { value = "remote ${self.shortRev or "no rev"}"; lib.id = x: x; }; }\n',
    "sub/flake.nix": '{ inputs.up.url = "path:../"; outputs = { self, up }: { value = "sub of ${up.value}"; }; }\n',
    "file.txt": "plain\n",
  });
  forge = await startForge(place.directory, repository, rev);
}, 60_000);
afterAll(async () => {
  await forge.close();
  place.remove();
});
beforeEach(() => {
  flake = join(place.directory, "work", `flake${number++}`);
  mkdirSync(flake);
});

const write = (text: string, directory = flake): void => writeFileSync(join(directory, "flake.nix"), text);
const lock = (): {
  nodes: Record<string, { locked?: Record<string, unknown>; inputs?: unknown; parent?: unknown; flake?: boolean }>;
} => JSON.parse(readFileSync(join(flake, "flake.lock"), "utf8"));
const firn = (...args: string[]): Promise<Outcome> =>
  place.firnWith(
    { cwd: flake },
    ...args,
    "--option",
    "ssl-cert-file",
    forge.certificate,
    "--option",
    "download-attempts",
    "3",
    "--option",
    "connect-timeout",
    "5",
  );
const value = (name = "value"): Promise<Outcome> => firn("eval", "--raw", `path:${flake}#${name}`);

test("github: a revision from the API, the archive of it, and nothing asked again once it is locked", async () => {
  write(`{ inputs.r.url = "github:owner/repo?host=${forge.host}"; outputs = { self, r }: { value = r.value; }; }`);
  expect(await value()).toMatchObject({ code: 0, out: `remote ${rev.slice(0, 7)}` });
  expect(lock().nodes.r?.locked).toEqual({
    host: forge.host,
    lastModified: 1_700_000_000,
    narHash: expect.stringMatching(/^sha256-/),
    owner: "owner",
    repo: "repo",
    rev,
    type: "github",
  });
  forge.requests.length = 0;
  expect(await value()).toMatchObject({ code: 0, out: `remote ${rev.slice(0, 7)}` });
  expect(forge.requests).toEqual([]);
});

test("tarballs: redirects, an unchanged ETag, the immutable link", async () => {
  write(
    `{ inputs.a.url = "${forge.http}/redirect.tar.gz"; inputs.b.url = "${forge.http}/latest.tar.gz"; outputs = { self, a, b }: { value = "\${a.value}, \${b.value}"; }; }`,
  );
  expect(await value()).toMatchObject({ code: 0, out: `remote no rev, remote ${rev.slice(0, 7)}` });
  expect(lock().nodes.b?.locked).toMatchObject({
    url: `${forge.http}/immutable/v1.tar.gz`,
    rev,
    revCount: 1,
    type: "tarball",
  });
  expect(lock().nodes.a?.locked).toMatchObject({ url: `${forge.http}/redirect.tar.gz`, type: "tarball" });
  forge.requests.length = 0;
  expect(await firn("flake", "update", "--flake", `path:${flake}`)).toMatchObject({ code: 0 });
  expect(forge.requests.length).toBeGreaterThan(0);
});

test("one fault of each kind: a broken transfer and a busy server are tried again, the rest is told", async () => {
  for (const [file, works] of [
    ["broken", true],
    ["busy", true],
    ["garbage", false],
    ["loop", false],
    ["missing", false],
  ] as const) {
    write(
      `{ inputs.t = { url = "${forge.http}/${file}.tar.gz"; flake = false; }; outputs = { self, t }: { value = builtins.readFile (t + "/file.txt"); }; }`,
    );
    const { code, out, err } = await value();
    if (works) expect([file, code, out]).toEqual([file, 0, "plain\n"]);
    else {
      expect([file, code, out]).toEqual([file, 1, ""]);
      expect(err).toContain(`${file}.tar.gz`);
      expect(err).toMatch(/error: /);
      expect(err).not.toContain("internal error");
      expect(existsSync(join(flake, "flake.lock"))).toBe(false);
    }
    rmSync(join(flake, "flake.lock"), { force: true });
  }
});

test("git+file: the branch, and the work tree with tracked files only when it is dirty", async () => {
  write(`{ inputs.r.url = "git+file://${repository}"; outputs = { self, r }: { value = r.value; }; }`);
  expect(await value()).toMatchObject({ code: 0, out: `remote ${rev.slice(0, 7)}` });
  expect(lock().nodes.r?.locked).toEqual({
    lastModified: 1_700_000_000,
    narHash: expect.any(String),
    ref: "refs/heads/main",
    rev,
    revCount: 1,
    type: "git",
    url: `file://${repository}`,
  });
  const dirty = join(place.directory, "dirty");
  cpSync(repository, dirty, { recursive: true });
  writeFileSync(join(dirty, "file.txt"), "changed\n");
  writeFileSync(join(dirty, "untracked"), "x");
  const tree = await firn(
    "eval",
    "--json",
    "--impure",
    "--expr",
    `builtins.readDir (builtins.getFlake "git+file://${dirty}").outPath`,
  );
  expect(tree.err).toContain(`warning: Git tree '${dirty}' is dirty`);
  expect(Object.keys(JSON.parse(tree.out) as object).sort()).toEqual(["file.txt", "flake.nix", "sub"]);
});

test("an untracked flake.nix is told as such", async () => {
  const untracked = join(place.directory, "untracked");
  makeRepository(untracked, { other: "x\n" });
  write("{ outputs = { self }: { value = 1; }; }", untracked);
  const { code, err } = await firn("eval", `git+file://${untracked}#value`);
  expect(code).toBe(1);
  expect(err).toContain(
    `error: Path 'flake.nix' in the repository "${untracked}" is not tracked by Git.\n\n       To make it visible to Nix, run:\n\n       git -C "${untracked}" add "flake.nix"\n`,
  );
});

test("follows, overrides and relative paths end up in the lock as the graph says", async () => {
  mkdirSync(join(flake, "dep"));
  write(
    '{ inputs.x.url = "path:./none"; inputs.y.url = "path:../leaf"; outputs = { self, x, y }: { value = "${x.value} ${y.value}"; }; }',
    join(flake, "dep"),
  );
  mkdirSync(join(flake, "leaf"));
  write('{ outputs = { self }: { value = "leaf"; }; }', join(flake, "leaf"));
  write(`{
    inputs.r.url = "git+file://${repository}";
    inputs.dep.url = "path:./dep";
    inputs.dep.inputs.x.follows = "r";
    outputs = { self, r, dep }: { value = dep.value; };
  }`);
  expect(await value()).toMatchObject({ code: 0, out: `remote ${rev.slice(0, 7)} leaf` });
  expect(lock().nodes).toMatchObject({
    dep: { inputs: { x: ["r"], y: "y" }, parent: [] },
    y: { locked: { path: "../leaf", type: "path" }, parent: ["dep"] },
    root: { inputs: { dep: "dep", r: "r" } },
  });
  const other = join(place.directory, "other-remote");
  mkdirSync(other, { recursive: true });
  write('{ outputs = { self }: { value = "overridden"; }; }', other);
  expect(await firn("eval", "--raw", `path:${flake}#value`, "--override-input", "r", `path:${other}`)).toMatchObject({
    out: "overridden leaf",
  });
  expect(lock().nodes.r?.locked).toMatchObject({ type: "git" });
});

test("mistakes in a flake: unknown input, changed hash, no update allowed, unknown attribute", async () => {
  write(`{ inputs.r.url = "git+file://${repository}"; outputs = { self, r }: { value = r.value; near = 1; }; }`);
  expect(await firn("eval", `path:${flake}#value`, "--no-update-lock-file")).toMatchObject({
    code: 1,
    err: expect.stringContaining("requires lock file changes but they're not allowed due to '--no-update-lock-file'"),
  });
  expect(await value()).toMatchObject({ code: 0 });
  expect(await value("neat")).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /does not provide attribute 'packages\.\S+neat', 'legacyPackages\.\S+neat' or 'neat'[\s\S]*Did you mean near\?/,
    ),
  });

  const text = readFileSync(join(flake, "flake.lock"), "utf8");
  const wrong = text.replace(/sha256-[^"]*/, "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  writeFileSync(join(flake, "flake.lock"), wrong);
  const fresh = { cwd: flake, env: { NIX_REMOTE: join(place.directory, "fresh") } };
  const changed = await place.firnWith(fresh, "eval", `path:${flake}#value`);
  expect(changed.code).not.toBe(0);
  // Of a repository the reference tells the two hashes so.
  expect(changed.err).toMatch(/NAR hash mismatch in input 'git\+file:.*', expected 'sha256-.*' but got 'sha256-A+='/);

  rmSync(join(flake, "flake.lock"));
  write('{ inputs.gone.url = "flake:nowhere"; outputs = { self, gone }: { value = 1; }; }');
  expect(await value()).toMatchObject({
    code: 1,
    err: expect.stringContaining("cannot find flake 'flake:nowhere' in the flake registries"),
  });
  for (const [file, message] of [
    ["{ outputs = 1; }", "expected a function but got"],
    ["{ inputs = { }; }", "lacks attribute 'outputs'"],
    ["{ outputs = { self }: { }; extra = 1; }", "has an unsupported attribute 'extra'"],
    ["{ inputs.a.foo = 1; outputs = { self, a }: { }; }", "unexpected flake input attribute 'foo'"],
    ["{ outputs = ", "syntax error"],
  ] as const) {
    write(file);
    expect(await value()).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  }
});

test("the registry: names of one's own, overridden for one command, and removed", async () => {
  expect(await firn("registry", "add", "mine", `git+file://${repository}`)).toMatchObject({ code: 0 });
  expect(await firn("registry", "list")).toMatchObject({
    out: expect.stringContaining(`user   flake:mine git+file://${repository}`),
  });
  expect(await firn("eval", "--raw", "mine#value")).toMatchObject({ out: `remote ${rev.slice(0, 7)}` });
  write('{ outputs = { self }: { value = "replaced"; }; }');
  expect(await firn("eval", "--raw", "mine#value", "--override-flake", "mine", `path:${flake}`)).toMatchObject({
    out: "replaced",
  });
  expect(await firn("registry", "remove", "mine")).toMatchObject({ code: 0 });
  expect(await firn("eval", "--raw", "mine#value")).toMatchObject({
    code: 1,
    err: expect.stringContaining("cannot find flake 'flake:mine'"),
  });
});

const realNix = process.env.FIRN_REAL_NIX;
describe.skipIf(realNix === undefined)("locks are the reference's, byte for byte", () => {
  const cases: Record<string, () => string> = {
    "path, git, tarball and a tree that is no flake": () => `{
      inputs = {
        p.url = "path:${repository}";
        g.url = "git+file://${repository}?ref=main";
        t.url = "${forge.http}/archive.tar.gz";
        l.url = "${forge.http}/latest.tar.gz";
        n = { url = "git+file://${repository}"; flake = false; };
      };
      outputs = inputs: { };
    }`,
    "a directory of a repository, whose own inputs come along": () =>
      `{ inputs.s.url = "git+file://${repository}?dir=sub"; inputs.s2.url = "git+file://${repository}?dir=sub"; outputs = inputs: { }; }`,
    "follows and inputs by attributes": () => `{
      inputs.a = { type = "git"; url = "file://${repository}"; };
      inputs.b.url = "git+file://${repository}?dir=sub";
      inputs.b.inputs.up.follows = "a";
      inputs.c.follows = "b/up";
      outputs = inputs: { };
    }`,
  };
  test.each(Object.keys(cases))("%s", async (name) => {
    write(cases[name]?.() ?? "");
    const theirs = join(place.directory, `theirs${number}`);
    cpSync(flake, theirs, { recursive: true });
    const state = mkdtempSync(join(tmpdir(), "firn-real-"));
    try {
      const env = {
        ...process.env,
        REAL_NIX_STATE: state,
        REAL_NIX_BIND: place.directory,
        HOME: join(place.directory, "real-home"),
      };
      mkdirSync(env.HOME, { recursive: true });
      await promisify(execFile)(realNix ?? "", ["nix", "flake", "lock", `path:${theirs}`], { cwd: theirs, env });
    } finally {
      await promisify(execFile)("chmod", ["-R", "u+w", state]);
      rmSync(state, { recursive: true, force: true });
    }
    expect(await firn("flake", "lock", `path:${flake}`)).toMatchObject({ code: 0 });
    expect(readFileSync(join(flake, "flake.lock"), "utf8")).toBe(readFileSync(join(theirs, "flake.lock"), "utf8"));
  });
});

test("a relative path that leaves the tree is refused, locked or not, with what to do", async () => {
  write('{ inputs.o.url = "path:../outside"; outputs = { self, o }: { value = "x"; }; }');
  const message = expect.stringMatching(
    /\/outside\/flake\.nix' is forbidden in pure evaluation mode[\s\S]*relative path '\.\.\/outside' points outside of its flake's source tree[\s\S]*Git repository/,
  );
  expect(await value()).toMatchObject({ code: 1, err: message });
  const node = {
    locked: { path: "../outside", type: "path" },
    original: { path: "../outside", type: "path" },
    parent: [],
  };
  writeFileSync(
    join(flake, "flake.lock"),
    JSON.stringify({ nodes: { o: node, root: { inputs: { o: "o" } } }, root: "root", version: 7 }),
  );
  expect(await value()).toMatchObject({ code: 1, err: message });
});

test("a filtered copy of the flake's own tree is taken from where the store really lies", async () => {
  mkdirSync(join(flake, "sub"));
  for (const name of ["sub/kept.txt", "sub/left.log", "other.txt"]) writeFileSync(join(flake, name), name);
  write(
    '{ outputs = { self }: { tree = builtins.path { name = "tree"; path = ./.; filter = path: type: type == "directory" || baseNameOf path == "kept.txt"; }; }; }\n',
  );
  const { code, out, err } = await firn("eval", "--raw", ".#tree");
  expect([code, err.replace(/^warning:.*\n/gm, "")]).toEqual([0, ""]);
  const copied = join(place.store, out);
  expect(readFileSync(join(copied, "sub/kept.txt"), "utf8")).toBe("sub/kept.txt");
  expect(existsSync(join(copied, "sub/left.log"))).toBe(false);
  expect(existsSync(join(copied, "other.txt"))).toBe(false);
});
