/** The smallest machine that changes itself: nothing but what its own programs need is there. */

import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import { bootContainer, type CommandResult, type Container, hasUplink } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers, checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type ArchivePackage, lockedIndex, makeArchiveKey, publish } from "../support/debian-archive.ts";
import { type Place, runProgram } from "../support/run-firn.ts";

const CONFIGURATION = `{ lib, modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "tiny";
  # The archives of the test.
  nix.settings = {
    deb-mirrors = [ "debian=file:///srv/debian" "debian-security=file:///srv/security" ];
    deb-keyring = [ "/srv/ring.gpg" ];
    substituters = [ ];
    flake-registry = "";
  };
  system.autoUpgrade.enable = true;
  systemd.network.wait-online.enable = false;
  nix.gc = {
    automatic = true;
    options = "--delete-old";
  };
  # jq is no part of /usr: these start it from the store, with its own libraries.
  systemd.services.answer = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "\${lib.getExe pkgs.jq} -n 20+1";
      StandardOutput = "file:/run/program";
    };
    postStart = "\${pkgs.jq}/bin/jq -n 40+2 >/run/script";
  };
}
`;

const FLAKE = `{
  inputs.deb.url = "deb";
  outputs = { deb, ... }: { nixosConfigurations.mine = deb.lib.firnSystem { modules = [ ./configuration.nix ]; }; };
}
`;

/** An address of this machine that others reach. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;

/** Needs root, and the mirrors of Debian and npm. */
describe.skipIf(!canBootContainers)("the smallest machine", () => {
  let place: Place;
  let machine: string;
  let container: Container;

  const inside = (...command: string[]): Promise<CommandResult> => container.run(command);
  /** Runs a command inside that has to succeed; returns its output. */
  const out = async (...command: string[]): Promise<string> => {
    const result = await inside(...command);
    expect([result.code, result.code === 0 ? "" : result.err]).toEqual([0, ""]);
    return result.out.trim();
  };
  /** The system that the machine's profile names. */
  const profileSystem = (): string => {
    const profiles = join(machine, "nix/var/nix/profiles");
    return readlinkSync(join(profiles, readlinkSync(join(profiles, "system"))));
  };
  const running = (): Promise<string> => out("readlink", "/run/current-system");

  beforeAll(async () => {
    place = makeSystemsPlace();
    const directory = join(place.directory, "work/tiny");
    machine = join(place.directory, "machine");
    mkdirSync(directory);
    writeFileSync(join(directory, "configuration.nix"), CONFIGURATION);
    const made = await runProgram(["os", "build-image", "--container", "-o", machine, "tiny"], {
      cwd: join(place.directory, "work"),
      env: place.environment,
    });
    if (made.code !== 0) throw new Error(made.err);
    const system = readlinkSync(join(machine, "nix/var/nix/profiles/system-1-link"));
    container = await bootContainer({ system, root: machine, realStore: join(machine, "nix/store") });
    expect(await container.booted(60)).toBe("running");
  }, 900_000);
  afterAll(async () => {
    await container?.kill();
    place.remove();
  });

  test("has a Firn that starts, switches, goes back and recovers", async () => {
    const first = await running();
    expect(await out("firn", "--version")).toMatch(/^firn \(Nix\) /);
    const telling = CONFIGURATION.replace('"tiny"', '(builtins.trace "evaluated" "small")');
    await inside("sh", "-c", `cat >/root/configuration.nix <<'EOF'\n${telling}EOF`);
    const switched = await inside("firn", "os", "switch", "/root/configuration.nix");
    // Whatever a command does with a configuration, it is evaluated once.
    expect([switched.code, switched.err.match(/trace: evaluated/g)]).toEqual([0, ["trace: evaluated"]]);
    expect(await out("hostname")).toBe("small");
    expect(await out("firn", "os", "rollback")).toContain(first);
    expect(await running()).toBe(first);
    expect((await inside("firn", "os", "recover")).err).toContain("no switch was interrupted");
  }, 120_000);

  test("runs programs by the paths of their packages, and none that do not exist", async () => {
    expect(await out("cat", "/run/program", "/run/script")).toBe("21\n42");
    expect((await inside("jq", "--version")).code).not.toBe(0);
    await inside(
      "sh",
      "-c",
      "sed 's,lib.getExe pkgs.jq,pkgs.jq,; s, -n 20,/bin/jqq&,; s,jq -n 40,none -n 40,' >/root/wrong.nix /etc/nixos/configuration.nix",
    );
    const { code, err } = await inside("firn", "os", "build", "--no-link", "/root/wrong.nix");
    const option = "(option 'systemd.services.answer";
    expect([code, err.replace(/'\/nix\/store\/[^']*\/bin/g, "'PATH")]).toEqual([
      1,
      expect.stringContaining(
        `the unit 'answer.service' starts 'PATH/jqq', which does not exist ${option}.serviceConfig.ExecStart'), did you mean 'jq'?`,
      ),
    ]);
    expect(err).toMatch(
      /names '\/nix\/.*\/bin\/none', which does not exist \(option 'systemd.services.answer.postStart'\)/,
    );
  }, 60_000);

  test("owns its configuration: it is in /etc/nixos, and each generation keeps what it was made of", async () => {
    const file = "/etc/nixos/configuration.nix";
    expect(await out("cat", file)).toBe(CONFIGURATION.trim());
    const source = async (...generation: string[]): Promise<string> =>
      out("cat", await out("firn", "os", "source", ...generation));
    expect(await source("1")).toBe(CONFIGURATION.trim());
    await out("sed", "-i", "s/tiny/mine/", file);
    await out("firn", "os", "switch");
    expect(await source()).toBe(await out("cat", file));
    expect(await source("1")).toBe(CONFIGURATION.trim());
    expect((await inside("firn", "os", "source", "99")).err).toBe("error: profile version 99 does not exist\n");
  }, 120_000);

  test("evaluates a flake of its own, purely, to programs that it has", async () => {
    await out("mkdir", "/root/flake");
    await inside("sh", "-c", "cp /etc/nixos/configuration.nix /root/flake");
    await inside("sh", "-c", `cat >/root/flake/flake.nix <<'EOF'\n${FLAKE}EOF`);
    const offline = ["--option", "flake-registry", "", "--option", "substituters", ""];
    await out("firn", "os", "switch", "--flake", "/root/flake", ...offline);
    expect(await out("cat", await out("firn", "os", "source"))).toBe(FLAKE.trim());
  }, 120_000);

  test("renews itself by the clock when the archive of security fixes publishes one", async () => {
    const key = await makeArchiveKey();
    writeFileSync(join(machine, "srv/ring.gpg"), key.ring);
    const locked = JSON.parse(readFileSync(join(checkout, "os/pkgs/debian.lock.json"), "utf8")) as DebianLock;
    const publishAll = async (fixes: readonly ArchivePackage[]): Promise<void> => {
      const further = { "non-free-firmware": [] };
      const debian = join(machine, "srv/debian");
      await publish(debian, "bookworm", { key, packages: [], further, more: lockedIndex(locked, "debian") });
      await publish(debian, "bookworm-updates", { key, packages: [], further });
      const more = lockedIndex(locked, "debian-security");
      await publish(join(machine, "srv/security"), "bookworm-security", { key, packages: fixes, further, more });
    };
    await publishAll([]);
    expect((await inside("firn", "deb", "update")).out).toBe("");
    const fixed = {
      fields: { Package: "jq", Version: "99" },
      files: { "usr/bin/jq": "#!/usr/bin/bash\necho fixed\n" },
    };
    await publishAll([fixed]);
    await inside("systemctl", "start", "nixos-upgrade");
    expect(await out("journalctl", "-u", "nixos-upgrade", "-o", "cat")).toContain("security fixes:\n  jq: ");
    expect(await out("cat", "/run/script")).toBe("fixed");
    expect(await out("systemctl", "is-active", "nixos-upgrade.timer")).toBe("active");
  }, 120_000);

  test("collects its garbage: old generations go, their sources with them, and the machine goes on", async () => {
    const current = await out("readlink", "/nix/var/nix/profiles/system");
    await out("systemctl", "start", "nix-gc");
    const left = await out("sh", "-c", "cd /nix/var/nix/profiles && ls -d system-*");
    expect(left).toBe(`${current}\n${current.replace("-link", "-source")}`);
    expect(await out("sh", "-c", "test -e $(firn os source) && firn os list-generations | wc -l")).toBe("2");
  }, 120_000);

  test.skipIf(!hasUplink() || address === undefined)(
    "has a network that leads out, and nobody comes in",
    async () => {
      const server = createServer((_, response) => response.end("the host"));
      await new Promise<void>((resolve) => server.listen(0, address, resolve));
      const { port } = server.address() as AddressInfo;
      await container.stop();
      const root = machine;
      container = await bootContainer({
        system: profileSystem(),
        root,
        realStore: join(root, "nix/store"),
        network: "uplink",
      });
      expect(await container.booted(60)).toBe("running");
      expect(await out("sh", "-c", "ip route show default")).toContain("via 10.0.2.2 dev uplink0");
      const page = `exec 3<>/dev/tcp/${address}/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
      await out(
        "sh",
        "-c",
        "for i in $(seq 100); do ip -4 address show uplink0 | grep -q 10.0.2.100 && exit; sleep 0.1; done; exit 1",
      );
      expect(await out("bash", "-c", page)).toContain("the host");
      server.close();
    },
    60_000,
  );

  test("may use the network of its host, and cannot change it", async () => {
    await container.stop();
    const system = profileSystem();
    container = await bootContainer({ system, root: machine, realStore: join(machine, "nix/store"), network: "host" });
    expect(await container.booted(60)).toBe("running");
    expect((await out("ls", "/sys/class/net")).split("\n")).toEqual(readdirSync("/sys/class/net").sort());
    const added = await inside(
      "systemd-run",
      "-q",
      "--wait",
      "--pipe",
      "ip",
      "link",
      "add",
      "firn-test",
      "type",
      "dummy",
    );
    expect(added.err).toContain("Operation not permitted");
  }, 60_000);
});
