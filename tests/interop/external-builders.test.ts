/** External builders, run by us and by the reference with the same derivations. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

const realNix = process.env.FIRN_REAL_NIX ?? "";
let place: Place;

beforeEach(() => {
  place = makePlace();
  chmodSync(place.directory, 0o755);
  writeFileSync(
    join(place.directory, "job.nix"),
    `derivation {
      name = "job"; system = "odd-system"; builder = "/bin/sh"; outputs = [ "out" "dev" ];
      args = [ "-c" "echo works; echo made > $out; echo $out > $dev" ]; text = builtins.toFile "text" "";
    }`,
  );
});
afterEach(() => place.remove());

/** The value of the setting for a builder with this script. */
function builderOf(script: string): string {
  const program = join(place.directory, "builder");
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return JSON.stringify([
    { systems: ["other-system"], program: "/none", args: [] },
    { systems: ["odd-system"], program, args: ["first"] },
  ]);
}

function environmentOf(): Record<string, string> {
  const directory = join(place.directory, "s");
  removePath(directory);
  return {
    NIX_CONFIG:
      "substituters =\nflake-registry =\nbuild-users-group =\nextra-experimental-features = nix-command flakes",
    NIX_REMOTE: "local",
    NIX_STORE_DIR: join(directory, "store"),
    NIX_STATE_DIR: join(directory, "state"),
    NIX_LOG_DIR: join(directory, "log"),
  };
}

const build = ["build", "-f", "job.nix", "--print-out-paths", "--no-link", "-L"];
const enabled = [...build, "--extra-experimental-features", "external-builders"];

function ours(...words: string[]): Promise<Outcome> {
  return place.firnWith({ cwd: place.directory, env: environmentOf() }, ...words);
}

async function theirs(...words: string[]): Promise<Outcome> {
  const env = { ...place.environment, ...environmentOf(), REAL_NIX_BIND: place.directory };
  const ran = promisify(execFile)(realNix, ["nix", ...words], { cwd: place.directory, env });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      out: stdout,
      err: stderr,
    }),
  );
}

/** An outcome without the empty lines of messages, and without the line that the reference prints when a build has begun: ours comes before. */
function plain({ code, out, err }: Outcome): Outcome {
  return {
    code,
    out,
    err: err
      .replace(/^building .*\n/m, "")
      .replaceAll(/\n+/g, "\n")
      .replaceAll(/\bfirn(?= (?:log|--help))/g, "nix"),
  };
}

const running = `printf '\\002\\n'; [ "$1" = first ] && [ -z "$3" ] || exit 9; cp "$2" "\${0%/*}/shared/seen.json"
  out=$(sed 's/.*"out":"\\([^"]*\\)"},.*/\\1/' "$2"); dev=$(sed 's/.*"outputs":{"dev":"\\([^"]*\\)".*/\\1/' "$2")
  export out dev; /bin/sh -c "echo works; echo made > $out; echo $out > $dev"`;

describe.skipIf(realNix === "")("an external builder", () => {
  it("makes the outputs of its systems, told of the build as by the reference", async () => {
    const setting = builderOf(running);
    const shared = join(place.directory, "shared");
    mkdirSync(shared);
    // The builder has a user of its own when we are root.
    chmodSync(shared, 0o1777);
    const seen = join(shared, "seen.json");
    const told = (): unknown => {
      const text = readFileSync(seen, "utf8").replaceAll(/(?<="(?:topTmpDir|tmpDir)":")[^"]*?(?=(?:\/build)?")/g, "");
      removePath(seen);
      return JSON.parse(text);
    };
    const firn = await ours(...enabled, "--external-builders", setting);
    const description = told();
    expect(plain(firn)).toEqual(plain(await theirs(...enabled, "--external-builders", setting)));
    expect(firn.code).toBe(0);
    expect(description).toEqual(told());
  }, 60_000);

  for (const [what, script] of [
    ["that fails", `echo before; printf '\\002\\n'; echo no luck; exit 3`],
    ["that makes nothing", `printf '\\002\\n'`],
    ["that ends before the build begins", `echo one; echo two; exit 4`],
  ] as const) {
    it(`${what} is told as by the reference`, async () => {
      const words = [...enabled, "--external-builders", builderOf(script)];
      const firn = await ours(...words);
      expect(plain(firn)).toEqual(plain(await theirs(...words)));
      expect([firn.code, existsSync(join(place.directory, "s/state/builds"))]).toEqual([1, true]);
    }, 60_000);
  }

  it("needs its experimental feature and a setting that is understood", async () => {
    const setting = builderOf(running);
    for (const words of [
      [...build, "--external-builders", setting],
      [...enabled, "--external-builders", '[{"systems": ["odd-system"], "program": "/x"}]'],
      [...enabled, "--external-builders", '[{"systems": "odd-system", "program": "/x", "args": []}]'],
      [...enabled, "--external-builders", "[1]"],
      [...enabled, "--external-builders", "[}"],
      ["config", "show", "external-builders"],
      ["config", "show", "external-builders", "--external-builders", setting],
    ]) {
      expect(plain(await ours(...words))).toEqual(plain(await theirs(...words)));
    }
  }, 60_000);
});
