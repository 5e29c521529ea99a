/** The parts of a machine that its configuration must know: file systems, swap, drivers of disks, processor. */

import { basename, join } from "node:path";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "@firn/store/files";

/** A mounted file system. */
export interface MountedFileSystem {
  readonly mountPoint: string;
  /** The device, by identity where it has one (`/dev/disk/by-uuid/…`). */
  readonly device: string;
  readonly fsType: string;
  readonly options: readonly string[];
}

/** The detected hardware. */
export interface Hardware {
  readonly fileSystems: readonly MountedFileSystem[];
  readonly swapDevices: readonly string[];
  /** Kernel modules that the initial ramdisk needs to reach the disks. */
  readonly initrdModules: readonly string[];
  readonly kernelModules: readonly string[];
  /** True for a guest of qemu. */
  readonly qemu: boolean;
  /** Maker of the processor, where microcode is known for it. */
  readonly processor: "intel" | "amd" | undefined;
  readonly uefi: boolean;
  readonly system: string;
}

/** The directories in which hardware is detected. */
export interface HardwareOptions {
  /** Prefix of `/proc`, `/sys` and `/dev`; empty for this machine. */
  readonly host?: string;
  /** Mount point of the new machine's file systems; empty for those of this machine. */
  readonly root?: string;
}

const PSEUDO = new Set(
  "autofs bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs overlay proc pstore ramfs rpc_pipefs securityfs squashfs sysfs tmpfs tracefs".split(
    " ",
  ),
);
/** PCI classes: mass storage, USB controllers, FireWire. */
const STORAGE_CLASS = /^0x(01|0c00|0c03)/;

/** Detects the hardware of a machine; facts that cannot be read are left out. */
export function detectHardware({ host = "", root = "" }: HardwareOptions = {}): Hardware {
  const initrd = new Set<string>();
  for (const device of names(`${host}/sys/bus/pci/devices`)) {
    const directory = `${host}/sys/bus/pci/devices/${device}`;
    if (STORAGE_CLASS.test(text(join(directory, "class")))) addModule(initrd, directory);
  }
  for (const bus of ["virtio", "usb", "scsi"]) {
    for (const device of names(`${host}/sys/bus/${bus}/devices`)) {
      const directory = `${host}/sys/bus/${bus}/devices/${device}`;
      // Of USB only what is a disk or a keyboard.
      if (bus !== "usb" || /^(08|03)/.test(text(join(directory, "bInterfaceClass")))) addModule(initrd, directory);
    }
  }
  const processor = text(`${host}/proc/cpuinfo`);
  const vendor = text(`${host}/sys/class/dmi/id/sys_vendor`);
  const flag = (name: string): boolean => new RegExp(`^flags\\s*:.*\\b${name}\\b`, "m").test(processor);
  return {
    fileSystems: fileSystems(host, root),
    swapDevices: swaps(host),
    initrdModules: [...initrd].sort(),
    kernelModules: flag("vmx") ? ["kvm-intel"] : flag("svm") ? ["kvm-amd"] : [],
    processor: /GenuineIntel/.test(processor) ? "intel" : /AuthenticAMD/.test(processor) ? "amd" : undefined,
    qemu: /QEMU/.test(vendor) || names(`${host}/sys/bus/virtio/devices`).length > 0,
    uefi: existsSync(`${host}/sys/firmware/efi`),
    system: process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux",
  };
}

function fileSystems(host: string, root: string): MountedFileSystem[] {
  const found: MountedFileSystem[] = [];
  const seen = new Set<string>();
  for (const line of text(`${host}/proc/self/mountinfo`).split("\n")) {
    // "36 35 98:0 /subtree /mount/point rw,noatime shared:1 - ext4 /dev/vda2 rw"
    const [before = "", after = ""] = line.split(" - ");
    const [, , , subtree = "", place = "", options = ""] = before.split(" ");
    const [fsType = "", source = ""] = after.split(" ");
    const mounted = unescaped(place);
    if (root !== "" && mounted !== root && !mounted.startsWith(`${root}/`)) continue;
    const mountPoint = mounted.slice(root.length) || "/";
    if (!mountPoint.startsWith("/") || PSEUDO.has(fsType) || !source.startsWith("/dev/")) continue;
    // The store's own read-only bind, and the directories of the running system.
    if (mountPoint === "/nix/store" || /^\/(proc|sys|dev|run)(\/|$)/.test(mountPoint)) continue;
    const bound = subtree !== "/" && fsType !== "btrfs";
    if (bound || seen.has(mountPoint)) continue;
    seen.add(mountPoint);
    const kept = options
      .split(",")
      .filter((option) => ["ro", "noatime", "nodiratime", "nosuid", "nodev", "noexec"].includes(option));
    const volume = fsType === "btrfs" && subtree !== "/" ? [`subvol=${subtree.replace(/^\//, "")}`] : [];
    const mask = fsType === "vfat" ? ["umask=0077"] : [];
    found.push({
      mountPoint,
      device: lastingName(host, unescaped(source)),
      fsType,
      options: [...kept, ...volume, ...mask],
    });
  }
  return found.sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

function swaps(host: string): string[] {
  return text(`${host}/proc/swaps`)
    .split("\n")
    .slice(1)
    .map((line) => unescaped(line.split(/\s/)[0] ?? ""))
    .filter((device) => device.startsWith("/dev/") && !/^\/dev\/(zram|loop)/.test(device))
    .map((device) => lastingName(host, device));
}

/** Returns a name of a device that stays the same when disks are found in another order. */
function lastingName(host: string, device: string): string {
  const node = identity(`${host}${device}`);
  if (node === undefined) return device;
  for (const kind of ["by-uuid", "by-partuuid", "by-label"]) {
    for (const name of names(`${host}/dev/disk/${kind}`)) {
      if (identity(`${host}/dev/disk/${kind}/${name}`) === node) return `/dev/disk/${kind}/${name}`;
    }
  }
  return device;
}

/** Returns the identity of a device's node; names with the same identity are the same device. */
function identity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isBlockDevice() ? `${stat.rdev}` : realpathSync(path);
}

function addModule(modules: Set<string>, device: string): void {
  const link = join(device, "driver/module");
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) modules.add(basename(readlinkSync(link)));
}

const names = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory).sort() : []);
const text = (file: string): string => (existsSync(file) ? readFileSync(file, "latin1") : "");
/** Decodes the octal escapes with which the kernel writes blanks in names. */
const unescaped = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
