/** Repositories whose own configuration names programs: none of them runs, and what is fetched is what the reference fetches. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let ran: string;
let program: string;
const at = (...names: string[]): string => join(place.directory, ...names);

function run(name: string, directory: string, ...args: string[]): string {
  const identity = {
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const env = {
    ...process.env,
    ...identity,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    HGUSER: "a",
  };
  const { status, stdout, stderr } = spawnSync(name, args, { cwd: directory, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}
const git = (directory: string, ...args: string[]): string => run("git", directory, ...args);

const flake =
  "{ outputs = { self }: { x = builtins.readFile ./s; t = builtins.attrNames (builtins.readDir self); }; }\n";

function makeRepository(name: string): string {
  const directory = at(name);
  mkdirSync(directory);
  git(directory, "init", "-q");
  writeFileSync(join(directory, "flake.nix"), flake);
  writeFileSync(join(directory, "s"), "text\n");
  git(directory, "add", ".");
  git(directory, "commit", "-qm", "1");
  return directory;
}

/** Every setting of Git that names a program, naming ours. */
function arm(gitDirectory: string): void {
  const config = `
[core]
  fsmonitor = ${program}
  hooksPath = ${at("hooks")}
  sshCommand = ${program}
  gitProxy = ${program}
  pager = ${program}
  editor = ${program}
  askPass = ${program}
  alternateRefsCommand = ${program}
[filter "evil"]
  clean = ${program}
  smudge = ${program}
  process = ${program}
  required = true
[diff]
  external = ${program}
[diff "evil"]
  textconv = ${program}
  command = ${program}
[gpg]
  program = ${program}
[gpg "ssh"]
  program = ${program}
[credential]
  helper = ${program}
[log]
  showSignature = true
[uploadpack]
  packObjectsHook = ${program}
[pager]
  log = ${program}
  status = ${program}
[alias]
  status = !${program}
  evil = !${program}
[include]
  path = ${at("included")}
[includeIf "gitdir:/"]
  path = ${at("included")}
[remote "origin"]
  url = ext::${program}
  promisor = true
  uploadpack = ${program}
  vcs = evil
[extensions]
  partialClone = origin
[submodule]
  recurse = true
[url "ext::${program} "]
  insteadOf = file://
[protocol]
  allow = always
`;
  writeFileSync(join(gitDirectory, "config"), config, { flag: "a" });
  mkdirSync(join(gitDirectory, "info"), { recursive: true });
  mkdirSync(join(gitDirectory, "hooks"), { recursive: true });
  for (const hook of ["post-index-change", "pre-commit", "post-commit", "post-checkout", "reference-transaction"]) {
    symlinkSync(program, join(gitDirectory, "hooks", hook));
  }
}

beforeEach(() => {
  place = makePlace();
  ran = at("ran");
  program = at("evil");
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${ran}\nexit 1\n`);
  chmodSync(program, 0o755);
  mkdirSync(at("hooks"));
  for (const hook of ["post-index-change", "pre-commit", "post-commit"]) symlinkSync(program, at("hooks", hook));
  writeFileSync(at("included"), `[core]\n  fsmonitor = ${program}\n`);
});
afterEach(() => {
  const log = existsSync(ran) ? readFileSync(ran, "utf8") : "";
  removePath(place.directory);
  expect(log).toBe("");
});

describe("a repository armed with programs", () => {
  test("is read clean, dirty, by revision and bare", async () => {
    const directory = makeRepository("r");
    const rev = git(directory, "rev-parse", "HEAD");
    git(at("."), "clone", "-q", "--bare", directory, at("bare"));
    arm(join(directory, ".git"));
    arm(at("bare"));
    expect(await place.firn("eval", "--raw", `git+file://${directory}#x`)).toMatchObject({ code: 0, out: "text\n" });
    expect(await place.firn("eval", "--raw", `git+file://${directory}?rev=${rev}#x`)).toMatchObject({ out: "text\n" });
    expect(await place.firn("eval", "--raw", `git+file://${at("bare")}#x`)).toMatchObject({ code: 0, out: "text\n" });
    // A file of another time is compared by its contents.
    utimesSync(join(directory, "s"), 1, 1);
    writeFileSync(join(directory, ".git/info/attributes"), "* filter=evil diff=evil\n");
    expect(await place.firn("eval", "--raw", `git+file://${directory}#x`)).toMatchObject({ out: "text\n", err: "" });
    writeFileSync(join(directory, "s"), "other\n");
    expect(await place.firn("eval", "--raw", `git+file://${directory}#x`)).toMatchObject({
      out: "other\n",
      err: expect.stringContaining("is dirty"),
    });
  });

  test("is not run when a lock file is written and committed", async () => {
    const directory = makeRepository("r");
    mkdirSync(at("dep"));
    writeFileSync(at("dep/flake.nix"), "{ outputs = _: { }; }");
    writeFileSync(
      join(directory, "flake.nix"),
      `{ inputs.d.url = "path:${at("dep")}"; outputs = { self, d }: { x = 1; }; }`,
    );
    arm(join(directory, ".git"));
    writeFileSync(join(directory, ".git/config"), "[user]\n  name = a\n  email = a@b\n", { flag: "a" });
    expect(await place.firn("flake", "lock", "--commit-lock-file", `git+file://${directory}`)).toMatchObject({
      code: 0,
    });
    rmSync(join(directory, ".git/config"));
    expect(git(directory, "show", "--stat", "--format=%an", "HEAD")).toMatch(/^a\n[\s\S]*flake\.lock/);
  });

  test("lacks an object: that is told, not fetched", async () => {
    const directory = makeRepository("r");
    const object = git(directory, "rev-parse", "HEAD:s");
    const rev = git(directory, "rev-parse", "HEAD");
    arm(join(directory, ".git"));
    rmSync(join(directory, ".git/objects", object.slice(0, 2), object.slice(2)));
    const { code, out } = await place.firn("eval", `git+file://${directory}?rev=${rev}#x`);
    expect([code, out]).toEqual([1, ""]);
  });

  test("is a submodule", async () => {
    const inner = makeRepository("inner");
    const directory = makeRepository("r");
    git(directory, "-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "m");
    git(directory, "commit", "-qm", "2");
    const rev = git(directory, "rev-parse", "HEAD");
    arm(join(directory, ".git/modules/m"));
    arm(join(inner, ".git"));
    utimesSync(join(directory, "m/s"), 1, 1);
    const read = (more: string): string =>
      `builtins.readFile "\${builtins.fetchGit { url = "file://${directory}"; submodules = true; ${more} }}/m/s"`;
    for (const more of ["", `rev = "${rev}";`]) {
      expect(await place.firn("eval", "--impure", "--raw", "--expr", read(more))).toMatchObject({ out: "text\n" });
    }
  });

  test.each([
    ["ext::sh -c '%s'", "none that Firn fetches from"],
    ["--upload-pack=%s", "none that Firn fetches from"],
    ["evil::x", "none that Firn fetches from"],
  ])("has the submodule address %s", async (address, message) => {
    const directory = makeRepository("r");
    const url = address.replace("%s", program);
    writeFileSync(join(directory, ".gitmodules"), `[submodule "m"]\n  path = m\n  url = "${url}"\n`);
    git(directory, "add", ".gitmodules");
    git(directory, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},m`);
    git(directory, "commit", "-qm", "2");
    const expression = `builtins.fetchGit { url = "file://${directory}"; submodules = true; rev = "${git(directory, "rev-parse", "HEAD")}"; }`;
    const { code, err } = await place.firn("eval", "--impure", "--expr", expression);
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
  });

  test("replaces an object: a revision is what it hashes to", async () => {
    const directory = makeRepository("r");
    const other = spawnSync("git", ["-C", directory, "hash-object", "-w", "--stdin"], {
      input: "evil\n",
      encoding: "utf8",
    });
    git(directory, "replace", git(directory, "rev-parse", "HEAD:s"), other.stdout.trim());
    const rev = git(directory, "rev-parse", "HEAD");
    expect(await place.firn("eval", "--raw", `git+file://${directory}?rev=${rev}#x`)).toMatchObject({ out: "text\n" });
  });

  test.runIf(process.getuid?.() === 0)("belongs to another user", async () => {
    const directory = makeRepository("r");
    chownSync(directory, 12345, 12345);
    const { code, err } = await place.firn("eval", `git+file://${directory}#x`);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`repository path '${directory}' is not owned by current user`),
    ]);
    const config = at("home/gitconfig");
    writeFileSync(config, `[safe]\n  directory = ${directory}\n`);
    process.env.GIT_CONFIG_GLOBAL = config;
    try {
      expect(await place.firn("eval", "--raw", `git+file://${directory}#x`)).toMatchObject({ code: 0, out: "text\n" });
    } finally {
      delete process.env.GIT_CONFIG_GLOBAL;
    }
  });
});

describe("a work tree", () => {
  test("that is clean is read as it lies on disk", async () => {
    const directory = makeRepository("r");
    const filter = ["-c", "filter.up.clean=tr a-z A-Z", "-c", "filter.up.smudge=tr A-Z a-z"];
    writeFileSync(join(directory, ".gitattributes"), "s filter=up\n");
    // What Git has just seen change it would compare by its contents.
    utimesSync(join(directory, "s"), 1, 1);
    git(directory, ...filter, "add", "--renormalize", ".");
    git(directory, ...filter, "add", ".");
    git(directory, ...filter, "commit", "-qm", "2");
    expect(git(directory, "cat-file", "blob", "HEAD:s")).toBe("TEXT");
    const { code, out, err } = await place.firn("eval", "--raw", `git+file://${directory}#x`);
    expect({ code, out, err }).toEqual({ code: 0, out: "text\n", err: "" });
  });

  test("that is dirty keeps links to nothing and to themselves, and names that are not UTF-8", async () => {
    const directory = makeRepository("r");
    symlinkSync("/nowhere", join(directory, "dangling"));
    symlinkSync("loop", join(directory, "loop"));
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), "");
    git(directory, "add", ".");
    const { out } = await place.firn("eval", "--json", `git+file://${directory}#t`, "--apply", "builtins.length");
    expect(out.trim()).toBe("5");
  });
});

test.runIf(spawnSync("hg", ["--version"]).status === 0)(
  "a Mercurial repository's own configuration is not read",
  async () => {
    const directory = at("h");
    mkdirSync(directory);
    run("hg", directory, "init");
    writeFileSync(join(directory, "s"), "text\n");
    run("hg", directory, "add", "s");
    run("hg", directory, "commit", "-m", "1");
    const hooks = [
      "pre-status",
      "post-status",
      "pre-log",
      "pre-branch",
      "pre-archive",
      "outgoing",
      "preoutgoing",
      "pre-clone",
    ];
    writeFileSync(
      join(directory, ".hg/hgrc"),
      `[hooks]\n${hooks.map((hook) => `${hook} = ${program}`).join("\n")}\n[alias]\nstatus = !${program}\n`,
    );
    const read = `builtins.readFile "\${builtins.fetchMercurial "${directory}"}/s"`;
    expect(await place.firn("eval", "--impure", "--raw", "--expr", read)).toMatchObject({ code: 0, out: "text\n" });
    writeFileSync(join(directory, "s"), "other\n");
    expect(await place.firn("eval", "--impure", "--raw", "--expr", read)).toMatchObject({ code: 0, out: "other\n" });
  },
);
