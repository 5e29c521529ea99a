/** A builder that means harm, as root and as an ordinary user, with and without the network: what stops each of its tries. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { debMirrors, loadSettings, removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type Outcome, runProgram } from "../support/run-firn.ts";
import { expectations } from "./table.ts";
import { asOrdinaryUser, ordinaryUser } from "./user.ts";

const source = fileURLToPath(new URL("attack.c", import.meta.url));
const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const isRoot = process.getuid?.() === 0;

/** Everything of the machine that a try looks for. */
interface Target {
  readonly canary: string;
  readonly shared: string;
  readonly socketName: string;
  readonly port: number;
  close(): void;
}

async function makeTarget(directory: string): Promise<Target> {
  const canary = join(directory, "canary");
  fs.writeFileSync(canary, "precious\n", { mode: 0o644 });
  const name = `firn-attack-${process.pid}`;
  const shared = `/dev/shm/${name}`;
  fs.writeFileSync(shared, "");
  const named = net.createServer();
  const numbered = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => named.listen(`\0${name}`, resolve));
  await new Promise<void>((resolve) => numbered.listen(0, "127.0.0.1", resolve));
  const { port } = numbered.address() as net.AddressInfo;
  const close = (): void => {
    named.close();
    numbered.close();
    fs.rmSync(shared);
  };
  return { canary, shared, socketName: name, port, close };
}

/** The derivation that attacks; it differs each time so that it is built. */
function attackExpression(target: Target, fixed: boolean): string {
  const kind = fixed
    ? `outputHash = builtins.hashString "sha256" "attacked\\n"; outputHashAlgo = "sha256"; outputHashMode = "flat";`
    : "";
  return `derivation {
    name = "attacked-${process.pid}-${fixed}"; system = builtins.currentSystem;
    builder = "\${./attack}"; args = [ "\${./attack}" ]; ${kind}
    canary = "${target.canary}"; shared = "${target.shared}"; socketName = "${target.socketName}";
    hostPid = "${process.pid}"; hostPort = "${target.port}";
  }\n`;
}

describe.skipIf(!hasMirror)("a builder that means harm", () => {
  let directory: string;
  let target: Target;
  beforeAll(async () => {
    directory = fs.mkdtempSync(join(tmpdir(), "firn-attack-"));
    fs.chmodSync(directory, 0o755);
    target = await makeTarget(directory);
    const place = makeSystemsPlace();
    const expression = `(import ${join(checkout, "os/pkgs")} { }).mkDerivation {
      name = "attack"; src = ${source};
      phases = "buildPhase installPhase";
      buildPhase = "gcc -static -no-pie -O1 -Wall -Werror -o attack $src";
      installPhase = "mkdir -p $out; cp attack $out/";
    }`;
    const built = await place.firnWith(
      { env: place.environment },
      "build",
      "--impure",
      "--no-link",
      "--print-out-paths",
      "--expr",
      expression,
    );
    expect(built.err + built.out).toMatch(/-attack\n$/);
    fs.copyFileSync(join(place.store, built.out.trim(), "attack"), join(directory, "attack"));
    place.remove();
  }, 900_000);
  afterAll(() => {
    target.close();
    removePath(directory);
  });

  describe.each([
    ["as root", isRoot, false],
    ["as an ordinary user", true, true],
  ] as const)("%s", (_who, possible, ordinary) => {
    test.skipIf(!possible).each([
      ["without the network", false],
      ["with the network", true],
    ])(
      "%s is stopped at every try",
      async (_kind, fixed) => {
        const work = join(directory, `${ordinary ? "user" : "root"}-${fixed}`);
        fs.mkdirSync(work);
        fs.copyFileSync(join(directory, "attack"), join(work, "attack"));
        fs.writeFileSync(join(work, "default.nix"), attackExpression(target, fixed));
        const args = [
          "build",
          "--store",
          join(work, "store"),
          "-L",
          "--no-link",
          "--print-out-paths",
          "-f",
          "default.nix",
        ];
        const environment = {
          PATH: process.env.PATH ?? "",
          HOME: work,
          NIX_CONF_DIR: work,
          NIX_CONFIG: "substituters =\nflake-registry =\n",
          LC_ALL: "C.UTF-8",
        };
        const before = state();
        let outcome: Outcome;
        if (ordinary && isRoot) {
          execFileSync("chown", ["-R", `${ordinaryUser}:${ordinaryUser}`, work]);
          outcome = asOrdinaryUser(args, { cwd: work, env: environment });
        } else outcome = await runProgram(args, { cwd: work, env: environment });
        expect(outcome, outcome.err).toMatchObject({ code: 0 });

        const found = new Map<string, string>();
        for (const [, name = "", result = ""] of outcome.err.matchAll(/> try (\w+) (\S+)/g)) found.set(name, result);
        expect([...found.keys()].sort()).toEqual(expectations.map(({ name }) => name).sort());
        const through = expectations.flatMap(({ name, barrier, answers, fixed: withNetwork }) => {
          const allowed = fixed ? (withNetwork ?? answers) : answers;
          return allowed.includes(found.get(name) ?? "") ? [] : [`${name}: ${found.get(name)} (${barrier})`];
        });
        expect(through).toEqual([]);

        // What it left running is gone: the output stays as it was registered.
        const output = join(work, "store", outcome.out.trim());
        await sleep(200);
        expect(fs.readFileSync(output, "utf8")).toBe("attacked\n");
        expect(state()).toEqual(before);
      },
      120_000,
    );
  });

  /** What of the machine a builder could have changed. */
  function state(): unknown {
    const of = (file: string): unknown => {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? file : [file, stat.mode, stat.uid, stat.gid, stat.isFile() ? stat.mtimeMs : 0];
    };
    return {
      files: [
        "/dev/null",
        "/dev/zero",
        "/dev/urandom",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/services",
        target.canary,
      ].map(of),
      canary: fs.readFileSync(target.canary, "utf8"),
      pattern: fs.readFileSync("/proc/sys/kernel/core_pattern", "utf8"),
    };
  }
});

test("the table names at least sixty tries, each once", () => {
  const names = expectations.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});
