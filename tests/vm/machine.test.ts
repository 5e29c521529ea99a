import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { debMirrors, loadSettings } from "@firn/store";
import { buildDiskImage, startVm } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSystems, checkout, makeKey, makeSystemsPlace } from "../support/build-systems.ts";
import { type Place, runProgram } from "../support/run-firn.ts";

const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const programs = ["qemu-system-x86_64", "mcopy", "mkfs.vfat", "mkfs.ext4", "sfdisk"];
const hasPrograms =
  existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd") &&
  programs.every((name) => ["/usr/bin", "/usr/sbin", "/sbin"].some((directory) => existsSync(`${directory}/${name}`)));
/** Without KVM the machine is started some fifteen times in half an hour, so it is asked for. */
const wanted = process.env.FIRN_VM_TESTS !== undefined;

describe.skipIf(!hasMirror || !hasPrograms || !wanted)("the media server as a machine with UEFI", () => {
  /** The machine says so on its console when its power shall be cut. */
  const cutHere = "cut the power here";
  const port = 20_000 + (process.pid % 20_000);
  let place: Place;
  let key: string;
  let image: string;
  let second: string;
  let broken: string;
  let first: string;
  let vm: ChildProcess | undefined;
  let console = "";

  /** What every generation of the machine is told; `keys` lets the test in. */
  const common = (keys: string): string => `
      users.users.root.openssh.authorizedKeys.${keys};
      boot.loader.timeout = 0;
      boot.loader.systemd-boot.bootCounting.tries = 1;
      boot.kernelParams = [ "mitigations=off" ];`;
  const firn = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runProgram(args, { cwd: join(place.directory, "work"), env: place.environment });
    if (code !== 0) throw new Error(`firn ${args.join(" ")}: ${err}`);
    return out.trim();
  };
  const start = (): void => {
    vm = startVm({
      image,
      variables: join(place.directory, "efivars"),
      kvm: false,
      console: "pipe",
      forward: new Map([[port, 22]]),
    });
    const collect = (chunk: Buffer): void => {
      console += chunk.toString("latin1");
      if (console.includes(cutHere)) {
        console = "";
        vm?.kill("SIGKILL");
      }
    };
    vm.stdout?.on("data", collect);
    vm.stderr?.on("data", collect);
  };
  const ssh = (command: string): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve, reject) => {
      const options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "ConnectTimeout=5",
        // A machine that starts again does not close its connections.
        "ServerAliveInterval=3",
        "ServerAliveCountMax=5",
        "LogLevel=ERROR",
      ];
      const child = spawn("ssh", [
        ...options.flatMap((option) => ["-o", option]),
        "-i",
        key,
        "-p",
        `${port}`,
        "root@127.0.0.1",
        command,
      ]);
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString("latin1");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString("latin1");
      });
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? 255, out, err }));
    });
  /** The machine's system once it is up in a boot that is not `previous`. */
  const up = async (previous = ""): Promise<{ system: string; bootId: string }> => {
    for (let tries = 0; tries < 240; tries++) {
      const { code, out } = await ssh(
        "systemctl is-system-running --wait >/dev/null; readlink /run/booted-system; cat /proc/sys/kernel/random/boot_id",
      );
      const [system = "", bootId = ""] = out.split("\n");
      if (code === 0 && bootId !== previous) return { system, bootId };
      await sleep(1000);
    }
    throw new Error(`the machine does not come up:\n${console.slice(-4000)}`);
  };
  const reboot = async (): Promise<string> => {
    const { bootId } = await up();
    await ssh("systemctl --no-block reboot");
    return (await up(bootId)).system;
  };

  beforeAll(async () => {
    place = makeSystemsPlace();
    image = join(place.directory, "disk.img");
    const settings = common(`keyFiles = [ ${makeKey(place.directory)} ]`);
    key = join(place.directory, "key");
    const systems = await buildSystems(place, {
      first: `{ ${settings} }`,
      second: `{ ${settings} environment.etc.second.text = "two"; }`,
      broken: `{ ${settings} boot.initrd.postDeviceCommands = "reboot -f"; }`,
    });
    first = systems.first ?? "";
    second = systems.second ?? "";
    broken = systems.broken ?? "";
    const tree = join(place.directory, "tree");
    mkdirSync(tree);
    await firn("os", "install", "--root", tree, "--system", first);
    await firn("copy", "--to", tree, "--no-check-sigs", second, broken);
    await buildDiskImage({ tree, efiSysMountPoint: "/boot", output: image });
    start();
  }, 900_000);
  afterAll(() => {
    vm?.kill("SIGKILL");
    place.remove();
  });

  test("starts its first generation with store and /usr read-only, and no unit fails", async () => {
    expect((await up()).system).toBe(first);
    expect((await ssh("touch /nix/store/x /usr/x")).err.match(/Read-only file system/g)).toHaveLength(2);
    expect((await ssh("systemctl --failed --no-legend")).out).toBe("");
    expect((await ssh("curl -s http://127.0.0.1/")).out).toContain("MiniDLNA status");
    // A boot that went well is no longer counted.
    expect((await ssh("ls /boot/loader/entries")).out).toBe("firn-1.conf\n");
    await ssh("echo kept > /home/alice/file");
  }, 300_000);

  test("starts the second generation after a switch, and the first again after a rollback", async () => {
    expect((await ssh(`firn os boot --store-path ${second}`)).code).toBe(0);
    expect(await reboot()).toBe(second);
    expect((await ssh("cat /etc/second /home/alice/file")).out).toBe("twokept\n");
    expect((await ssh("firn os rollback --boot")).code).toBe(0);
    expect(await reboot()).toBe(first);
    expect((await ssh("cat /etc/second /home/alice/file")).out).toBe("kept\n");
  }, 600_000);

  test.each(["boot-files", "profile", "boot-default", "activate", "health"])(
    "is wholly one of two generations after its power is cut at '%s'",
    async (step) => {
      const { system: before } = await up();
      const target = before === first ? second : first;
      const reached = `until grep -q '"step":"${step}"' /var/lib/firn/switch.json 2>/dev/null; do [ -d /proc/$! ] || break; done`;
      const ended = new Promise((resolve) => vm?.on("close", resolve));
      const switching = ssh(
        `firn os switch --store-path ${target} >/dev/null 2>&1 & ${reached}; echo ${cutHere} >/dev/ttyS0`,
      );
      await ended;
      await switching;
      start();
      const { system } = await up();
      expect([before, target]).toContain(system);
      const facts = await ssh(
        "readlink /run/current-system /nix/var/nix/profiles/system; readlink -f /nix/var/nix/profiles/system; readlink /etc/static; cat /home/alice/file; ls /var/lib/firn/switch.json",
      );
      const [current, , profile, etc, home] = facts.out.split("\n");
      const recovery = (await ssh("journalctl -b -o cat -u firn-recover")).out;
      expect({ current, profile, etc, home }, recovery).toEqual({
        current: system,
        profile: system,
        etc: `${system}/etc`,
        home: "kept",
      });
      expect(facts.err).toContain("switch.json': No such file");
      expect((await ssh("test -e /etc/second")).code).toBe(system === second ? 0 : 1);
      expect((await ssh("systemctl --failed --no-legend")).out).toBe("");
    },
    600_000,
  );

  test("falls back to the good generation when the new one does not start", async () => {
    // Not the newest generation of those that start.
    expect((await ssh(`firn os boot --store-path ${second}`)).code).toBe(0);
    expect((await ssh("firn os rollback --to 1")).code).toBe(0);
    expect((await ssh(`firn os boot --store-path ${broken}`)).code).toBe(0);
    expect(await reboot()).toBe(first);
    const entries = (await ssh("ls /boot/loader/entries")).out.trim().split("\n");
    expect(entries).toContain("firn-1.conf");
    expect(entries.filter((name) => !/^firn-\d+(\+1)?\.conf$/.test(name))).toEqual([
      expect.stringMatching(/^firn-\d+\+0-1\.conf$/),
    ]);
  }, 600_000);

  test("rebuilds itself from inside, from its own configuration, without a mirror, and starts what it built", async () => {
    const example = readFileSync(join(checkout, "examples/media-server/configuration.nix"), "latin1");
    const settings = common(`keys = [ "${readFileSync(`${key}.pub`, "latin1").trim()}" ]`);
    await ssh(`mkdir -p /etc/nixos && cat >/etc/nixos/media-server.nix <<'END'\n${example}\nEND`);
    const own = `{ imports = [ ./media-server.nix ]; ${settings} environment.etc.inside.text = "made"; }`;
    await ssh(`cat >/etc/nixos/configuration.nix <<'END'\n${own}\nEND`);
    const { code, err } = await ssh("firn os switch --option substituters ''");
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    const built = (await ssh("readlink /run/current-system")).out.trim();
    expect([first, second, broken]).not.toContain(built);
    expect((await ssh("cat /etc/inside")).out).toBe("made");
    expect(await reboot()).toBe(built);
    expect((await ssh("cat /etc/inside /home/alice/file")).out).toBe("madekept\n");
    expect((await ssh("touch /nix/store/x /usr/x")).err.match(/Read-only file system/g)).toHaveLength(2);
  }, 900_000);
});
