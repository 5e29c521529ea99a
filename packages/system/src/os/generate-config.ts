/** A first configuration for a machine, from what can be seen of it: file systems, swap, modules of its devices, firmware. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { hasErrorCode } from "@firn/store";

/** What was seen. */
export interface MachineFacts {
  readonly fileSystems: readonly FoundFileSystem[];
  /** Swap devices, by their stable names. */
  readonly swapDevices: readonly string[];
  /** Kernel modules without which the root file system cannot be reached. */
  readonly initrdModules: readonly string[];
  readonly kernelModules: readonly string[];
  readonly uefi: boolean;
  readonly hostName: string;
  readonly timeZone: string | undefined;
  readonly virtualised: string | undefined;
}

/** A mounted file system. */
export interface FoundFileSystem {
  readonly mountPoint: string;
  readonly device: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** File systems that the kernel makes up, or that a configuration does not declare. */
const made = new Set(
  "autofs bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs overlay proc pstore ramfs rpc_pipefs securityfs selinuxfs sysfs tmpfs tracefs binfmt_misc squashfs".split(
    " ",
  ),
);
/** Options that say nothing of their own. */
const plainOptions = new Set(["rw", "relatime", "seclabel", "errors=remount-ro"]);
/** Devices whose drivers the initrd may need: disks, their controllers and what they are plugged into. */
const bootClasses = ["0x0106", "0x0107", "0x0101", "0x0100", "0x0104", "0x0108", "0x0c03", "0x0180"];

/** Looks at the machine below `root` (its mounted file systems; `/` for the running one). */
export function inspectMachine(root: string): MachineFacts {
  const mounts = readText("/proc/self/mountinfo")
    .split("\n")
    .flatMap((line) => foundFileSystem(line, root));
  return {
    // A later mount at the same place hides the earlier one.
    fileSystems: [...new Map(mounts.map((found) => [found.mountPoint, found])).values()].sort((a, b) =>
      a.mountPoint < b.mountPoint ? -1 : 1,
    ),
    swapDevices: readText("/proc/swaps")
      .split("\n")
      .slice(1)
      .map((line) => line.split(/\s+/)[0] ?? "")
      .filter((path) => path.startsWith("/dev/"))
      .map(stableName),
    initrdModules: [...new Set(deviceModules(bootClasses))].sort(),
    kernelModules: existsSync("/dev/kvm")
      ? [/^vendor_id\s*:\s*AuthenticAMD/m.test(readText("/proc/cpuinfo")) ? "kvm-amd" : "kvm-intel"]
      : [],
    uefi: existsSync("/sys/firmware/efi"),
    hostName: readText(join(root, "etc/hostname")).trim(),
    timeZone: timeZone(root),
    virtualised: /QEMU|KVM|VMware|VirtualBox|Xen|Bochs/
      .exec(readText("/sys/class/dmi/id/sys_vendor"))?.[0]
      ?.toLowerCase(),
  };
}

function foundFileSystem(line: string, root: string): FoundFileSystem[] {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , subtree = "", at = "", ownOptions = ""] = before.split(" ");
  const [type = "", device = ""] = after.split(" ");
  const path = unescaped(at);
  const inside = root === "/" || path === root || path.startsWith(`${root}/`);
  if (type === "" || made.has(type) || !inside || subtree !== "/" || !device.startsWith("/dev/")) return [];
  const mountPoint = root === "/" ? path : path.slice(root.length) || "/";
  if (/^\/(nix\/store|proc|sys|dev|run)(\/|$)/.test(mountPoint)) return [];
  const options = ownOptions.split(",").filter((option) => !plainOptions.has(option));
  return [{ mountPoint, device: stableName(unescaped(device)), type, options }];
}

/** The name of a device that stays when disks are found in another order. */
function stableName(device: string): string {
  for (const kind of ["by-uuid", "by-partuuid"]) {
    const directory = `/dev/disk/${kind}`;
    for (const name of namesIn(directory)) {
      const path = join(directory, name);
      if (lstatSync(path).isSymbolicLink() && resolve(directory, readlinkSync(path)) === device) return path;
    }
  }
  return device;
}

/** Drivers of PCI devices of certain classes, as the kernel has bound them. */
function deviceModules(classes: readonly string[]): string[] {
  const modules: string[] = [];
  for (const bus of ["pci", "virtio"]) {
    const directory = `/sys/bus/${bus}/devices`;
    for (const name of namesIn(directory)) {
      const device = join(directory, name);
      if (bus === "pci" && !classes.some((prefix) => readText(join(device, "class")).startsWith(prefix))) continue;
      const link = join(device, "driver/module");
      if (existsSync(link)) modules.push(basename(readlinkSync(link)));
      if (bus === "virtio") modules.push("virtio_pci");
    }
  }
  for (const name of namesIn("/sys/block")) {
    if (name.startsWith("sd")) modules.push("sd_mod");
    if (name.startsWith("sr")) modules.push("sr_mod");
    if (name.startsWith("nvme")) modules.push("nvme");
    if (name.startsWith("vd")) modules.push("virtio_blk");
  }
  return modules;
}

function timeZone(root: string): string | undefined {
  const link = join(root, "etc/localtime");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  return /zoneinfo\/(.+)$/.exec(readlinkSync(link))?.[1];
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** A file's text, empty when there is none: not every machine has every file. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "EINVAL")) return "";
    throw error;
  }
}

/** Blanks in paths are octal in the kernel's tables. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** `hardware-configuration.nix`; without file systems when they are declared elsewhere. */
export function hardwareConfiguration(facts: MachineFacts, options: { readonly fileSystems: boolean }): string {
  const list = (items: readonly string[]): string =>
    items.length === 0 ? "[ ]" : `[ ${items.map(nixString).join(" ")} ]`;
  const lines = [
    "# Made by 'firn os generate-config' from what was seen of this machine; it is written anew the next time. What you",
    "# want otherwise belongs into configuration.nix.",
    "{ ... }:",
    "{",
    `  boot.initrd.availableKernelModules = ${list(facts.initrdModules)};`,
    `  boot.kernelModules = ${list(facts.kernelModules)};`,
  ];
  if (options.fileSystems) {
    for (const { mountPoint, device, type, options: mountOptions } of facts.fileSystems) {
      lines.push("", `  fileSystems.${nixString(mountPoint)} = {`);
      lines.push(`    device = ${nixString(device)};`, `    fsType = ${nixString(type)};`);
      if (mountOptions.length > 0) lines.push(`    options = ${list(mountOptions)};`);
      lines.push("  };");
    }
    const swaps = facts.swapDevices.map((device) => `{ device = ${nixString(device)}; }`);
    lines.push("", `  swapDevices = ${swaps.length === 0 ? "[ ]" : `[ ${swaps.join(" ")} ]`};`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

/** A first `configuration.nix` beside it. */
export function firstConfiguration(facts: MachineFacts): string {
  const name = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(facts.hostName) ? facts.hostName : "machine";
  return `# The configuration of this machine. 'firn os option' tells the options, 'firn os switch' makes it so.
{ pkgs, ... }:
{
  imports = [ ./hardware-configuration.nix ];

  networking.hostName = ${nixString(name)};
  time.timeZone = ${nixString(facts.timeZone ?? "Etc/UTC")};

  ${facts.uefi ? "" : "# This machine was not started by UEFI, which systemd-boot needs.\n  # "}boot.loader.systemd-boot.enable = true;

  # users.users.alice = {
  #   isNormalUser = true;
  #   extraGroups = [ "wheel" ];
  #   # Made by: openssl passwd -6
  #   hashedPassword = "…";
  # };

  # services.openssh.enable = true;
  # networking.firewall.allowedTCPPorts = [ 80 ];

  environment.systemPackages = [
    # pkgs.git
  ];

  # The release that this machine was first installed with; it says how data of services is laid out and stays as it is.
  system.stateVersion = "26.11";
}
`;
}

/** A flake beside it. */
export function firstFlake(facts: MachineFacts, system: string): string {
  const name = facts.hostName === "" ? "machine" : facts.hostName;
  return `{
  inputs.os.url = "path:${system}";

  outputs =
    { self, os }:
    {
      nixosConfigurations.${nixString(name)} = os.lib.firnSystem { modules = [ ./configuration.nix ]; };
    };
}
`;
}

function nixString(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("${", "\\${")}"`;
}
