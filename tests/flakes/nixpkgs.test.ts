import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place, runProgram } from "../support/run-firn.ts";
import { type Forge, makeRepository, startForge } from "./forge.ts";

const realNix = process.env.FIRN_REAL_NIX;

/** A package set that the reference builds and Firn only substitutes: its builder exists in no sandbox of ours. */
const flake = `{
  outputs = { self }: {
    legacyPackages.x86_64-linux = rec {
      greeting = builtins.toFile "greeting" "Hello, world!\\n";
      hello = derivation {
        name = "hello-2.12";
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [ "-c" "echo '#!/bin/sh' > $out.tmp; PATH=/bin:/usr/bin; mkdir -p $out/bin; echo \\"#!/bin/sh\\" > $out/bin/hello; echo \\"while read -r line; do echo \\\\\\"\\\\$line\\\\\\"; done < \${greeting}\\" >> $out/bin/hello; chmod +x $out/bin/hello; rm $out.tmp" ];
      };
    };
  };
}
`;

describe.skipIf(realNix === undefined)("firn run nixpkgs#hello", () => {
  let place: Place;
  let forge: Forge;
  let state: string;
  let registry: string;
  let publicKey: string;

  beforeAll(async () => {
    place = makePlace();
    state = mkdtempSync(join(tmpdir(), "firn-real-"));
    const repository = join(place.directory, "nixpkgs");
    const rev = makeRepository(repository, { "flake.nix": flake });
    forge = await startForge(place.directory, repository, rev);
    registry = join(place.directory, "registry.json");
    const entry = {
      from: { type: "indirect", id: "nixpkgs" },
      to: { type: "github", owner: "owner", repo: "repo", host: forge.host },
    };
    writeFileSync(registry, JSON.stringify({ version: 2, flakes: [entry] }));
    const env = {
      ...process.env,
      REAL_NIX_STATE: state,
      REAL_NIX_BIND: place.directory,
      HOME: join(place.directory, "real-home"),
      NIX_CONFIG: "build-users-group =\nexperimental-features = nix-command flakes\nsandbox = false\nsubstituters =\n",
    };
    mkdirSync(env.HOME);
    const real = (...args: string[]): string =>
      execFileSync(realNix ?? "", args, { env, cwd: place.directory, stdio: ["ignore", "pipe", "pipe"] })
        .toString()
        .trim();
    const out = real("nix", "build", "--no-link", "--print-out-paths", `git+file://${repository}#hello`);
    real(
      "nix-store",
      "--generate-binary-cache-key",
      "cache-1",
      join(place.directory, "secret"),
      join(place.directory, "public"),
    );
    publicKey = readFileSync(join(place.directory, "public"), "utf8").trim();
    real(
      "nix",
      "copy",
      "--to",
      `file://${place.directory}/cache?secret-key=${place.directory}/secret&compression=zstd`,
      out,
    );
  });
  afterAll(async () => {
    await forge.close();
    place.remove();
    execFileSync("chmod", ["-R", "u+w", state]);
    rmSync(state, { recursive: true, force: true });
  });

  const run = (...config: string[]) =>
    runProgram(["run", "nixpkgs#hello"], {
      cwd: join(place.directory, "work"),
      env: {
        ...place.environment,
        NIX_CONFIG: [
          `flake-registry = ${registry}`,
          `ssl-cert-file = ${forge.certificate}`,
          `substituters = file://${place.directory}/cache`,
          ...config,
        ].join("\n"),
      },
    });

  test("refuses what no trusted key signed", async () => {
    const { code, out, err } = await run(
      "trusted-public-keys = other-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "max-jobs = 0",
    );
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(
      /ignoring substitute for '.*-hello-2\.12' from 'file:.*', as it's not signed by any of the keys in 'trusted-public-keys'/,
    );
  });

  test("resolves through the registry, fetches, locks, evaluates, substitutes and runs", async () => {
    const { code, out, err } = await run(`trusted-public-keys = ${publicKey}`, "max-jobs = 0");
    expect([code, out]).toEqual([0, "Hello, world!\n"]);
    expect(err).toMatch(/this path will be fetched \(.* download, .* unpacked\):/);
    expect(err).not.toContain("building");
  });

  test("answers from the store the second time, asking neither forge nor cache", async () => {
    forge.requests.length = 0;
    rmSync(join(place.directory, "cache"), { recursive: true });
    const { code, out, err } = await run(`trusted-public-keys = ${publicKey}`);
    expect([code, out, err]).toEqual([0, "Hello, world!\n", ""]);
    expect(forge.requests).toEqual([]);
  });
});
