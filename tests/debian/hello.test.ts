import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debMirrors, loadSettings } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place, runProgram } from "../support/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");

/** The main job on real input: files come from the Debian mirror of this machine. */
describe.skipIf(!hasMirror)("GNU hello from its source, with Debian's tool chain", () => {
  let place: Place;
  let tree: string;
  beforeAll(() => {
    place = makePlace();
    // A copy without .git: the flake is then a plain path, and its relative input lies in the same tree.
    tree = join(place.directory, "work/tree");
    for (const part of ["os", "examples"]) cpSync(join(root, part), join(tree, part), { recursive: true });
    execFileSync("git", ["init", "--quiet", tree]);
    execFileSync("git", ["-C", tree, "add", "."]);
  });
  afterAll(() => place.remove());

  const run = (...args: string[]) => runProgram(args, { cwd: tree, env: place.environment });
  let path: string;

  test("is planned, built in the sandbox with the host's /usr hidden, and greets", async () => {
    const { code, out, err } = await run("run", "./examples/hello", "--option", "sandbox-paths", "");
    expect(err).toMatch(/these \d+ files will be downloaded \(\d+\.\d MiB\) and \d+ packages unpacked\n/);
    expect([code, out]).toEqual([0, "Hello, world!\n"]);
  }, 900_000);

  test("answers from the store the second time", async () => {
    const { code, out, err } = await run("run", "./examples/hello", "--", "--greeting=again");
    expect([code, out]).toEqual([0, "again\n"]);
    expect(err).not.toMatch(/building|downloaded|fetched/);
  });

  test("is closed: it names its libc and nothing of the tool chain, and runs where there is no /usr", async () => {
    path = (await run("build", "./examples/hello", "--no-link", "--print-out-paths")).out.trim();
    const closure = (await run("path-info", "-r", "./examples/hello")).out.trim().split("\n");
    expect(
      closure.map((member) => member.replace(/^\/nix\/store\/[0-9a-z]{32}-/, "").replace(/-[0-9].*$/, "")).sort(),
    ).toEqual(["hello", "libc6"]);
    const args = [
      "--unshare-all",
      "--ro-bind",
      join(place.store, "nix"),
      "/nix",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--",
      `${path}/bin/hello`,
    ];
    expect(execFileSync("bwrap", args, { encoding: "utf8" })).toBe("Hello, world!\n");
  });

  test("has a log, and the store verifies", async () => {
    expect((await run("log", "./examples/hello")).out).toContain("Running phase: checkPhase");
    expect((await run("store", "verify", "-r", "./examples/hello")).code).toBe(0);
  }, 900_000);

  test("what the tool chain makes can be made again to the same bytes", async () => {
    writeFileSync(join(tree, "small.c"), "int main(void) { return __LINE__; }\n");
    // By this name it has the environment that is made already.
    const small = `(import ./os/pkgs { }).mkDerivation {
      name = "hello-2.10"; src = ./small.c; dontUnpack = true; dontConfigure = true;
      buildPhase = "gcc -g -o small $src"; installPhase = "mkdir -p $out/bin; cp small $out/bin"; }`;
    const build = (...flags: string[]) => run("build", "--impure", "--no-link", "--expr", small, ...flags);
    expect(await build()).toMatchObject({ code: 0 });
    expect(await build("--rebuild")).toMatchObject({ code: 0 });
  }, 900_000);

  test.skipIf(process.env.FIRN_REAL_NIX === undefined)(
    "leaves a store that the reference accepts",
    () => {
      const env = { ...process.env, REAL_NIX_STATE: join(place.store, "nix") };
      const real = (...args: string[]): string =>
        execFileSync(process.env.FIRN_REAL_NIX ?? "", args, {
          env,
          cwd: "/",
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        });
      real("nix-store", "--verify", "--check-contents");
      expect(real("nix", "path-info", "-r", path).trim().split("\n")).toContain(path);
    },
    300_000,
  );

  test("a lock renewed on the spot, from the archive's signature on, evaluates and names only what exists", async () => {
    const { code, err } = await run(
      "deb",
      "lock",
      "jq",
      "busybox-static",
      "--suite",
      "bookworm",
      "--source",
      "hello",
      "-o",
      "new.lock.json",
    );
    expect(err).toMatch(/wrote '.*new\.lock\.json': \d+ packages/);
    expect(code).toBe(0);
    const lock = JSON.parse(readFileSync(join(tree, "new.lock.json"), "utf8")) as {
      packages: Record<string, { path: string; depends: string[] }>;
    };
    for (const entry of Object.values(lock.packages))
      for (const name of entry.depends) expect(lock.packages).toHaveProperty([name]);
    expect(JSON.stringify(lock)).not.toMatch(/https?:/);
    const built = await run(
      "build",
      "--impure",
      "--expr",
      "(import ./os/pkgs { lock = builtins.fromJSON (builtins.readFile ./new.lock.json); }).debs.jq",
      "--no-link",
      "--print-out-paths",
    );
    expect(built.code).toBe(0);
    expect(existsSync(join(place.store, built.out.trim(), "usr/bin/jq"))).toBe(true);
    expect((await run("deb", "lock", "-o", "new.lock.json")).err).toContain("unchanged");
  }, 300_000);

  test("a package that has left the mirror is named, with what to do", async () => {
    const expression = `(import ./os/pkgs { lock = { packages.gone = { version = "1"; path = "debian/pool/main/g/gone/gone_1_amd64.deb"; sha256 = "${"0".repeat(64)}"; size = 1; depends = [ ]; description = ""; }; roots = [ ]; }; }).debs.gone`;
    const { code, err } = await run("build", "--impure", "--no-link", "--expr", expression);
    expect(code).not.toBe(0);
    expect(err).toContain("gone_1_amd64.deb");
    expect(err).toContain("firn deb update");
  });

  test("no mirror known: says which archive and which setting", async () => {
    const { code, err } = await runProgram(["deb", "lock", "jq", "--suite", "nowhere:x"], {
      cwd: tree,
      env: place.environment,
    });
    expect([code, err]).toEqual([1, expect.stringContaining("no mirror is known for the Debian archive 'nowhere'")]);
    const other = await runProgram(
      ["deb", "lock", "jq", "-o", "x.json", "--option", "deb-mirrors", "debian-security=http://127.0.0.1:1/x"],
      { cwd: tree, env: place.environment },
    );
    expect([other.code, other.err]).toEqual([
      1,
      expect.stringMatching(/no mirror is known for the Debian archive 'debian'[\s\S]*deb-mirrors/),
    ]);
  });
});
