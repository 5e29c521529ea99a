import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootContainer, type Container } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Place } from "../cli/run-firn.ts";
import { buildSystems, canBootContainers, makeKey, makeSystemsPlace } from "./build-systems.ts";

/** The example's machine with a key of the test, booted in a container. Needs root, and the Debian mirror for its packages. */
describe.skipIf(!canBootContainers)("the media server of the example, in a container", () => {
  let place: Place;
  let machine: string;
  let system: string;
  let container: Container | undefined;
  const console: string[] = [];
  const hostNull = `${lstatSync("/dev/null").mode} ${lstatSync("/dev/null").uid}`;

  const boot = async (): Promise<Container> => {
    container = await bootContainer({
      system,
      root: machine,
      realStore: join(place.store, "nix/store"),
      console: (text) => console.push(text),
    });
    return container;
  };
  const inside = (...command: string[]) => {
    if (container === undefined) throw new Error(`the container is not running:\n${console.join("")}`);
    return container.run(command);
  };
  /** Tries for some seconds: a service may be started before it serves. */
  const page = () =>
    inside("curl", "-s", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "-f", "http://127.0.0.1/");

  beforeAll(async () => {
    place = makeSystemsPlace();
    machine = join(place.directory, "machine");
    const key = makeKey(join(machine, "root"));
    const systems = await buildSystems(place, {
      machine: `{ users.users.alice.openssh.authorizedKeys.keyFiles = [ ${key} ]; }`,
    });
    system = systems.machine ?? "";
    await boot();
  }, 900_000);
  afterAll(async () => {
    await container?.kill();
    place.remove();
  });

  test("comes up without a failed unit", async () => {
    expect(await container?.booted(60)).toBe("running");
    expect((await inside("systemctl", "--failed", "--no-legend")).out).toBe("");
  }, 90_000);

  test("answers with the media server's page through nginx", async () => {
    expect((await page()).out).toContain("<h2>MiniDLNA status</h2>");
  }, 60_000);

  test("lets the declared user in over ssh with the declared key, and nobody by password", async () => {
    const ssh = (...options: string[]) =>
      inside(
        "ssh",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "BatchMode=yes",
        ...options,
        "alice@127.0.0.1",
        "id",
        "-un",
      );
    expect((await ssh("-i", "/root/key")).out).toBe("alice\n");
    expect((await ssh("-o", "PubkeyAuthentication=no")).err).toMatch(/Permission denied \(publickey/);
  }, 60_000);

  test("has the declared password's hash, readable by root alone", async () => {
    expect((await inside("grep", "^alice:", "/etc/shadow")).out).toMatch(/^alice:\$6\$firn\.example\$/);
    expect((await inside("stat", "-c", "%a %U %G", "/etc/shadow")).out).toBe("640 root shadow\n");
  });

  test("cannot write to the store or to /usr, not even as root", async () => {
    for (const file of ["/nix/store/x", "/usr/x"]) {
      expect((await inside("touch", file)).err).toContain("Read-only file system");
    }
  });

  test("runs what is setuid from wrappers only", async () => {
    expect((await inside("find", "/run/current-system/usr/bin/", "-perm", "/6000")).out).toBe("");
    expect((await inside("su", "alice", "-c", "sudo -n true")).err).toBe("sudo: a password is required\n");
  });

  test("shuts out what no service opened", async () => {
    const rules = (await inside("nft", "list", "chain", "inet", "firn-firewall", "input-allow")).out;
    expect(rules).toContain("tcp dport { 22, 80, 8200 } accept");
    expect((await inside("nft", "list", "chain", "inet", "firn-firewall", "input")).out).toContain("policy drop;");
  });

  test("activates again without a change, and leaves foreign files in /etc alone", async () => {
    writeFileSync(join(machine, "etc/foreign"), "mine\n");
    const list = () => inside("find", "/etc", "-printf", "%p %l %m %i\n");
    const before = (await list()).out;
    const again = await inside(`${system}/activate`);
    expect([again.code, again.out, again.err]).toEqual([0, "", ""]);
    // Only what is copied afresh, and the list of it, has new inodes.
    const changed = (await list()).out.split("\n").filter((line) => !before.includes(`${line}\n`));
    expect(changed.map((line) => line.split(" ")[0]).sort()).toEqual(
      ["", "/etc", "/etc/.clean", "/etc/ssh/authorized_keys.d/alice", "/etc/static", "/etc/sudoers"].filter((path) =>
        changed.some((line) => line.split(" ")[0] === path),
      ),
    );
    expect(readFileSync(join(machine, "etc/foreign"), "latin1")).toBe("mine\n");
  });

  test("powers off, and at the next boot /home, /var, ids and host keys are what they were", async () => {
    await inside("sh", "-c", "echo kept >/home/alice/file && chown alice:users /home/alice/file");
    const facts = () =>
      inside(
        "sh",
        "-c",
        "stat -c '%u %g' /home/alice/file; id nginx; id minidlna; sha256sum /etc/ssh/*_key /etc/machine-id",
      );
    const before = (await facts()).out;
    await container?.stop();
    container = undefined;
    const second = await boot();
    expect(await second.booted(60)).toBe("running");
    expect((await facts()).out).toBe(before);
    expect(readFileSync(join(machine, "home/alice/file"), "latin1")).toBe("kept\n");
  }, 120_000);

  test("left the host's devices alone and ends when it is killed", async () => {
    await container?.kill();
    expect(container === undefined || existsSync(`/proc/${container.pid}`)).toBe(false);
    expect(`${lstatSync("/dev/null").mode} ${lstatSync("/dev/null").uid}`).toBe(hostNull);
  }, 60_000);
});
