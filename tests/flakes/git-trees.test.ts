/** What trees of Git repositories contain, and what their flakes say about themselves. Answers are the reference's. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

/** Runs git in a directory. */
function git(directory: string, ...args: string[]): string {
  const person = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"];
  const options = { cwd: directory, env: { ...place.environment, GIT_CONFIG_NOSYSTEM: "1" } };
  return execFileSync("git", [...person, ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] })
    .toString()
    .trim();
}

/** Makes a repository with files, all of them committed. */
function repository(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(place.directory, "work", name);
  mkdirSync(directory, { recursive: true });
  git(directory, "init", "--quiet", "--initial-branch=master");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(directory, file, ".."), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message=a");
  return directory;
}

const evaluated = (expression: string) => place.firn("eval", "--impure", "--expr", expression);

test.each(["a b", "x%20y", "p#q", "é+ü"])("a repository in a directory named %s is found", async (name) => {
  const directory = repository(name, { "flake.nix": "{ outputs = _: { x = 1; }; }\n" });
  expect(await place.firnWith({ cwd: directory }, "eval", ".#x")).toMatchObject({ code: 0, out: "1\n" });
  const call = await place.firnWith(
    { cwd: directory },
    "eval",
    "--impure",
    "--expr",
    "(builtins.fetchGit ./.).revCount",
  );
  expect(call).toMatchObject({ code: 0, out: "1\n" });
});

test("export-ignore leaves files out of what fetchGit gives, of a revision as of a work tree", async () => {
  const directory = repository("exported", {
    ".gitattributes": "s export-ignore\nd export-ignore\n*.x export-ignore\n",
    s: "s",
    "d/f": "f",
    "e/a.x": "x",
    "e/b": "b",
  });
  const rev = git(directory, "rev-parse", "HEAD");
  const names = (attributes: string) =>
    evaluated(
      `let t = builtins.fetchGit { url = "file://${directory}"; ${attributes} }; r = builtins.readDir; in builtins.attrNames (r t // r (t + "/e"))`,
    );
  const kept = '[ ".gitattributes" "b" "e" ]\n';
  const all = '[ ".gitattributes" "a.x" "b" "d" "e" "s" ]\n';
  expect((await names(`rev = "${rev}";`)).out).toBe(kept);
  expect((await names("")).out).toBe(kept);
  expect((await names(`rev = "${rev}"; exportIgnore = false;`)).out).toBe(all);
  expect((await names(`rev = "${rev}"; submodules = true;`)).out).toBe(all);
  expect((await names("submodules = true; exportIgnore = true;")).err).toContain(
    "error: exportIgnore and submodules are not supported together yet",
  );
  writeFileSync(join(directory, "s"), "changed");
  expect((await names("")).out).toBe(kept);
});

test("branches may have any name that Git takes", async () => {
  const directory = repository("branches", { f: "f" });
  for (const ref of ["ü", "a#", "f/ß"]) {
    git(directory, "branch", ref);
    const call = await evaluated(`(builtins.fetchGit { url = ${directory}; ref = "${ref}"; }).revCount`);
    expect(call).toMatchObject({ code: 0, out: "1\n" });
  }
  for (const ref of ["a b", "a..b", ".a", "a.lock", "-a", "a~1", "@"]) {
    const call = await evaluated(`(builtins.fetchGit { url = ${directory}; ref = "${ref}"; }).revCount`);
    expect(call.err).toContain(`error: invalid Git branch/tag name '${ref}'`);
  }
});

test("a branch of a shallow repository is fetched only with shallow", async () => {
  const original = repository("deep", { f: "f" });
  const directory = join(place.directory, "work", "flat");
  git(original, "clone", "--quiet", "--depth=1", `file://${original}`, directory);
  const fetch = (attributes: string) =>
    evaluated(`(builtins.fetchGit { url = ${directory}; ref = "master"; ${attributes} }).submodules`);
  expect((await fetch("")).err).toContain(
    `error: '${directory}' is a shallow Git repository, but shallow repositories are only allowed when \`shallow = true;\` is specified`,
  );
  expect(await fetch("shallow = true;")).toMatchObject({ code: 0, out: "false\n" });
});

test("inputs.self says that the flake's own tree has submodules", async () => {
  const library = repository("library", { h: "hello" });
  const directory = repository("top", {
    "flake.nix": "{ inputs.self.submodules = true; outputs = { self }: { h = builtins.readFile ./lib/h; }; }\n",
  });
  git(directory, "submodule", "--quiet", "add", library, "lib");
  git(directory, "commit", "--quiet", "--message=b");
  expect(await place.firn("eval", `${directory}#h`)).toMatchObject({ code: 0, out: '"hello"\n' });
  writeFileSync(join(directory, "flake.nix"), '{ inputs.self.url = "x"; outputs = _: { }; }\n');
  expect((await place.firn("eval", `${directory}#h`)).err).toContain(
    "error: flake 'self' attribute 'url' is not supported\n",
  );
});

test("an overridden input is locked by 'flake lock', and for one evaluation makes the flake dirty", async () => {
  const work = join(place.directory, "work");
  for (const name of ["one", "two"]) {
    mkdirSync(join(work, name));
    writeFileSync(join(work, name, "flake.nix"), `{ outputs = _: { v = "${name}"; }; }\n`);
  }
  const flake = `{ inputs.i.url = "path:${work}/one"; outputs = { self, i }: { v = i.v; r = self ? rev; }; }\n`;
  const directory = repository("locked", { "flake.nix": flake });
  await place.firn("flake", "lock", directory);
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message=lock");
  const override = ["--override-input", "i", `path:${work}/two`];
  expect((await place.firn("eval", `${directory}#r`)).out).toBe("true\n");
  expect((await place.firn("eval", `${directory}#r`, ...override)).out).toBe("false\n");
  const output = join(work, "other.lock");
  await place.firn("flake", "lock", directory, "--output-lock-file", output, ...override);
  expect(readFileSync(output, "latin1")).toContain(`${work}/two`);
  expect((await place.firn("eval", `${directory}#v`)).out).toBe('"one"\n');
  await place.firn("flake", "lock", directory, ...override);
  expect((await place.firn("eval", `${directory}#v`)).out).toBe('"two"\n');
});

test("errors name the files of the work tree, and say which of them Git does not track", async () => {
  const directory = repository("named", {
    "flake.nix":
      '{ outputs = { self }: { t = throw "x"; read = builtins.readFile ./untracked; import = import ./untracked; none = builtins.readFile ./none; copy = "${./untracked}"; }; }\n',
  });
  writeFileSync(join(directory, "untracked"), "1");
  const message = async (name: string) => (await place.firn("eval", `${directory}#${name}`)).err;
  expect(await message("t")).toContain(`at ${directory}/flake.nix:1:29:`);
  const untracked = `error: Path 'untracked' in the repository "${directory}" is not tracked by Git.\n\n       To make it visible to Nix, run:\n\n       git -C "${directory}" add "untracked"\n`;
  for (const name of ["read", "import", "copy"]) expect(await message(name)).toContain(untracked);
  expect(await message("none")).toContain(`error: Path 'none' does not exist in Git repository "${directory}".\n`);
  const whole = await evaluated(`(builtins.getFlake "${directory}").read`);
  expect(whole).toMatchObject({ code: 0, out: '"1"\n' });
  expect((await place.firn("eval", `path:${directory}#t`)).err).toMatch(/at \S*\/store\/\S*-source\/flake.nix:1:29:/);
});

test("relative addresses of submodules start at the address of the remote", async () => {
  const sub = repository("remote/sub", { a: "a\n" });
  const root = repository("remote/root", { b: "b\n" });
  git(root, "submodule", "--quiet", "add", "../sub", "sub");
  git(root, "commit", "--quiet", "--message=b");
  git(join(root, "../.."), "clone", "--quiet", root, "elsewhere/deeper/clone");
  const clone = join(root, "../../elsewhere/deeper/clone");
  const rev = git(root, "rev-parse", "HEAD");
  const expression = `builtins.readFile "\${builtins.fetchGit { url = "file://${clone}"; rev = "${rev}"; submodules = true; }}/sub/a"`;
  expect(await evaluated(expression)).toMatchObject({ code: 0, out: '"a\\n"\n' });
  expect(sub).toContain("remote/sub");
});

test("a clean work tree gives the files of its revision, also where git was told not to look at some", async () => {
  const large = "0123456789abcdef".repeat(200_000);
  const directory = repository("clean", { "a/large": large, script: "#!/bin/sh\n", hidden: "before\n" });
  chmodSync(join(directory, "script"), 0o755);
  symlinkSync("script", join(directory, "link"));
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message=b");
  const rev = git(directory, "rev-parse", "HEAD");
  const hashes = `map (tree: tree.narHash) [ (builtins.fetchGit "file://${directory}") (builtins.fetchTree { type = "git"; url = "file://${directory}"; rev = "${rev}"; }) ]`;
  const [clean, objects] = JSON.parse((await place.firn("eval", "--impure", "--json", "--expr", hashes)).out);
  expect(clean).toBe(objects);
  git(directory, "update-index", "--assume-unchanged", "hidden");
  writeFileSync(join(directory, "hidden"), "after\n");
  rmSync(join(place.directory, "home/.cache"), { recursive: true, force: true });
  const read = `builtins.readFile "\${builtins.fetchGit "file://${directory}"}/hidden"`;
  expect(await evaluated(read)).toMatchObject({ code: 0, out: '"before\\n"\n' });
});
