import { execFileSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootContainer, type Container } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSystems, canBootContainers, checkout, makeKey, makeSystemsPlace } from "../support/build-systems.ts";
import { type Place, runProgram } from "../support/run-firn.ts";

const nodeOf = (path: string) => `${lstatSync(path).mode} ${lstatSync(path).uid} ${lstatSync(path).rdev}`;

/**
 * The example's machine, with a key of the test, built, installed into a directory and booted in a container. Needs root, and the
 * mirrors for its packages.
 */
describe.skipIf(!canBootContainers)("the media server of the example, in a container", () => {
  let place: Place;
  let machine: string;
  let first: string;
  let container: Container | undefined;
  const console: string[] = [];
  const hostNull = nodeOf("/dev/null");

  const firn = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runProgram(args, { cwd: join(place.directory, "work"), env: place.environment });
    if (code !== 0) throw new Error(`firn ${args.join(" ")}: ${err}`);
    return out.trim();
  };
  const boot = async (): Promise<Container> => {
    const system = runningProfile();
    container = await bootContainer({
      system,
      root: machine,
      realStore: join(machine, "nix/store"),
      console: (text) => console.push(text),
    });
    return container;
  };
  const runningProfile = (): string => {
    const profiles = join(machine, "nix/var/nix/profiles");
    return readlinkSync(join(profiles, readlinkSync(join(profiles, "system"), "latin1")), "latin1");
  };
  const inside = (...command: string[]) => {
    if (container === undefined) throw new Error(`the container is not running:\n${console.join("")}`);
    return container.run(command);
  };
  /** Tries for some seconds: a service may be started before it serves. */
  const page = async () =>
    (await inside("curl", "-s", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "http://127.0.0.1/")).out;

  beforeAll(async () => {
    place = makeSystemsPlace();
    machine = join(place.directory, "machine");
    const login = `users.users.alice.openssh.authorizedKeys.keyFiles = [ ${makeKey(place.directory)} ];`;
    const mine = "system.extraSystemBuilderCmds = ''echo $out >$out/mine'';";
    first = (await buildSystems(place, { first: `{ ${login} ${mine} }` })).first ?? "";
    mkdirSync(machine);
    await firn("os", "install", "--root", machine, "--system", first);
    mkdirSync(join(machine, "root"), { recursive: true });
    cpSync(join(place.directory, "key"), join(machine, "root/key"));
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

  test("has what the configuration adds to the system's builder, and names itself", async () => {
    expect((await inside("cat", "/run/current-system/mine")).out).toBe(`${first}\n`);
    expect((await inside("grep", "-c", first, "/run/current-system/init")).out).toBe("1\n");
  });

  test("answers with the media server's page through nginx", async () => {
    expect(await page()).toContain("<h2>MiniDLNA status</h2>");
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

  test("tells a user without rights about its systems", async () => {
    const asAlice = (command: string) => inside("su", "alice", "-c", command);
    expect((await asAlice("firn os diff --json /run/booted-system /run/current-system")).out).toContain(
      '"closureSize"',
    );
    expect((await asAlice("firn os list-generations")).out).toMatch(/^ *1 .* True$/m);
    expect((await asAlice("firn store gc")).err).toContain("may have been run as non-root");
  });

  test("activates again without a change, and leaves foreign files in /etc alone", async () => {
    writeFileSync(join(machine, "etc/foreign"), "mine\n");
    const list = async () => (await inside("find", "/etc", "-printf", "%p %l %m %i\n")).out.split("\n");
    const before = new Set(await list());
    const again = await inside(`${first}/activate`);
    expect([again.code, again.out, again.err]).toEqual([0, "", ""]);
    const changed = (await list()).filter((line) => !before.has(line)).map((line) => line.split(" ")[0]);
    // Only what is a copy, and the link that is renamed, may have a new inode.
    const copies = readFileSync(join(machine, "etc/.clean"), "latin1").trim().split("\n");
    const allowed = new Set(["/etc/.clean", "/etc/static", ...copies.map((path) => `/etc/${path}`)]);
    expect(changed.filter((path) => path === undefined || !allowed.has(path))).toEqual([]);
    expect(readFileSync(join(machine, "etc/foreign"), "latin1")).toBe("mine\n");
  });

  test("rebuilds itself from inside, from its own configuration, without a network", async () => {
    const text = readFileSync(join(checkout, "examples/media-server/configuration.nix"), "latin1");
    const key = readFileSync(join(place.directory, "key.pub"), "latin1").trim();
    mkdirSync(join(machine, "etc/nixos"));
    writeFileSync(
      join(machine, "etc/nixos/configuration.nix"),
      text
        .replace(/"ssh-ed25519 [^"]*"/, `"${key}"`)
        .replace(
          'networking.hostName = "media";',
          'networking.hostName = "media"; environment.etc.inside.text = "made";',
        ),
    );
    const { code, err } = await inside("firn", "os", "switch", "--option", "substituters", "");
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    expect((await inside("cat", "/etc/inside")).out).toBe("made");
    expect((await inside("sh", "-c", "touch /nix/store/x")).err).toContain("Read-only file system");
    expect((await inside("firn", "os", "rollback")).code).toBe(0);
    expect(existsSync(join(machine, "etc/inside"))).toBe(false);
  }, 120_000);

  test("powers off, and at the next boot /home, /var, ids and host keys are what they were", async () => {
    await inside("sh", "-c", "echo kept >/home/alice/file && chown alice:users /home/alice/file");
    const facts = async () =>
      (
        await inside(
          "sh",
          "-c",
          "stat -c '%u %g' /home/alice/file; id nginx; id minidlna; sha256sum /etc/ssh/*_key /etc/machine-id",
        )
      ).out;
    const before = await facts();
    await container?.stop();
    container = undefined;
    const again = await boot();
    expect(await again.booted(60)).toBe("running");
    expect(await facts()).toBe(before);
    expect(readFileSync(join(machine, "home/alice/file"), "latin1")).toBe("kept\n");
  }, 120_000);

  test("left the host's devices alone and ends when it is killed", async () => {
    const status = `/proc/${container?.pid}/status`;
    expect(readFileSync(status, "latin1")).toMatch(/^State:\s*[SR]/m);
    await container?.kill();
    // A process that only waits for its parent to ask for its status has ended too.
    expect(existsSync(status) ? readFileSync(status, "latin1") : "State: X").toMatch(/^State:\s*[ZX]/m);
    expect(nodeOf("/dev/null")).toBe(hostNull);
  }, 60_000);

  test("is built to the same bytes again", async () => {
    const text = readFileSync(join(place.directory, "work/systems.nix"), "latin1");
    for (const part of ["toplevel", "etc", "units", "initialRamdisk"]) {
      writeFileSync(join(place.directory, "work/part.nix"), text.replaceAll("toplevel", part));
      await firn("build", "--impure", "-f", "part.nix", "first", "--no-link", "--rebuild");
    }
  }, 300_000);

  test.skipIf(process.env.FIRN_REAL_NIX === undefined)(
    "is the same derivation to the reference",
    async () => {
      const args = ["nix-instantiate", "--eval", "--strict", "systems.nix", "-A", "first.drvPath"];
      const env = {
        ...process.env,
        REAL_NIX_STATE: join(place.directory, "reference"),
        REAL_NIX_BIND: [checkout, place.directory].join(":"),
      };
      mkdirSync(env.REAL_NIX_STATE, { recursive: true });
      const cwd = join(place.directory, "work");
      const real = execFileSync(process.env.FIRN_REAL_NIX ?? "", args, { env, cwd, encoding: "utf8" });
      expect(real.trim()).toBe(await firn("eval", "--impure", "-f", "systems.nix", "first.drvPath"));
    },
    300_000,
  );
});
