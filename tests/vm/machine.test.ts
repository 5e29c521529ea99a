import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { debMirrors } from "@firn/build";
import { loadSettings } from "@firn/store";
import { buildDiskImage, startVm } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place, runProgram } from "../cli/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const programs = ["qemu-system-x86_64", "mcopy", "mkfs.vfat", "mkfs.ext4", "sfdisk"];
const hasPrograms =
  existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd") &&
  programs.every((name) => ["/usr/bin", "/usr/sbin", "/sbin"].some((directory) => existsSync(`${directory}/${name}`)));
/** Without KVM the machine is started seven times in some five minutes, so it is asked for. */
const wanted = process.env.FIRN_VM_TESTS !== undefined;

describe.skipIf(!hasMirror || !hasPrograms || !wanted)("the media server as a machine with UEFI", () => {
  const port = 20_000 + (process.pid % 20_000);
  let place: Place;
  let key: string;
  let image: string;
  let second: string;
  let broken: string;
  let first: string;
  let vm: ChildProcess | undefined;
  let console = "";

  const firn = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runProgram(args, { cwd: join(place.directory, "work"), env: place.environment });
    if (code !== 0) throw new Error(`firn ${args.join(" ")}: ${err}`);
    return out.trim();
  };
  const build = (name: string, module: string): Promise<string> => {
    const file = join(place.directory, "work", `${name}.nix`);
    writeFileSync(
      file,
      `(import ./os/eval-config.nix { modules = [
        ./examples/media-server/configuration.nix
        {
          users.users.root.openssh.authorizedKeys.keyFiles = [ ${key}.pub ];
          boot.loader.timeout = 0;
          boot.loader.systemd-boot.bootCounting.tries = 1;
          boot.kernelParams = [ "mitigations=off" ];
        }
        ${module}
      ]; }).config.system.build.toplevel`,
    );
    return firn("build", "--impure", "-f", file, "--no-link", "--print-out-paths");
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
    place = makePlace();
    key = join(place.directory, "key");
    image = join(place.directory, "disk.img");
    const work = join(place.directory, "work");
    for (const part of [
      "os",
      "examples",
      "packages",
      "scripts",
      "package.json",
      "package-lock.json",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
    ]) {
      cpSync(join(root, part), join(work, part), {
        recursive: true,
        filter: (path) => !path.includes("/node_modules"),
      });
    }
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    first = await build("first", "{ }");
    second = await build("second", `{ environment.etc.second.text = "two"; }`);
    broken = await build("broken", `{ boot.initrd.postDeviceCommands = "reboot -f"; }`);
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

  test("falls back to the good generation when the new one does not start", async () => {
    expect((await ssh(`firn os boot --store-path ${broken}`)).code).toBe(0);
    expect(await reboot()).toBe(second);
    expect((await ssh("ls /boot/loader/entries")).out).toMatch(/^firn-1.conf\nfirn-2.conf\nfirn-3\+0-1.conf\n$/);
  }, 600_000);
});
