/** `firn eval-jobs`: its lines of JSON, in the form of nix-eval-jobs. */
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let work: string;

beforeAll(() => {
  place = makePlace();
  work = join(place.directory, "work");
  writeFileSync(
    join(work, "jobs.nix"),
    `{ system ? "x86_64-linux" }:
    let job = name: derivation { inherit name system; builder = "/bin/sh"; } // { meta.description = "the \${name}"; };
    in {
      b = job "b";
      a = job "a";
      "x.y" = job "xy";
      bad = throw "no ü";
      number = 1;
      nested = { recurseForDerivations = true; inner = job "inner"; };
      hidden.z = job "z";
      dependent = derivation { name = "d"; inherit system; builder = "/bin/sh"; input = job "a"; };
    }\n`,
  );
});
afterAll(() => place.remove());

interface Line {
  readonly attr: string;
  readonly attrPath: readonly string[];
  readonly drvPath?: string;
  readonly error?: string;
  readonly [name: string]: unknown;
}

async function jobs(...args: string[]): Promise<Line[]> {
  const { code, out, err } = await place.firn("eval-jobs", ...args);
  expect([code, err]).toEqual([0, ""]);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

test("tells jobs and failures, and enters what asks for it", async () => {
  const lines = await jobs("-f", "jobs.nix");
  expect(lines.map(({ attr }) => attr)).toEqual(["a", "b", "bad", "dependent", "nested.inner", '"x.y"']);
  const [a, , bad] = lines;
  const instantiated = await place.firn("nix-instantiate", "--no-gc-warning", "jobs.nix", "-A", "a");
  expect(a).toEqual({
    attr: "a",
    attrPath: ["a"],
    drvPath: instantiated.out.trim(),
    name: "a",
    outputs: { out: expect.stringMatching(/-a$/) },
    system: "x86_64-linux",
  });
  expect(bad).toEqual({
    attr: "bad",
    attrPath: ["bad"],
    error: expect.stringMatching(/^error:\n {7}… [\s\S]*no ü$/),
    fatal: false,
  });
});

test("evaluates in several threads, enters everything, and tells more when asked", async () => {
  const roots = join(work, "roots");
  const more = [
    "--meta",
    "--show-input-drvs",
    "--check-cache-status",
    "--apply",
    "job: job.name",
    "--gc-roots-dir",
    "roots",
  ];
  const lines = await jobs("-f", "jobs.nix", "--workers", "3", "--force-recurse", ...more);
  const byAttr = new Map(lines.map((line) => [line.attr, line]));
  expect([...byAttr.keys()].sort()).toEqual(['"x.y"', "a", "b", "bad", "dependent", "hidden.z", "nested.inner"].sort());
  expect(byAttr.get("a")).toMatchObject({
    meta: { description: "the a" },
    inputDrvs: {},
    cacheStatus: "notBuilt",
    isCached: false,
    extraValue: "a",
  });
  expect(byAttr.get("dependent")).toMatchObject({
    meta: null,
    inputDrvs: { [byAttr.get("a")!.drvPath!]: ["out"] },
  });
  const kept = readdirSync(roots).map((name) => readlinkSync(join(roots, name)));
  expect(kept.sort()).toEqual(lines.flatMap(({ drvPath }) => drvPath ?? []).sort());
});

test("takes expressions, flakes, arguments and a selection; writes nothing when told", async () => {
  expect(await jobs("--expr", "{ one = { }; two = 2; }")).toEqual([]);
  const selected = await jobs(
    "--no-instantiate",
    "-f",
    "jobs.nix",
    "--argstr",
    "system",
    "other",
    "--select",
    "set: { only = set.b; }",
  );
  expect(selected).toMatchObject([{ attr: "only", system: "other" }]);
  writeFileSync(join(work, "flake.nix"), '{ outputs = _: { hydraJobs = import ./jobs.nix { system = "s"; }; }; }\n');
  expect((await jobs("--flake", "path:.#hydraJobs")).map(({ attr }) => attr)).toContain("nested.inner");
  const wrong = await place.firn("eval-jobs", "-f", "jobs.nix", "--workers", "0");
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("--workers takes a number above 0, not '0'") });
});
