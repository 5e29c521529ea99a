/**
 * A month of a machine in a minute: it is installed, its configuration changes ten times, it is updated from an archive, cleaned,
 * upgraded by the clock, rolled back, its disk is full, its power fails in the middle of a switch. It serves all along, and /home is what
 * it was. Run with FIRN_ALL_STEPS.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DebianLock } from "@firn/fetch";
import { hasErrorCode } from "@firn/store";
import { bootContainer, type CommandResult, type Container } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBootContainers, checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type ArchivePackage, lockedIndex, makeArchiveKey, publish } from "../support/debian-archive.ts";
import { type Place, runProgram } from "../support/run-firn.ts";

const CONFIGURATION = `{ lib, modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "kept";
  nix.settings = {
    deb-mirrors = [ "debian=file:///srv/debian" "debian-security=file:///srv/security" ];
    deb-keyring = [ "/srv/ring.gpg" ];
    substituters = [ ];
    flake-registry = "";
  };
  systemd.network.wait-online.enable = false;
  system.autoUpgrade.enable = true;
  nix.gc = { automatic = true; options = "--delete-old"; };
  services.nginx = {
    enable = true;
    virtualHosts.page.locations."/".return = "200 'day 0'";
  };
  users.users.alice.isNormalUser = true;
  environment.systemPackages = [ pkgs.curl ];
  systemd.services.answer = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "\${lib.getExe pkgs.jq} -n 20+1";
      StandardOutput = "truncate:/run/answer";
    };
  };
}
`;

/** Asks for the page all the time; a question is answered when it is within three seconds. Unanswered ones are written down. */
const WATCH =
  "while :; do curl -sf --retry 30 --retry-connrefused --retry-delay 0 --retry-max-time 3 -m 3 http://127.0.0.1/ >/run/seen " +
  "|| date >>/run/unanswered; echo >>/run/asked; sleep 0.1; done";

describe.skipIf(!canBootContainers || process.env.FIRN_ALL_STEPS === undefined)("a month", () => {
  let place: Place;
  let machine: string;
  let container: Container;
  let home: string;

  const sh = (command: string): Promise<CommandResult> => container.run(["bash", "-c", command]);
  const out = async (command: string): Promise<string> => {
    const { code, out: text, err } = await sh(command);
    expect([command, code, code === 0 ? "" : err]).toEqual([command, 0, ""]);
    return text.trim();
  };
  /** The journal of a switch in progress; empty when there is none. */
  const journalText = (): string => {
    try {
      return readFileSync(join(machine, "var/lib/firn/switch.json"), "utf8");
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return "";
      throw error;
    }
  };
  const page = (): Promise<string> => out("curl -sf --retry 30 --retry-connrefused --retry-delay 0 http://127.0.0.1/");
  const change = (text: string): Promise<string> =>
    out(`sed -i "s/200 '.*'/200 '${text}'/" /etc/nixos/configuration.nix`);
  const homeNow = (): Promise<string> => out("cd /home && find . -type f -exec sha256sum {} + | sort; ls -lnR .");
  const boot = async (): Promise<void> => {
    const profiles = join(machine, "nix/var/nix/profiles");
    const system = readlinkSync(join(profiles, readlinkSync(join(profiles, "system"))));
    container = await bootContainer({ system, root: machine, realStore: join(machine, "nix/store") });
    expect(await container.booted(120)).toBe("running");
    await out(`systemd-run -q --unit=watch bash -c ${JSON.stringify(WATCH.replaceAll("$", "\\$"))}`);
  };
  const publishAll = async (fixes: readonly ArchivePackage[]): Promise<void> => {
    const key = await makeArchiveKey();
    writeFileSync(join(machine, "srv/ring.gpg"), key.ring);
    const locked = JSON.parse(readFileSync(join(checkout, "os/pkgs/debian.lock.json"), "utf8")) as DebianLock;
    const further = { "non-free-firmware": [] };
    const debian = join(machine, "srv/debian");
    await publish(debian, "bookworm", { key, packages: [], further, more: lockedIndex(locked, "debian") });
    await publish(debian, "bookworm-updates", { key, packages: [], further });
    const more = lockedIndex(locked, "debian-security");
    await publish(join(machine, "srv/security"), "bookworm-security", { key, packages: fixes, further, more });
  };
  const jq = (version: string): ArchivePackage => ({
    fields: { Package: "jq", Version: version },
    files: { "usr/bin/jq": `#!/usr/bin/bash\necho version ${version}\n` },
  });

  beforeAll(async () => {
    place = makeSystemsPlace();
    const directory = join(place.directory, "work/kept");
    machine = join(place.directory, "machine");
    mkdirSync(directory);
    mkdirSync(machine);
    // Its disk: all that it has.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2g,mode=755", "disk", machine]);
    writeFileSync(join(directory, "configuration.nix"), CONFIGURATION);
    const made = await runProgram(["os", "build-image", "--container", "-o", machine, "kept"], {
      cwd: join(place.directory, "work"),
      env: place.environment,
    });
    if (made.code !== 0) throw new Error(made.err);
    await boot();
    await out("runuser -u alice -- bash -c 'cd && mkdir -p letters && seq 1000 >letters/one && ln -s one letters/two'");
    home = await homeNow();
  }, 900_000);
  afterAll(async () => {
    await container?.kill();
    execFileSync("umount", ["-l", machine]);
    place.remove();
  });

  test("its configuration changes ten times", async () => {
    for (let day = 1; day <= 10; day++) {
      await change(`day ${day}`);
      await out("firn os switch");
      expect(await page()).toBe(`day ${day}`);
    }
    expect((await out("firn os list-generations --json")).match(/"generation"/g)).toHaveLength(11);
  }, 600_000);

  test("it is updated from an archive, cleaned, and upgraded by the clock", async () => {
    await publishAll([jq("98")]);
    expect(await out("firn deb update && cat /run/answer")).toContain("security fixes:\n  jq: ");
    await out("firn os switch");
    expect(await out("cat /run/answer")).toBe("version 98");
    const used = (): Promise<string> => out("df --output=used -k / | tail -1");
    const before = Number(await used());
    await out("systemctl start nix-gc");
    expect(Number(await used())).toBeLessThan(before);
    expect(await out("firn os list-generations | wc -l")).toBe("2");
    await publishAll([jq("99")]);
    await out("systemctl start nixos-upgrade");
    expect(await out("cat /run/answer")).toBe("version 99");
    expect(await page()).toBe("day 10");
  }, 300_000);

  test("it goes back, and forward again", async () => {
    await out("firn os rollback");
    expect(await out("cat /run/answer")).toBe("version 98");
    await out("firn os switch");
    expect(await out("cat /run/answer")).toBe("version 99");
  }, 120_000);

  test("its disk is full: the switch says so, and the machine goes on", async () => {
    const running = await out("readlink /run/current-system");
    await change("day 20");
    await sh("dd if=/dev/zero of=/var/filler bs=1M status=none; dd if=/dev/zero of=/var/filler2 bs=1k status=none");
    const { code, err } = await sh("firn os switch");
    expect(code).not.toBe(0);
    expect(err).toMatch(/[Nn]o space left on device|ENOSPC|database or disk is full|disk I\/O error/);
    expect([await page(), await out("readlink /run/current-system")]).toEqual(["day 10", running]);
    await out("rm /var/filler /var/filler2");
    await sh("firn os recover");
    await out("firn os switch");
    expect(await page()).toBe("day 20");
  }, 120_000);

  test("its power fails in the middle of a switch: it starts as one of the two, and switches then", async () => {
    for (const step of ["activate", "units", "health"]) {
      let before = await page();
      let text = before;
      // A step may be over before it is seen; then another change is made.
      let switching: Promise<unknown> = Promise.resolve();
      for (let tries = 0, seen = false; !seen; tries++) {
        expect(tries).toBeLessThan(20);
        expect(await out("test -e /run/unanswered || echo none")).toBe("none");
        before = await page();
        text = `${step} ${tries}`;
        await change(text);
        let over = false;
        switching = sh("firn os switch").finally(() => {
          over = true;
        });
        while (!seen && !over) {
          seen = journalText().includes(`"step":"${step}"`);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await container.kill();
      await switching;
      await boot();
      expect([before, text]).toContain(await page());
      await sh("firn os recover");
      await out("firn os switch");
      expect(await page()).toBe(text);
    }
  }, 600_000);

  test("it has answered all along, and /home is what it was", async () => {
    expect(await out("test -e /run/unanswered && cat /run/unanswered || echo none")).toBe("none");
    expect(Number(await out("wc -l </run/asked"))).toBeGreaterThan(10);
    expect(await homeNow()).toBe(home);
  });
});
