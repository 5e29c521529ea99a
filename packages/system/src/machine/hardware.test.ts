import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hardwareConfiguration } from "../configuration/generated-configuration.ts";
import { detectHardware } from "./hardware.ts";

describe("hardware is found", () => {
  let host: string;
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(host, path)), { recursive: true });
    writeFileSync(join(host, path), text);
  };
  const link = (path: string, target: string): void => {
    mkdirSync(dirname(join(host, path)), { recursive: true });
    symlinkSync(target, join(host, path));
  };
  beforeEach(() => {
    host = mkdtempSync(join(tmpdir(), "firn-hardware-"));
    put(
      "proc/self/mountinfo",
      `22 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw
23 22 0:5 / /proc rw - proc proc rw
24 22 254:1 / /boot rw,relatime - vfat /dev/vda1 rw
25 22 254:2 /nix/store /nix/store ro - ext4 /dev/vda2 rw
26 22 254:16 /data /srv/a\\040b rw,noatime - btrfs /dev/vdb rw
27 22 254:2 / /mnt rw - ext4 /dev/vda2 rw
28 27 254:1 / /mnt/boot rw - vfat /dev/vda1 rw
`,
    );
    put("proc/swaps", "Filename Type Size Used Priority\n/dev/vda3 partition 1 0 -2\n/dev/zram0 partition 1 0 5\n");
    put("proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm\n");
    for (const name of ["vda1", "vda2", "vda3", "vdb"]) put(`dev/${name}`, name);
    link("dev/disk/by-uuid/aa-bb", "../../vda2");
    link("dev/disk/by-label/swap", "../../vda3");
    put("sys/bus/pci/devices/0000:00:01.0/class", "0x010601\n");
    link("sys/bus/pci/devices/0000:00:01.0/driver/module", "../../../../module/ahci");
    put("sys/bus/pci/devices/0000:00:02.0/class", "0x020000\n");
    link("sys/bus/pci/devices/0000:00:02.0/driver/module", "../../../../module/e1000");
    link("sys/bus/virtio/devices/virtio0/driver/module", "../../../../module/virtio_blk");
  });
  afterEach(() => rmSync(host, { recursive: true, force: true }));

  test("file systems by lasting names, without binds and what the kernel makes", () => {
    expect(detectHardware({ host }).fileSystems).toEqual([
      { mountPoint: "/", device: "/dev/disk/by-uuid/aa-bb", fsType: "ext4", options: [] },
      { mountPoint: "/boot", device: "/dev/vda1", fsType: "vfat", options: ["umask=0077"] },
      { mountPoint: "/mnt", device: "/dev/disk/by-uuid/aa-bb", fsType: "ext4", options: [] },
      { mountPoint: "/mnt/boot", device: "/dev/vda1", fsType: "vfat", options: ["umask=0077"] },
      { mountPoint: "/srv/a b", device: "/dev/vdb", fsType: "btrfs", options: ["noatime", "subvol=data"] },
    ]);
  });

  test("only those below the root of a new machine, relative to it", () => {
    expect(detectHardware({ host, root: "/mnt" }).fileSystems.map(({ mountPoint }) => mountPoint)).toEqual([
      "/",
      "/boot",
    ]);
  });

  test("swap, drivers of disks and the processor", () => {
    const { swapDevices, initrdModules, kernelModules, qemu } = detectHardware({ host });
    expect({ swapDevices, initrdModules, kernelModules, qemu }).toEqual({
      swapDevices: ["/dev/disk/by-label/swap"],
      initrdModules: ["ahci", "virtio_blk"],
      kernelModules: ["kvm-amd"],
      qemu: true,
    });
  });

  test("and written as a module whose texts are quoted", () => {
    const hardware = { ...detectHardware({ host }), swapDevices: ['/dev/a"b${c}'] };
    const text = hardwareConfiguration(hardware, { fileSystems: true });
    expect(text).toContain('fileSystems."/srv/a b" = {\n    device = "/dev/vdb";');
    expect(text).toContain('swapDevices = [ { device = "/dev/a\\"b\\${c}"; } ];');
    expect(text).toContain('imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];');
    expect(text).not.toContain("Microcode");
    expect(hardwareConfiguration(hardware, { fileSystems: false })).not.toContain("fileSystems");
    const real = hardwareConfiguration({ ...hardware, qemu: false }, { fileSystems: false });
    expect(real).toContain('imports = [ (modulesPath + "/installer/scan/not-detected.nix") ];');
    expect(real).toContain(
      "hardware.cpu.amd.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;",
    );
  });
});
