import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";
import { randomGraphs } from "./random-graphs.ts";

const realNix = process.env.FIRN_REAL_NIX;
const root = fileURLToPath(new URL("../..", import.meta.url));
/** Another seed makes other graphs: FIRN_SEED=7 npm test. */
const seed = Number(process.env.FIRN_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe.skipIf(realNix === undefined)("derivations are the reference's, byte for byte", () => {
  let place: Place;
  let state: string;
  beforeAll(() => {
    place = makePlace();
    state = mkdtempSync(join(tmpdir(), "firn-real-"));
    mkdirSync(join(place.directory, "work/src/sub"), { recursive: true });
    writeFileSync(join(place.directory, "work/src/file.txt"), "file\n");
    writeFileSync(join(place.directory, "work/src/skip"), "skipped\n");
    writeFileSync(join(place.directory, "work/src/sub/deep"), "deep\n");
    writeFileSync(join(place.directory, "work/src/build.sh"), "#!/bin/sh\n", { mode: 0o755 });
  });
  afterAll(() => {
    place.remove();
    execFileSync("chmod", ["-R", "u+w", state]);
    rmSync(state, { recursive: true, force: true });
  });

  const real = (cwd: string, ...args: string[]): string[] =>
    execFileSync(realNix ?? "", args, {
      cwd,
      env: { ...process.env, REAL_NIX_STATE: state, REAL_NIX_BIND: place.directory },
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 28,
    })
      .toString("utf8")
      .trim()
      .split("\n");

  /** Compares the files of derivations and of all that they are made from. */
  const compareFiles = (paths: readonly string[]): number => {
    const seen = new Set<string>();
    const queue = [...paths];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const theirs = readFileSync(join(state, path.slice("/nix/".length)), "latin1");
      const ours = readFileSync(join(place.store, path), "latin1");
      expect(ours).toBe(theirs);
      for (const [input] of theirs.matchAll(/\/nix\/store\/[0-9a-z]{32}-[^"]*\.drv(?=")/g)) {
        if (existsSync(join(state, input.slice("/nix/".length)))) queue.push(input);
      }
    }
    return seen.size;
  };

  test(`200 random graphs (FIRN_SEED=${seed})`, async () => {
    const file = join(place.directory, "work/graphs.nix");
    writeFileSync(file, randomGraphs(seed, 200));
    const theirs = real(dirname(file), "nix-instantiate", "graphs.nix");
    const { paths, err } = await instantiate(place, file);
    expect(err).not.toContain("error:");
    expect(paths).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(400);
    expect(compareFiles(theirs.map((path) => path.replace(/!.*$/, "")))).toBeGreaterThan(400);
  });

  test("the Debian set and examples/hello", async () => {
    const tree = join(place.directory, "work/tree");
    cpSync(join(root, "os"), join(tree, "os"), { recursive: true });
    cpSync(join(root, "examples"), join(tree, "examples"), { recursive: true });
    writeFileSync(
      join(tree, "all.nix"),
      `
      let
        set = import ./os/pkgs { };
        hello = ((import ./examples/hello/flake.nix).outputs { self = null; deb.legacyPackages.x86_64-linux = set; }).packages.x86_64-linux;
      in builtins.attrValues set.debs ++ builtins.attrValues set.environments ++ [ hello.hello ]
    `,
    );
    const theirs = real(tree, "nix-instantiate", "all.nix");
    const { paths, err } = await instantiate(place, join(tree, "all.nix"));
    expect(err).not.toContain("error:");
    expect(paths).toEqual(theirs);
    expect(compareFiles(theirs)).toBeGreaterThan(200);
  });
});

/** The derivations of a file, written to the place's store; in a process of its own, as a user would. */
async function instantiate(place: Place, file: string): Promise<{ paths: string[]; err: string }> {
  const { runProgram } = await import("../support/run-firn.ts");
  const { out, err } = await runProgram(["nix-instantiate", file], { cwd: dirname(file), env: place.environment });
  return { paths: out.trim().split("\n"), err };
}
