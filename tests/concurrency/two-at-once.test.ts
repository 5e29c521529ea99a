/** Several `firn` processes on one store at the same time. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Outcome, type Place, runProgram } from "../support/run-firn.ts";

let place: Place;
let env: Record<string, string>;

beforeEach(() => {
  place = makePlace();
  const host = ["/bin", "/lib", "/lib64", "/usr"].filter((item) => existsSync(item));
  env = { ...place.environment, NIX_CONFIG: `substituters =\nflake-registry =\nsandbox-paths = ${host.join(" ")}\n` };
});
afterEach(() => removePath(place.directory));

const program = (...args: string[]): Promise<Outcome> => runProgram(args, { cwd: join(place.directory, "work"), env });

/** A derivation that the machine's shell builds. */
function recipe(name: string, script: string): string {
  const file = join(place.directory, "work", `${name}.nix`);
  writeFileSync(
    file,
    `derivation { name = "${name}"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-ec" ''${script}'' ]; }\n`,
  );
  return file;
}

/** The store is whole, and nothing half-done lies in it. */
async function checkStore(): Promise<void> {
  expect(await program("store", "verify", "--all", "--no-trust")).toMatchObject({ code: 0 });
  const left = readdirSync(join(place.store, "nix/store")).filter((name) => /\.(lock|chroot|tmp-.*)$/.test(name));
  expect(left).toEqual([]);
}

describe.skipIf(!sandboxWorks())("builds", () => {
  test("of one thing by two processes happen once, and both have it", async () => {
    const file = recipe("once", "echo building-this-now; sleep 1; echo made > $out");
    const runs = await Promise.all(
      [1, 2, 3].map(() => program("build", "-L", "--no-link", "--print-out-paths", "-f", file)),
    );
    expect(runs.map(({ code, err }) => [code, err.match(/error.*/g)])).toEqual(runs.map(() => [0, null]));
    expect(new Set(runs.map(({ out }) => out)).size).toBe(1);
    const marks = runs.flatMap(({ err }) => err.match(/> ?building-this-now/g) ?? []);
    expect(marks.length).toBe(1);
    await checkStore();
  });

  test("go on beside collections, which take nothing that they need", async () => {
    const collector = join(place.directory, "stop");
    let stop = false;
    const collections: Outcome[] = [];
    const collecting = (async () => {
      while (!stop) collections.push(await program("store", "gc"));
    })();
    const file = join(place.directory, "work", "chain.nix");
    writeFileSync(
      file,
      `let step = n: derivation { name = "step-\${toString n}"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
  args = [ "-ec" "sleep 0.3; cat $before; echo $before > $out" ]; before = if n == 0 then "/dev/null" else step (n - 1); salt = "${collector}"; }; in step 6\n`,
    );
    const built = await program("build", "-o", join(place.directory, "result"), "--print-out-paths", "-f", file);
    stop = true;
    await collecting;
    expect(built).toMatchObject({ code: 0 });
    expect(collections.length).toBeGreaterThan(1);
    for (const { code, err } of collections) expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
    expect(await program("path-info", "-r", built.out.trim())).toMatchObject({ code: 0, err: "" });
    await checkStore();
  });
});

test("one tree added by several processes is there once and whole", async () => {
  const tree = join(place.directory, "work/tree");
  mkdirSync(tree);
  for (let n = 0; n < 40; n++) writeFileSync(join(tree, `f${n}`), String(n).repeat(5000));
  const runs = await Promise.all([1, 2, 3].map(() => program("store", "add", "tree")));
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(new Set(runs.map(({ out }) => out)).size).toBe(1);
  await checkStore();
});

test("additions to one profile at the same time lose none of each other", async () => {
  const names = ["aa", "bb", "cc"];
  const paths: string[] = [];
  for (const name of names) {
    mkdirSync(join(place.directory, `work/${name}`));
    writeFileSync(join(place.directory, `work/${name}/${name}`), name);
    paths.push((await program("store", "add", name)).out.trim());
  }
  const profile = join(place.directory, "profile");
  const runs = await Promise.all(paths.map((path) => program("profile", "add", "--profile", profile, path)));
  expect(runs.map(({ code, err }) => [code, err])).toEqual(names.map(() => [0, ""]));
  const listed = JSON.parse((await program("profile", "list", "--json", "--profile", profile)).out) as {
    elements: object;
  };
  expect(Object.keys(listed.elements).sort()).toEqual(names);
  expect(existsSync(`${profile}.lock`)).toBe(false);
});

/** Whether a process whose command line or environment has `mark` is alive. */
function processesWith(mark: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(mark) ||
        readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark)
      );
    } catch {
      return false;
    }
  });
}

/** Starts `firn`, interrupts it when its output has `cue`, and gives the status. */
function interrupted(args: string[], cue: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
      cwd: join(place.directory, "work"),
      env,
    });
    let out = "";
    let err = "";
    let sent = false;
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
      if (sent || !err.includes(cue)) return;
      sent = true;
      child.kill("SIGINT");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 128, out, err }));
  });
}

describe.skipIf(!sandboxWorks())("an interrupt", () => {
  test("ends a build with all its processes and leaves no lock and no half path", async () => {
    const mark = `firn-mark-${process.pid}`;
    const file = recipe("long", `echo it has begun; mkdir $out; : ${mark}; sleep 600; echo`);
    const ended = await interrupted(["build", "-L", "--no-link", "-f", file], "it has begun");
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("error: interrupted by the user") });
    expect(processesWith(mark)).toEqual([]);
    await checkStore();
    expect(readdirSync(join(place.store, "nix/var/nix/builds"))).toEqual([]);
    expect(readdirSync(join(place.store, "nix/var/nix/temproots"))).toEqual([]);
  });
});

test("an interrupt ends a substitution and leaves no lock and no half path", async () => {
  writeFileSync(join(place.directory, "work/big"), Buffer.alloc(200_000_000, "x"));
  const source = join(place.directory, "source");
  const path = (await program("store", "add", "big", "--store", source)).out.trim();
  const cache = `file://${join(place.directory, "cache")}`;
  expect((await program("copy", "--store", source, "--to", `${cache}?compression=none`, path)).code).toBe(0);
  const options = ["--option", "substituters", cache, "--option", "require-sigs", "false"];
  const ended = await interrupted(["build", "--no-link", path, ...options], "copying path");
  expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("error: interrupted by the user") });
  expect(await program("path-info", path)).toMatchObject({ code: 1 });
  await checkStore();
  expect(readdirSync(join(place.store, "nix/store"))).toEqual([".links"]);
});
