import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandTable } from "../../packages/cli/src/grammar/table.ts";
import { makePlace, type Place, startProgram } from "../support/run-firn.ts";

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

test("every command has a page of its own, titled as the table says, and its help shows flags", async () => {
  for (const entry of commandTable.filter(({ style }) => style !== "internal")) {
    const folder = entry.style === "old" ? "legacy" : "commands";
    const page = readFileSync(
      new URL(`../../packages/cli/src/${folder}/${entry.path.join("-")}.md`, import.meta.url),
      "utf8",
    );
    const name = entry.style === "old" ? entry.path[0] : `firn ${entry.path.join(" ")}`;
    expect(page.split("\n")[0]).toBe(`# ${name}: ${entry.description}`);
    const command = await entry.load();
    const names = command.flags.map((flag) => flag.name);
    expect([entry.path.join(" "), new Set(names).size]).toEqual([entry.path.join(" "), names.length]);
    for (const flag of command.flags) expect(flag.description).not.toBe("");
  }
  const { code, out } = await place.firn("store", "gc", "--help");
  expect(code).toBe(0);
  expect(out).toContain("Usage: firn store gc");
  expect(out).toContain("--max n");
});

test("mistakes on the command line are told in the reference's words, with status 1", async () => {
  const cases: [string[], string][] = [
    [
      ["evl"],
      "error: 'evl' is not a recognised command\n       Did you mean one of eval, env or repl?\nTry 'firn --help' for more information.",
    ],
    [[], "error: no subcommand specified"],
    [["eval", "--foo"], "error: unrecognised flag '--foo'"],
    [["eval", "--option", "a"], "error: flag '--option' requires 2 argument(s), but only 1 were given"],
    [["eval", "--expr", "1", "a", "b"], "error: unexpected argument 'b'"],
    [
      ["eval", "--expr", "1", "--max-jobs", "x"],
      "error: configuration setting 'max-jobs' should be 'auto' or an integer",
    ],
    [["eval", "--json", "--raw", "--expr", "1"], "error: --raw and --json are mutually exclusive"],
    [["store", "sign"], "error: required argument '--key-file' is missing"],
    [["copy", "/nix/store/x"], "error: you must pass '--from' and/or '--to'"],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await place.firn(...args);
    expect([args, err]).toEqual([args, expect.stringContaining(message)]);
    expect([args, code, out]).toEqual([args, 1, ""]);
  }
});

test("values come out as Nix, JSON and raw text", async () => {
  expect(await place.firn("eval", "--expr", '{ a = 1; b = [ true null "x" ]; }')).toMatchObject({
    code: 0,
    out: '{ a = 1; b = [ true null "x" ]; }\n',
  });
  expect(await place.firn("eval", "--json", "--expr", '{ a = 1; b = "ü"; }')).toMatchObject({
    out: '{"a":1,"b":"ü"}\n',
  });
  expect(await place.firn("eval", "--raw", "--expr", '"a\\nb"')).toMatchObject({ out: "a\nb" });
  expect(await place.firn("eval", "--expr", "{ f = x: x + 1; }", "--apply", "s: s.f 1")).toMatchObject({ out: "2\n" });
  writeFileSync(join(place.directory, "work/file.nix"), '{ name ? "default" }: { greeting = "hello ${name}"; }\n');
  expect(await place.firn("eval", "-f", "file.nix", "greeting", "--argstr", "name", "you", "--raw")).toMatchObject({
    out: "hello you",
  });
});

test("evaluation errors name the place and what to do, with status 1 and nothing on standard output", async () => {
  const cases: [string, RegExp][] = [
    ["{ a = 1; b = }", /error: syntax error, unexpected '}'/],
    ["{ foo = 1; }.fob", /error: attribute 'fob' missing[\s\S]*«string»:1[\s\S]*Did you mean foo\?/],
    ['1 + "a"', /error: cannot (add|coerce)/],
    ["undefinedName", /error: undefined variable 'undefinedName'/],
    ["let x = x; in x", /error: infinite recursion encountered/],
    ["builtins.currentTime", /error: attribute 'currentTime' missing/],
    [
      "builtins.readFile /etc/passwd",
      /access to absolute path '\/etc[^']*' is forbidden in pure evaluation mode \(use '--impure' to override\)/,
    ],
    ['throw "no"', /error: no/],
  ];
  for (const [expression, message] of cases) {
    const { code, out, err } = await place.firn("eval", "--raw", "--expr", `toString (${expression})`);
    expect([expression, err]).toEqual([expression, expect.stringMatching(message)]);
    expect([expression, code, out]).toEqual([expression, 1, ""]);
    expect(err).not.toMatch(/internal error|at .*\.ts:/);
  }
});

test("the version and the help load no evaluator and no store", async () => {
  const trace = join(place.directory, "loaded.txt");
  const hook = join(place.directory, "hook.mjs");
  writeFileSync(
    hook,
    `import { registerHooks } from "node:module"; import { appendFileSync } from "node:fs";
registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(trace)}, url + "\\n"); return next(url, context); } });`,
  );
  for (const flag of ["--version", "--help"]) {
    writeFileSync(trace, "");
    // The sources tell which modules are loaded.
    const program = join(import.meta.dirname, "../../packages/cli/src/main.ts");
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", program, flag], {
      env: { ...place.environment, NODE_OPTIONS: `--import=${hook}` },
    });
    const loaded = readFileSync(trace, "utf8");
    expect(loaded).toContain("packages/cli/src/main.ts");
    // Of the store only the edge of the process and its errors.
    expect(loaded).not.toMatch(/packages\/(language|build|fetch|flake)\//);
    const ofStore = [...loaded.matchAll(/packages\/store\/src\/(\S+)/g)].map(([, name]) => name);
    const edge = ["fs/disk.ts", "fs/files.ts", "fs/machine-error.ts", "surroundings.ts"];
    expect(ofStore.filter((name) => !edge.includes(name!))).toEqual([]);
    expect(loaded).not.toContain("worker_threads");
  }
});

test("a home that may not be written, a store that may not be made: says so and leaves nothing", async () => {
  const file = join(place.directory, "a-file");
  writeFileSync(file, "");
  const { code, err } = await place.firnWith({ env: { NIX_REMOTE: join(file, "root") } }, "store", "add", ".");
  expect(code).toBe(1);
  expect(err).toMatch(/^error: .*a-file/);
  expect(err).not.toContain("internal error");
});

test("paths are added, described, verified, signed, copied to a cache and back, and deleted", async () => {
  mkdirSync(join(place.directory, "work/tree"));
  writeFileSync(join(place.directory, "work/tree/a"), "content\n");
  const path = (await place.firn("store", "add", "tree", "--name", "tree")).out.trim();
  expect(path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-tree$/);
  expect((await place.firn("path-info", "-s", path)).out).toMatch(/\t +\d+\n$/);
  expect(JSON.parse((await place.firn("path-info", "--json", "--json-format", "1", path)).out)).toMatchObject({
    [path]: { references: [], version: 1 },
  });

  const { out: secret } = await place.firn("key", "generate-secret", "--key-name", "test-1");
  writeFileSync(join(place.directory, "work/key"), secret);
  const { out: publicKey } = await place.firnWith({ input: secret }, "key", "convert-secret-to-public");
  expect(publicKey).toMatch(/^test-1:.{44}$/);
  expect(await place.firn("store", "sign", "-k", "key", path)).toMatchObject({ code: 0, err: "added 1 signatures\n" });

  const cache = join(place.directory, "cache");
  const derived = await place.firn(
    "build",
    "--expr",
    'builtins.toFile "text" "hello"',
    "--no-link",
    "--print-out-paths",
  );
  expect(derived.err).toBe("");
  expect(await place.firn("copy", "--to", `file://${cache}?compression=zstd`, path)).toMatchObject({ code: 0 });
  const other = { env: { NIX_REMOTE: join(place.directory, "other") } };
  expect(
    await place.firnWith(
      other,
      "copy",
      "--from",
      `file://${cache}`,
      path,
      "--option",
      "trusted-public-keys",
      publicKey,
    ),
  ).toMatchObject({ code: 0 });
  expect((await place.firnWith(other, "store", "verify", path)).code).toBe(0);

  writeFileSync(join(place.directory, "x"), "");
  expect(await place.firn("store", "delete", path)).toMatchObject({
    code: 0,
    out: expect.stringContaining("1 store paths deleted"),
  });
  const gone = await place.firn("path-info", path);
  expect(gone).toMatchObject({ code: 1, err: expect.stringContaining(`error: path '${path}' is not valid`) });
});

test("two profiles' worth of changes can be listed, rolled back and wiped", async () => {
  const add = async (name: string): Promise<string> => {
    mkdirSync(join(place.directory, `work/${name}/bin`), { recursive: true });
    writeFileSync(join(place.directory, `work/${name}/bin/${name}`), "#!/bin/sh\n");
    return (await place.firn("store", "add", name, "--name", `${name}-1.0`)).out.trim();
  };
  const profile = ["--profile", join(place.directory, "profile")];
  const [a, b] = [await add("aa"), await add("bb")];
  expect((await place.firn("profile", "add", ...profile, a)).code).toBe(0);
  expect((await place.firn("profile", "add", ...profile, b)).code).toBe(0);
  const listed = JSON.parse((await place.firn("profile", "list", "--json", ...profile)).out) as { elements: object };
  expect(Object.keys(listed.elements)).toEqual(["aa", "bb"]);
  expect((await place.firn("profile", "remove", "aa", ...profile)).err).toContain(
    "removed 1 packages, kept 1 packages",
  );
  expect((await place.firn("profile", "rollback", ...profile)).err).toContain("switching profile from version 3 to 2");
  expect((await place.firn("profile", "history", ...profile)).out).toContain("Version 2");
  const kept = await place.firn("store", "gc");
  expect(kept.code).toBe(0);
  expect((await place.firn("path-info", a)).code).toBe(0);
  expect((await place.firn("profile", "wipe-history", ...profile)).err).toContain("removing profile version 3");
  expect(await place.firn("profile", "rollback", "--to", "9", ...profile)).toMatchObject({
    code: 1,
    err: expect.stringContaining("profile version 9 does not exist"),
  });
});

test("an evaluation that goes on and on ends with Ctrl-C, saying so", async () => {
  const endless =
    "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: builtins.foldl' (c: d: c + d) 0 (builtins.genList (y: y) 100000)) 1000000)";
  const root = join(place.directory, "interrupted");
  const child = startProgram(["eval", "--expr", endless], {
    cwd: place.directory,
    env: { ...place.environment, NIX_REMOTE: root },
  });
  // The store is opened before the evaluator starts: from then on the signal must end it.
  while (!existsSync(join(root, "nix/var/nix/db/db.sqlite"))) await new Promise((resolve) => setTimeout(resolve, 20));
  child.process.kill("SIGINT");
  // Again only much later: a second one while the first is obeyed ends the process as signals do.
  const again = setInterval(() => child.process.kill("SIGINT"), 10_000);
  const { code, out, err } = await child.outcome;
  clearInterval(again);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("error: interrupted by the user");
});

test("the longest name that a store path may have is added like any other", async () => {
  writeFileSync(join(place.directory, "work/any"), "any\n");
  const name = "n".repeat(211);
  const { code, out } = await place.firn("store", "add", "any", "--name", name);
  expect([code, out.endsWith(`-${name}\n`)]).toEqual([0, true]);
  expect((await place.firn("store", "add", "any", "--name", `${name}n`)).code).toBe(1);
});

test("reading only, paths of texts are computed and nothing is written", async () => {
  writeFileSync(join(place.directory, "work/named"), "x\n");
  const expression = 'builtins.toFile "text" "refers to ${./named}"';
  const fresh = join(place.directory, "read-only");
  const args = ["eval", "--raw", "--impure", "--expr", expression];
  const { out } = await place.firnWith({ env: { NIX_REMOTE: fresh } }, ...args, "--read-only");
  expect(existsSync(join(fresh, out))).toBe(false);
  expect((await place.firnWith({ env: { NIX_REMOTE: fresh } }, ...args)).out).toBe(out);
  expect(existsSync(join(fresh, out))).toBe(true);
});

test("reading only, a derivation of a text that was not written has its path", async () => {
  const expression =
    '(derivation { name = "d"; system = "s"; builder = "b"; text = builtins.toFile "unwritten" "x"; }).drvPath';
  const fresh = join(place.directory, "read-only-derivation");
  const args = ["eval", "--raw", "--impure", "--expr", expression];
  const { out } = await place.firnWith({ env: { NIX_REMOTE: fresh } }, ...args, "--read-only");
  expect(existsSync(join(fresh, out))).toBe(false);
  expect(await place.firnWith({ env: { NIX_REMOTE: fresh } }, ...args)).toMatchObject({ code: 0, out });
});

test("nix-instantiate makes a numbered root for each derivation and prints the links", async () => {
  const derivation = (name: string) => `derivation { name = "${name}"; system = "s"; builder = "b"; }`;
  const expression = `[ (${derivation("one")}) (${derivation("two")} // { outputName = "dev"; }) ]`;
  const work = join(place.directory, "work");
  const { code, out, err } = await place.firn("nix-instantiate", "-E", expression, "--add-root", "drv", "--indirect");
  expect({ code, out, err }).toEqual({ code: 0, out: `${work}/drv\n${work}/drv-2!dev\n`, err: "" });
  expect(readlinkSync(join(work, "drv-2"))).toMatch(/^\/nix\/store\/[0-9a-z]{32}-two\.drv$/);
  const roots = join(place.store, "nix/var/nix/gcroots/auto");
  expect(readdirSync(roots).map((name) => readlinkSync(join(roots, name)))).toContain(join(work, "drv"));
});

test("eval shows errors inside a value where they are, and calls no function that it finds", async () => {
  const inside = await place.firn("eval", "--expr", '{ a = throw "b"; c = 1; }');
  expect(inside).toEqual({ code: 0, out: "{ a = «error: b»; c = 1; }\n", err: "" });
  const top = await place.firn("eval", "--expr", 'throw "b"');
  expect([top.code, top.out]).toEqual([1, ""]);
  const found = await place.firn("eval", "--arg", "x", "3", "--expr", "{ x }: x");
  expect(found.out).toBe("«lambda @ «string»:1:1»\n");
  expect((await place.firn("eval", "--arg", "x", "3", "--expr", "{ x }: { y = x; }", "y")).out).toBe("3\n");
});

test("deletes store paths only: other names in the store's directory are refused, and stay", async () => {
  const { out } = await place.firnWith({ input: "" }, "store", "add", ".");
  expect(out).toContain("/nix/store/");
  for (const name of [".links", "none", ".", "..", "x".repeat(32)]) {
    const { code, err } = await place.firn("store", "delete", `/nix/store/${name}`);
    expect([name, code]).toEqual([name, 1]);
    expect([name, err]).toEqual([name, expect.stringMatching(/is not a store path|getting status of|flake/)]);
  }
  expect(existsSync(join(place.store, "nix/store/.links"))).toBe(true);
});

test("passwords in the names of substituters and in what is no URL are not told", async () => {
  const settings = "substituters = http://user:secret@localhost:1/\nflake-registry =\n";
  const missing = "/nix/store/00000000000000000000000000000000-missing";
  const built = await place.firnWith({ env: { NIX_CONFIG: settings } }, "build", "--no-link", missing);
  const evaluated = await place.firn("eval", "tarball+http://user:secret@localhost:1 /x");
  for (const { code, err } of [built, evaluated]) {
    expect(code).toBe(1);
    expect(err).toContain("user@localhost");
    expect(err).not.toContain("secret");
  }
});
