import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { computeClosure, copyPaths, LocalStore, storeLocation } from "@firn/store";
import { bootContainer, type Container, installSystem } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSystems, canBootContainers, makeSystemsPlace } from "../support/build-systems.ts";
import type { Place } from "../support/run-firn.ts";

/** Every step of a switch is tried, not some of them. */
const allSteps = process.env.FIRN_ALL_STEPS !== undefined;

/** A machine that switches itself, from inside, with the Firn that is part of it. Needs root, and the mirrors of Debian and npm. */
describe.skipIf(!canBootContainers)("a running machine is switched", () => {
  let place: Place;
  let machine: string;
  let systems: Record<string, string>;
  let container: Container;

  const boot = async (): Promise<void> => {
    const profile = join(machine, "nix/var/nix/profiles/system");
    const system = readlinkSync(join(profile, "..", readlinkSync(profile)));
    container = await bootContainer({ system, root: machine, realStore: join(machine, "nix/store") });
    expect(await container.booted(60)).toBe("running");
  };
  const inside = (...command: string[]) => container.run(command);
  const out = async (...command: string[]): Promise<string> => (await inside(...command)).out.trim();
  const running = (): Promise<string> => out("readlink", "/run/current-system");
  const page = async (host: string): Promise<string> =>
    out(
      "curl",
      "-s",
      "--retry",
      "20",
      "--retry-all-errors",
      "--retry-delay",
      "1",
      "-H",
      `Host: ${host}`,
      "http://127.0.0.1/",
    );
  /** Process of each unit that runs one. */
  const processes = async (): Promise<Record<string, string>> => {
    const names = (await out("systemctl", "list-units", "--type=service", "--state=running", "--plain", "--no-legend"))
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "")
      .filter((name) => !/^(user@|session)/.test(name));
    const result: Record<string, string> = {};
    for (const name of names) result[name] = await out("systemctl", "show", "-P", "MainPID", name);
    return result;
  };
  const switchTo = (name: string, ...flags: string[]) =>
    inside("firn", "os", "switch", "--store-path", systems[name] ?? "", ...flags);

  const back = async (): Promise<void> => {
    const { code, err } = await inside("firn", "os", "rollback");
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  };

  /** Shell text that starts a switch and waits until its journal has a step; under load that may be over before it is seen. */
  const startAndWaitFor = (step: string): string =>
    `rm -f /run/done; (sh -c 'echo $$ >/run/switch.pid; exec firn os switch --store-path ${systems.second} >/dev/null 2>&1'; touch /run/done) &
    until grep -q '"step":"${step}"' /var/lib/firn/switch.json 2>/dev/null || [ -e /run/done ]; do :; done`;

  beforeAll(async () => {
    place = makeSystemsPlace();
    machine = join(place.directory, "machine");
    const second = `
      services.nginx.virtualHosts.second = { locations."/".return = "200 'the second host'"; };
      users.users.bob = { isNormalUser = true; };
      environment.etc."firn-test".text = "second\\n";
    `;
    systems = await buildSystems(place, {
      first: `{ environment.etc."firn-test".text = "first\\n"; }`,
      second: `{ ${second} }`,
      broken: `{ ${second}
        systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/usr/bin/false"; }; }`,
      occupied: `{ system.healthCheck.timeout = 10; services.nginx.virtualHosts.second = { listen = [ { addr = "127.0.0.1"; port = 8099; } ]; }; }`,
    });
    const from = await LocalStore.open({ location: storeLocation({ rootDir: place.store }) });
    const to = await LocalStore.open({ location: storeLocation({ rootDir: machine }), requireSigs: false });
    await installSystem({ system: systems.first ?? "", from, to, root: machine, events: () => undefined });
    const paths = await computeClosure(from, Object.values(systems));
    await copyPaths(paths, { from, to, checkSignatures: false });
    await from.close();
    await to.close();
    await boot();
  }, 900_000);
  afterAll(async () => {
    await container?.kill();
    place.remove();
  });

  test("to a generation with another virtual host: nginx reloads, all else runs on, users and /etc follow", async () => {
    await inside("sh", "-c", "echo mine >/home/alice/file; echo state >/var/lib/state; echo foreign >/etc/foreign");
    const before = await processes();
    const { code, out: printed, err } = await switchTo("second");
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect(printed.trim()).toBe(systems.second);
    expect(err).toMatch(/^reloading the following units: nginx.service$/m);
    expect(await running()).toBe(systems.second);
    expect(await page("second")).toBe("the second host");
    expect(await page("media")).toContain("<h2>MiniDLNA status</h2>");
    expect(await processes()).toEqual(before);
    expect(await out("id", "-un", "bob")).toBe("bob");
    expect(await out("cat", "/etc/firn-test", "/etc/foreign", "/home/alice/file", "/var/lib/state")).toBe(
      "second\nforeign\nmine\nstate",
    );
    expect(await out("firn", "os", "list-generations")).toMatch(/^2 .*True\n1 .*False$/m);
  }, 120_000);

  test("and back: nothing is evaluated, and the user's home stays", async () => {
    const before = await processes();
    await inside("sh", "-c", "echo bobs >/home/bob/file");
    const { code, err } = await inside("firn", "os", "rollback");
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect(await running()).toBe(systems.first);
    expect(await page("second")).not.toBe("the second host");
    expect(await processes()).toEqual(before);
    expect((await inside("id", "-un", "bob")).code).not.toBe(0);
    expect(await out("cat", "/etc/firn-test", "/home/alice/file", "/home/bob/file", "/var/lib/state")).toBe(
      "first\nmine\nbobs\nstate",
    );
  }, 120_000);

  test("a generation whose service fails is left again by itself", async () => {
    const before = await processes();
    const { code, err } = await switchTo("broken");
    expect(code).toBe(1);
    expect(err).toMatch(/the machine was not well after the switch, so the previous system was brought back/);
    expect(err).toMatch(/broken.service/);
    expect(await running()).toBe(systems.first);
    expect(await processes()).toEqual(before);
    expect(await out("systemctl", "is-system-running")).toBe("running");
    expect(await out("cat", "/etc/firn-test")).toBe("first");
    expect(await out("firn", "os", "list-generations")).toMatch(/^1 .*True$/m);
  }, 120_000);

  // The wait for the web server takes most of a minute.
  if (allSteps) {
    test("so is one whose web server cannot take its configuration over, though nothing is wrong with the text", async () => {
      const before = await running();
      await inside("sh", "-c", "systemd-run --unit occupant systemd-socket-activate -l 127.0.0.1:8099 cat");
      const { code, err } = await switchTo("occupied");
      await inside("systemctl", "stop", "occupant");
      expect(code).toBe(1);
      expect(err).toMatch(/the machine was not well after the switch, so the previous system was brought back/);
      expect(err).toMatch(/nginx.service/);
      expect(await running()).toBe(before);
      expect(await page("media")).toContain("<h2>MiniDLNA status</h2>");
      expect(await out("systemctl", "is-system-running")).toBe("running");
    }, 180_000);
  }

  test("a switch that nobody confirms is undone, one that is confirmed stays", async () => {
    const alone = await switchTo("second", "--confirm-within", "1");
    expect([alone.code, alone.err]).toEqual([1, expect.stringContaining("it was not confirmed in time")]);
    expect(await running()).toBe(systems.first);
    const waiting = switchTo("second", "--confirm-within", "60");
    await inside(
      "sh",
      "-c",
      "until grep -q confirm /var/lib/firn/switch.json 2>/dev/null; do sleep 0.05; done; sleep 0.3; firn os confirm",
    );
    expect((await waiting).code).toBe(0);
    expect(await running()).toBe(systems.second);
    await back();
  }, 180_000);

  test("dry-activate tells and changes nothing", async () => {
    const { code, err } = await inside("firn", "os", "dry-activate", "--store-path", systems.second ?? "");
    expect([code, err]).toEqual([0, expect.stringMatching(/^would reload the following units: nginx.service$/m)]);
    expect(await running()).toBe(systems.first);
  }, 60_000);

  test.each(
    allSteps
      ? [
          "begin",
          "boot-files",
          "profile",
          "boot-default",
          "stop",
          "activate",
          "reload-systemd",
          "units",
          "health",
          "commit",
        ]
      : ["begin", "profile", "activate", "units", "commit"],
  )(
    "killed at '%s': recovered to one whole generation",
    async (step) => {
      await inside("sh", "-c", `${startAndWaitFor(step)}; kill -9 $(cat /run/switch.pid); wait`);
      const recovered = await inside("firn", "os", "recover");
      expect([recovered.code, recovered.err]).toEqual([
        0,
        expect.stringMatching(/^(no switch was interrupted|the interrupted switch was (finished|undone))\n$/),
      ]);
      const system = await running();
      expect([systems.first, systems.second]).toContain(system);
      const first = system === systems.first;
      expect(await out("cat", "/etc/firn-test")).toBe(first ? "first" : "second");
      expect(await out("readlink", "-f", "/nix/var/nix/profiles/system")).toBe(system);
      expect((await page("second")) === "the second host").toBe(!first);
      expect(await out("systemctl", "is-system-running")).toBe("running");
      expect(await out("cat", "/home/alice/file", "/home/bob/file", "/var/lib/state")).toBe("mine\nbobs\nstate");
      if (!first) await back();
    },
    120_000,
  );

  test.each(allSteps ? ["boot-files", "profile", "stop", "activate", "units"] : ["profile", "activate"])(
    "loses its power at '%s': starts as one whole generation",
    async (step) => {
      await inside("sh", "-c", startAndWaitFor(step));
      await container.kill();
      await boot();
      const system = await running();
      const first = system === systems.first;
      expect(await out("cat", "/etc/firn-test")).toBe(first ? "first" : "second");
      expect((await page("second")) === "the second host").toBe(!first);
      expect(existsSync(join(machine, "var/lib/firn/switch.json"))).toBe(false);
      expect(await out("readlink", "-f", "/nix/var/nix/profiles/system")).toBe(system);
      expect(readFileSync(join(machine, "home/alice/file"), "utf8")).toBe("mine\n");
      if (!first) await back();
    },
    120_000,
  );
});
