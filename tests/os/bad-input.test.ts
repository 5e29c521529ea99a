/** What a user gets wrong: each is told with what, where and what to do, before anything is built or changed. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSystems, canBootContainers, makeSystemsPlace } from "../support/build-systems.ts";
import { machineState, prepareMachine, recoverMachine, switchMachine } from "../support/file-machine.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

const root = 'fileSystems."/" = { device = "/dev/vda"; fsType = "ext4"; };';

describe("a configuration that is wrong", () => {
  let place: Place;
  let number = 0;
  beforeAll(() => {
    place = makePlace();
  });
  afterAll(() => place.remove());

  async function build(files: Readonly<Record<string, string>>): Promise<{ outcome: Outcome; directory: string }> {
    const directory = join(place.directory, "work", `configuration${number++}`);
    mkdirSync(directory);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const outcome = await place.firnWith({ cwd: directory }, "os", "dry-build", "./configuration.nix");
    expect(readdirSync(directory).sort()).toEqual(Object.keys(files).sort());
    return { outcome, directory };
  }
  /** The message after the trace, with this test's directory as HERE. */
  async function failure(files: Readonly<Record<string, string>>): Promise<string> {
    const { outcome, directory } = await build(files);
    expect([outcome.code, outcome.out]).toEqual([1, ""]);
    return outcome.err.slice(outcome.err.lastIndexOf("error:")).replaceAll(directory, "HERE");
  }

  test("an option that does not exist: its place, and the nearest name", async () => {
    const message = await failure({ "configuration.nix": `{ ${root}\n  services.ngnix.enable = true;\n}` });
    expect(message).toContain("The option `services.ngnix' does not exist");
    expect(message).toContain("HERE/configuration.nix:2");
    expect(message).toMatch(/Did you mean `services\.nginx'/);
  }, 60_000);

  test("traces name options and the author's own files; those of the module system come with --show-trace", async () => {
    const files = {
      "configuration.nix": `{ lib, ... }: { ${root}\n  networking.hostName = lib.mkIf true (throw "mine");\n}`,
    };
    const { outcome, directory } = await build(files);
    expect(outcome.err).not.toMatch(/os\/lib|os\/modules/);
    expect(outcome.err).toContain("while evaluating the option `networking.hostName'");
    expect(outcome.err).toContain(`${directory}/configuration.nix:2`);
    const whole = await place.firnWith({ cwd: directory }, "os", "dry-build", "./configuration.nix", "--show-trace");
    expect(whole.err).toMatch(/os\/lib/);
  }, 60_000);

  test("packages that the lock lacks: all of them, with the one command, and no trace of the package set", async () => {
    const { outcome } = await build({
      "configuration.nix": `{ ${root}\n  services.pipewire = { enable = true; pulse.enable = true; };\n}`,
    });
    const lacking = ["pipewire", "pipewire-bin", "pipewire-pulse", "wireplumber"];
    expect(outcome.err.slice(outcome.err.indexOf("error:"))).toBe(
      `error: the lock of Debian packages lacks ${lacking.map((name) => `'${name}'`).join(", ")}; 'firn deb add ${lacking.join(" ")}' adds them\n`,
    );
  }, 60_000);

  test("a value of the wrong type: option, value, place and type", async () => {
    const message = await failure({
      "configuration.nix": `{ ${root}\n  services.openssh.enable = true;\n  services.openssh.ports = "22";\n}`,
    });
    expect(message).toMatch(/option `services\.openssh\.ports' is not of type `list of/);
    expect(message).toContain("HERE/configuration.nix:3");
    expect(message).toContain('"22"');
  }, 60_000);

  test("two definitions that contradict each other: both places, and how to decide", async () => {
    const message = await failure({
      "configuration.nix": `{ imports = [ ./other.nix ]; ${root}\n  networking.hostName = "a";\n}`,
      "other.nix": '{ networking.hostName = "b"; }',
    });
    expect(message).toContain("The option `networking.hostName' has conflicting definition values");
    expect(message).toMatch(/HERE\/configuration\.nix:2': "a"/);
    expect(message).toMatch(/HERE\/other\.nix:1': "b"/);
    expect(message).toContain("mkForce");
  }, 60_000);

  test("an imported file that is not there", async () => {
    const message = await failure({ "configuration.nix": `{ imports = [ ./nowhere.nix ]; ${root} }` });
    expect(message).toContain("path 'HERE/nowhere.nix' does not exist");
  }, 60_000);

  test("files that import each other are each taken once; imports that depend on the configuration are told", async () => {
    const { outcome } = await build({
      "configuration.nix": `{ imports = [ ./other.nix ]; ${root} }`,
      "other.nix": '{ imports = [ ./configuration.nix ]; networking.hostName = "cycle"; }',
    });
    expect([outcome.code, outcome.out]).toEqual([0, expect.stringContaining("-firn-system-cycle-")]);
    const { outcome: recursive } = await build({
      "configuration.nix": `{ config, ... }: { imports = if config.networking.hostName == "x" then [ ./other.nix ] else [ ]; ${root} }`,
      "other.nix": "{ }",
    });
    expect(recursive.err).toContain("infinite recursion encountered");
    expect(recursive.err).toContain("you probably reference `config` in `imports`");
  }, 60_000);

  test("a user without a group, or with one that does not exist", async () => {
    const message = await failure({
      "configuration.nix": `{ ${root} users.users = { a = { isSystemUser = true; }; b = { isNormalUser = true; group = "nope"; }; }; }`,
    });
    expect(message).toContain("users.users.a.group is not set; name a group, or declare one with users.groups.a = { }");
    expect(message).toContain("users.users.b.group is 'nope', a group that does not exist");
  }, 60_000);

  test("two services on one port", async () => {
    const message = await failure({
      "configuration.nix": `{ ${root} services.openssh = { enable = true; ports = [ 80 ]; }; services.nginx = { enable = true; virtualHosts.a = { }; }; }`,
    });
    expect(message).toMatch(/port 80/);
    expect(message).toMatch(/openssh[\s\S]*nginx|nginx[\s\S]*openssh/);
  }, 60_000);

  test("a secret in plain text is refused, with what to use instead", async () => {
    const message = await failure({
      "configuration.nix": `{ ${root} users.users.eve = { isNormalUser = true; password = "secret"; }; }`,
    });
    expect(message).toContain("users.users.eve: a plain-text password would be readable by everyone in the store");
    expect(message).toContain("hashedPasswordFile");
    expect(message).not.toContain('secret"');
  }, 60_000);

  test("no configuration at all, and one named twice", async () => {
    const none = await place.firn("os", "build", "./nowhere");
    expect([none.code, none.err]).toEqual([1, expect.stringMatching(/nowhere/)]);
    const twice = await place.firn("os", "build", "./a", "--file", "./b");
    expect([twice.code, twice.err]).toEqual([1, expect.stringContaining("both name a configuration")]);
  }, 60_000);
});

describe.skipIf(!canBootContainers)("a machine's surroundings that fail", () => {
  test("no mirror can be reached: what is in the store is enough, and what is missing is told", async () => {
    const kept = makeSystemsPlace();
    const empty = makePlace();
    const unreachable = {
      NIX_CONFIG: "substituters =\nflake-registry =\ndeb-mirrors = debian=http://127.0.0.1:9/none",
    };
    try {
      const modules = { machine: "{ }" };
      const [first] = Object.values(await buildSystems(kept, modules));
      const again = await buildSystems({ ...kept, environment: { ...kept.environment, ...unreachable } }, modules);
      expect(again.machine).toBe(first);
      await expect(
        buildSystems({ ...empty, environment: { ...empty.environment, ...unreachable } }, modules),
      ).rejects.toThrow(/unable to download 'http:\/\/127\.0\.0\.1:9\/none\/pool\//);
    } finally {
      kept.remove();
      empty.remove();
    }
  }, 900_000);

  test("an inhibitor of the running system has changed: the switch says so, and is done at the next start or when it must", async () => {
    const directory = mkdtempSync(join(tmpdir(), "firn-inhibited-"));
    const inhibitors = { old: { bus: "1", gone: "1" }, new: { bus: "2", more: "1" } };
    const { after } = await prepareMachine(directory, inhibitors);
    const before = machineState(directory);
    await expect(switchMachine(directory, after)).rejects.toMatchObject({
      code: "switch-inhibited",
      message: "the running system cannot be replaced by this one: bus: 1 -> 2",
    });
    expect(machineState(directory)).toEqual(before);
    expect(await switchMachine(directory, after, { action: "boot" })).toMatchObject({ kind: "done" });
    expect(await switchMachine(directory, after, { ignoreInhibitors: true })).toMatchObject({ kind: "done" });
    expect(machineState(directory)).toMatchObject({ running: after });
    rmSync(directory, { recursive: true });
  });

  test("the disk is read-only: the switch says so and the machine is what it was", async () => {
    await onSmallDisk(async (directory) => {
      const { after } = await prepareMachine(directory);
      const before = machineState(directory);
      execFileSync("mount", ["-o", "remount,ro", directory]);
      await expect(switchMachine(directory, after)).rejects.toThrow(/[Rr]ead-only|EROFS/);
      expect(machineState(directory)).toEqual(before);
      execFileSync("mount", ["-o", "remount,rw", directory]);
      expect(await switchMachine(directory, after)).toMatchObject({ kind: "done" });
    });
  }, 60_000);

  test("the disk gets full at any point of the switch: it says so, and with space again the machine is what it was", async () => {
    const ends: string[] = [];
    // A switch needs some 40 KiB.
    const [last, distance] = process.env.FIRN_ALL_STEPS === undefined ? [48, 8] : [200, 4];
    for (let free = 0; free <= last; free += distance) {
      await onSmallDisk(async (directory) => {
        const { after } = await prepareMachine(directory);
        const before = machineState(directory);
        execFileSync("sh", [
          "-c",
          `dd if=/dev/zero of=${directory}/filler bs=1k 2>/dev/null; truncate -s -${free}k ${directory}/filler`,
        ]);
        const end = await switchMachine(directory, after).catch((error: Error) => error.message);
        rmSync(join(directory, "filler"));
        if (typeof end !== "string") return;
        ends.push(end);
        expect(end).toMatch(/[Nn]o space left on device|ENOSPC|disk I\/O error|database or disk is full/);
        await recoverMachine(directory);
        expect(machineState(directory)).toEqual(before);
      });
    }
    expect(ends.filter((end) => /ENOSPC|No space/i.test(end)).length).toBeGreaterThan(0);
  }, 120_000);
});

/** Runs `body` with a directory that is a file system of 64 MiB, with another one for /boot. */
async function onSmallDisk(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "firn-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", directory]);
  // The boot loader's partition is one of its own.
  mkdirSync(join(directory, "boot"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", join(directory, "boot")]);
  try {
    await body(directory);
  } finally {
    execFileSync("umount", ["-l", directory]);
    rmSync(directory, { recursive: true });
  }
}
