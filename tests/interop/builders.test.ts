/** Builds on other machines: on ours and on the reference's, by our own scheduler, and by build hooks in both directions. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sandboxWorks } from "@firn/build";
import { openLockFile, removePath, tryLock } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemonHere, realEnvironment, sandboxPrograms, type TestDaemon } from "../support/daemons.ts";
import { main } from "../support/program.ts";

const run = promisify(execFile);
const realNix = process.env.FIRN_REAL_NIX ?? "";
const checkout = fileURLToPath(new URL("../..", import.meta.url));

let top: string;
const daemons: TestDaemon[] = [];

/** Makes a program of the test's directory. */
function program(name: string, script: string): string {
  const file = path.join(top, "bin", name);
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-builders-"));
  fs.chmodSync(top, 0o755);
  for (const name of ["bin", "home", "work"]) fs.mkdirSync(path.join(top, name));
  const firn = `${process.execPath} --disable-warning=ExperimentalWarning ${main}`;
  const config = `substituters =\nbuild-users-group =\nsandbox-paths = ${sandboxPrograms}`;
  for (const name of ["nix-store", "nix-daemon"]) {
    program(`firn-${name}`, `HOME=${top}/home NIX_CONFIG='${config}' exec ${firn} ${name} "$@"`);
  }
  program("firn-hook", `exec ${firn} __build-remote "$@"`);
  // Each job says where it ran by the features that it asks for, and uses those before it.
  fs.writeFileSync(
    path.join(top, "work/jobs.nix"),
    `{ tag ? "" }: rec {
      job = name: feature: inputs: derivation {
        name = "\${name}\${tag}"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; inherit inputs;
        args = [ "-ec" "echo \${name} works; cat /dev/null $inputs >/dev/null; echo \${name} $inputs > $out" ];
        requiredSystemFeatures = [ feature ];
      };
      a = job "a" "one" [ ];
      b = job "b" "two" [ a ];
      c = job "c" "three" [ a b ];
      failing = derivation {
        name = "failing\${tag}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo no luck; exit 3" ];
        requiredSystemFeatures = [ "one" ];
      };
      foreign = derivation { name = "foreign"; system = "riscv64-linux"; builder = "/bin/sh"; args = [ "-c" "echo made > $out" ]; };
    }`,
  );
});
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
  removePath(top);
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function outcome(
  file: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(file, args, options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** Runs `firn` with the store `near`. */
function firn(...words: string[]): Promise<Outcome> {
  const env = {
    ...process.env,
    HOME: path.join(top, "home"),
    NIX_CONF_DIR: path.join(top, "etc"),
    NIX_CONFIG: `substituters =\nflake-registry =\nbuild-users-group =\nsandbox-paths = ${sandboxPrograms}`,
    NIX_REMOTE: path.join(top, "near"),
    NIX_STATE_DIR: path.join(top, "state"),
    LC_ALL: "C.UTF-8",
  };
  const args = ["--disable-warning=ExperimentalWarning", main, ...words];
  return outcome(process.execPath, args, { cwd: path.join(top, "work"), env });
}

/** Runs the reference with the store below `real`, seeing this test's directory and the checkout. */
function real(...words: string[]): Promise<Outcome> {
  fs.mkdirSync(path.join(top, "real/nix"), { recursive: true });
  const env = { ...realEnvironment(path.join(top, "real"), `sandbox-paths = ${sandboxPrograms}`) };
  env.REAL_NIX_BIND = [env.REAL_NIX_BIND, top, checkout, path.dirname(process.execPath)].join(":");
  return outcome(realNix, words, { cwd: path.join(top, "work"), env });
}

/** The names of the paths in the store of a machine. */
function pathsOf(machine: string): string[] {
  const names = fs.readdirSync(path.join(top, machine, "nix/store"));
  return names
    .filter((name) => name !== ".links")
    .map((name) => name.slice(33))
    .sort();
}

/** A line of the setting `builders` for a machine by ssh, whose far end is the program. */
const machine = (scheme: string, far: string, name: string, features: string): string =>
  `${scheme}://localhost?remote-program=${top}/bin/${far}&remote-store=${top}/${name}?system-features=${features} x86_64-linux - 1 1 ${features}`;

const build = ["build", "--no-link", "--print-out-paths", "-f", "jobs.nix"] as const;

describe.skipIf(!sandboxWorks())("builds on other machines", () => {
  it("go by features to machines of each kind, with their inputs, and come back with their logs", async () => {
    const builders = [
      machine("ssh", "firn-nix-store", "m1", "one"),
      `${top}/m2 - - 1 1 two # a store in another directory`,
      machine("ssh-ng", "firn-nix-daemon", "m3", "three"),
    ];
    fs.writeFileSync(path.join(top, "machines"), builders.slice(1).join("\n"));
    const how = ["--max-jobs", "0", "--builders", `${builders[0]} ; @${top}/machines`];
    const { code, out, err } = await firn(...build, "c", ...how);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect(fs.readFileSync(path.join(top, "near", out.trim()), "utf8")).toMatch(/^c .*-a .*-b\n$/);
    expect([pathsOf("m1"), pathsOf("m2"), pathsOf("m3")]).toEqual([["a"], ["a", "b"], ["a", "b", "c"]]);
    expect(err).toMatch(/^building '\S*-b\.drv' on '\S*m2'\.\.\.$/m);
    for (const name of ["a", "b", "c"]) expect((await firn("log", "-f", "jobs.nix", name)).out).toBe(`${name} works\n`);
    const failed = await firn(...build, "failing", ...how);
    expect([failed.code, failed.err]).toEqual([
      1,
      expect.stringMatching(/failing\.drv' on 'ssh:.*' failed: .*exit code 3/s),
    ]);
    expect((await firn("log", "-f", "jobs.nix", "failing")).out).toBe("no luck\n");
  }, 120_000);

  it("fill a binary cache, which no builder of this machine can write to", async () => {
    const cache = ["--store", `file://${top}/cache`, "--max-jobs", "0"];
    const refused = await firn(...build, "b", ...cache);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining("Unable to build with a primary store that isn't a local store"),
    ]);
    const builders = `${top}/m1 - - 1 1 one ; ${top}/m2 - - 1 1 two`;
    const { code, out, err } = await firn(...build, "-L", "b", ...cache, "--builders", builders);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect(err).toContain("\nb> b works\n");
    const b = out.trim();
    const info = await firn("path-info", "--recursive", "--store", `file://${top}/cache`, b);
    expect(info.out).toMatch(new RegExp(`^/nix/store/\\S*-a\\n${b}\\n$`));
    // It is there now: nothing has to be built.
    expect(await firn(...build, "b", ...cache)).toEqual({ code: 0, out, err: "" });
  }, 120_000);

  it("pass machines that do not answer, wait for those that are busy, and end where nothing suits", async () => {
    program("silent", "exit 1");
    const builders = `ssh://localhost?remote-program=${top}/bin/silent - - 4 9 one ; ${top}/m2 - - 1 1 one`;
    // All slots of the machine are taken for a moment.
    const load = path.join(top, "near/nix/var/nix/current-load");
    fs.mkdirSync(load, { recursive: true });
    const slot = openLockFile(path.join(load, `${top.replaceAll("/", "_")}_m2-0`));
    expect(tryLock(slot, "write")).toBe(true);
    setTimeout(() => fs.closeSync(slot), 3000);
    const { code, err } = await firn(...build, "a", "--builders", builders);
    expect([code, pathsOf("m2")]).toEqual([0, ["a"]]);
    expect(err).toMatch(/^cannot build on 'ssh:\/\/localhost\?\S*silent': /m);
    const foreign = await firn(...build, "foreign", "--builders", builders);
    expect(foreign.code).toBe(1);
    expect(foreign.err).toContain("Failed to find a machine for remote build!");
    expect(foreign.err).toContain("Required system: 'riscv64-linux'");
    for (const [line, message] of [
      ["ssh://m - - x", "failed to convert column #3 in a row: 'ssh://m - - x' to 'unsigned int'"],
      ["- x86_64-linux", "store URL was not found at the first column"],
      ["m - - 1 -2", "speed factor must be >= 0"],
    ] as const) {
      expect((await firn(...build, "a", "--argstr", "tag", "2", "--builders", line)).err).toContain(message);
    }
  }, 120_000);

  it("go elsewhere, or stay, when a machine is lost in the middle", async () => {
    program("lost", `${top}/bin/firn-nix-store "$@" & sleep 0; trap 'kill $!' TERM; exec <&-; sleep 1; kill -9 $!`);
    fs.writeFileSync(
      path.join(top, "work/slow.nix"),
      `derivation { name = "slow"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-c" "sleep 2; echo x > $out" ]; }`,
    );
    const builders = `ssh://localhost?remote-program=${top}/bin/lost&remote-store=${top}/m1 - - 1 9`;
    const { code, err } = await firn("build", "--no-link", "-f", "slow.nix", "--builders", builders);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect(err).toContain("cannot build on 'ssh://localhost");
  }, 120_000);

  describe.skipIf(realNix === "")("with the reference", () => {
    it("as the machine, by both protocols", async () => {
      fs.mkdirSync(path.join(top, "far/nix"), { recursive: true });
      const variables = Object.entries(
        realEnvironment(path.join(top, "far"), `sandbox-paths = ${sandboxPrograms}\nsystem-features = one two`),
      )
        .map(([name, value]) => `export ${name}='${value}'`)
        .join("\n");
      for (const name of ["nix-store", "nix-daemon"])
        program(`real-${name}`, `${variables}\nunset NIX_REMOTE\nexec ${realNix} ${name} "$@"`);
      const line = (scheme: string, far: string, features: string): string =>
        `${scheme}://localhost?remote-program=${top}/bin/${far} - - 1 1 ${features}`;
      const builders = `${line("ssh", "real-nix-store", "one")};${line("ssh-ng", "real-nix-daemon", "two")}`;
      const { code, err } = await firn(...build, "b", "--max-jobs", "0", "--builders", builders);
      expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
      expect(pathsOf("far")).toEqual(["a", "b"]);
      for (const name of ["a", "b"]) expect((await firn("log", "-f", "jobs.nix", name)).out).toBe(`${name} works\n`);
    }, 120_000);

    /** Starts daemons of ours for two machines; the reference's surroundings have no sandbox of ours. */
    async function ourMachines(): Promise<string> {
      const lines: string[] = [];
      for (const [name, feature] of [
        ["m1", "one"],
        ["m3", "two"],
      ] as const) {
        const daemon = await daemonHere(path.join(top, name), { rights: "trusted", features: [feature] });
        daemons.push(daemon);
        lines.push(`${daemon.url} - - 1 1 ${feature}`);
      }
      return lines.join(" ; ");
    }

    it("as the one that gives builds to our machines", async () => {
      const builders = await ourMachines();
      const { code, err } = await real("nix", ...build, "b", "--max-jobs", "0", "--builders", builders);
      expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
      expect([pathsOf("m1"), pathsOf("m3")]).toEqual([["a"], ["a", "b"]]);
      expect((await real("nix", "log", "-f", "jobs.nix", "b")).out).toBe("b works\n");
    }, 120_000);

    it("by our hook, and it by ours", async () => {
      const how = ["--max-jobs", "0", "--builders", await ourMachines()];
      const theirs = await real("nix", ...build, "b", ...how, "--build-hook", `${top}/bin/firn-hook`);
      expect([theirs.code, theirs.code === 0 ? "" : theirs.err]).toEqual([0, ""]);
      expect([pathsOf("m1"), pathsOf("m3")]).toEqual([["a"], ["a", "b"]]);
      expect((await real("nix", "log", "-f", "jobs.nix", "b")).out).toBe("b works\n");
      const failed = await real("nix", ...build, "failing", ...how, "--build-hook", `${top}/bin/firn-hook`);
      expect([failed.code, failed.err]).toEqual([expect.any(Number), expect.stringContaining("exit code 3")]);
      program(
        "real-hook",
        `export REAL_NIX_BIND='${top}:${checkout}:${path.dirname(process.execPath)}'\nexec ${realNix} nix __build-remote "$@"`,
      );
      const ours = await firn(...build, "a", "--argstr", "tag", "2", ...how, "--build-hook", `${top}/bin/real-hook`);
      expect([ours.code, ours.code === 0 ? "" : ours.err]).toEqual([0, ""]);
      expect(pathsOf("m1")).toEqual(["a", "a2"]);
      expect((await firn("log", "-f", "jobs.nix", "a", "--argstr", "tag", "2")).out).toBe("a works\n");
    }, 120_000);
  });
});
