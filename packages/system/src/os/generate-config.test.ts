import { describe, expect, test } from "vitest";
import {
  firstConfiguration,
  firstFlake,
  hardwareConfiguration,
  inspectMachine,
  type MachineFacts,
} from "./generate-config.ts";

const facts: MachineFacts = {
  fileSystems: [
    { mountPoint: "/", device: "/dev/disk/by-uuid/1", type: "ext4", options: ["noatime"] },
    { mountPoint: '/mnt/${x}"y', device: "/dev/sdb1", type: "vfat", options: [] },
  ],
  swapDevices: ["/dev/disk/by-uuid/2"],
  initrdModules: ["ahci", "sd_mod"],
  kernelModules: ["kvm-intel"],
  uefi: true,
  hostName: "box",
  timeZone: undefined,
  virtualised: undefined,
};

describe("a first configuration", () => {
  test("declares what was found, whatever characters it has", () => {
    expect(
      hardwareConfiguration(facts, { fileSystems: true }),
    ).toBe(`# Made by 'firn os generate-config' from what was seen of this machine; it is written anew the next time. What you
# want otherwise belongs into configuration.nix.
{ ... }:
{
  boot.initrd.availableKernelModules = [ "ahci" "sd_mod" ];
  boot.kernelModules = [ "kvm-intel" ];

  fileSystems."/" = {
    device = "/dev/disk/by-uuid/1";
    fsType = "ext4";
    options = [ "noatime" ];
  };

  fileSystems."/mnt/\\\${x}\\"y" = {
    device = "/dev/sdb1";
    fsType = "vfat";
  };

  swapDevices = [ { device = "/dev/disk/by-uuid/2"; } ];
}
`);
    expect(hardwareConfiguration(facts, { fileSystems: false })).not.toContain("fileSystems");
  });

  test("names the machine, and does not promise a boot loader that cannot work", () => {
    expect(firstConfiguration(facts)).toMatch(
      /networking.hostName = "box";[\s\S]*\n {2}boot.loader.systemd-boot.enable = true;/,
    );
    expect(firstConfiguration({ ...facts, uefi: false, hostName: "no name!" })).toMatch(
      /hostName = "machine";[\s\S]*\n {2}# boot.loader.systemd-boot.enable = true;/,
    );
    expect(firstFlake(facts, "/os")).toContain('inputs.os.url = "path:/os";');
  });

  test("is made from this machine", () => {
    const found = inspectMachine("/");
    expect(found.fileSystems.every(({ device }) => device.startsWith("/dev/"))).toBe(true);
    expect(found.fileSystems.map(({ mountPoint }) => mountPoint)).not.toContain("/proc");
  });
});
