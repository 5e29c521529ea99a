/** Starts a disk image in a virtual machine with UEFI firmware, or with a BIOS. */

import { FirnError } from "@firn/formats";
import { type RunningProgram, startProgram } from "@firn/store";
import { copyFileSync, existsSync } from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";

/** Options of a virtual machine. */
export interface VmOptions {
  /** The disk image. */
  readonly image: string;
  /** File that stores the variables of UEFI firmware, made when it is missing; undefined for a machine with a BIOS. */
  readonly variables?: string;
  /** MiB of memory; default 1024. */
  readonly memory?: number;
  /** True when writes go to a temporary file that is deleted at the end. */
  readonly snapshot?: boolean;
  /** Ports of this machine that are forwarded to ports of the virtual one. */
  readonly forward?: ReadonlyMap<number, number>;
  /** True to use /dev/kvm; see {@link kvmWorks}. */
  readonly kvm: boolean;
  /** The target of the serial console: this terminal, or a pipe of the process. */
  readonly console: "inherit" | "pipe";
}

const FIRMWARE = ["/usr/share/OVMF", "/usr/share/edk2/x64", "/usr/share/edk2/ovmf"];

/** Starts qemu. Errors: `not-found` when there is no UEFI firmware; a missing qemu is an event of the process. */
export function startVm(options: VmOptions): RunningProgram {
  const { image, variables } = options;
  return startProgram("qemu-system-x86_64", vmArguments(options, variables === undefined ? [] : uefi(variables)), {
    stdio: options.console === "inherit" ? "inherit" : ["pipe", "pipe", "pipe"],
    env: { ...processEnvironment(), IMAGE: image },
  });
}

/** Returns the arguments of UEFI firmware with its variables. */
function uefi(variables: string): string[] {
  const code = firmware(["OVMF_CODE_4M.fd", "OVMF_CODE.4m.fd", "OVMF_CODE.fd"]);
  if (!existsSync(variables)) copyFileSync(firmware(["OVMF_VARS_4M.fd", "OVMF_VARS.4m.fd", "OVMF_VARS.fd"]), variables);
  return [
    "-drive",
    `if=pflash,format=raw,readonly=on,file=${escaped(code)}`,
    "-drive",
    `if=pflash,format=raw,file=${escaped(variables)}`,
  ];
}

function vmArguments(options: VmOptions, uefiArguments: readonly string[]): string[] {
  const forwards = [...(options.forward ?? [])].map(([host, guest]) => `,hostfwd=tcp:127.0.0.1:${host}-:${guest}`);
  return [
    "-nodefaults",
    "-display",
    "none",
    "-serial",
    "mon:stdio",
    "-machine",
    options.kvm ? "q35,accel=kvm" : "q35,accel=tcg",
    "-cpu",
    // Emulated, a plain processor starts fastest.
    options.kvm ? "host" : "qemu64",
    "-m",
    `${options.memory ?? 1024}`,
    "-device",
    "virtio-rng-pci",
    ...uefiArguments,
    "-drive",
    `if=virtio,format=raw,discard=unmap,file=${escaped(options.image)}${options.snapshot === true ? ",snapshot=on" : ""}`,
    "-netdev",
    `user,id=net0${forwards.join("")}`,
    "-device",
    "virtio-net-pci,netdev=net0,romfile=",
  ];
}

/** Doubles the commas of a file name, as qemu's options need. */
const escaped = (file: string): string => file.replaceAll(",", ",,");

function firmware(names: readonly string[]): string {
  for (const directory of FIRMWARE) {
    for (const name of names) if (existsSync(`${directory}/${name}`)) return `${directory}/${name}`;
  }
  throw new FirnError("not-found", "there is no UEFI firmware for virtual machines", {
    hint: "on Debian: apt-get install qemu-system-x86 ovmf",
  });
}

/**
 * Tells whether a kernel starts under KVM, because the device may exist and not work. `kernel` is started until it prints its
 * first line, at most for 10 seconds.
 */
export async function kvmWorks(kernel: string): Promise<boolean> {
  if (!existsSync("/dev/kvm")) return false;
  const child = startProgram(
    "qemu-system-x86_64",
    [
      "-nodefaults",
      "-no-reboot",
      "-display",
      "none",
      "-serial",
      "stdio",
      "-machine",
      "q35,accel=kvm",
      "-cpu",
      "host",
      "-m",
      "256",
    ].concat(["-kernel", kernel, "-append", "console=ttyS0 earlyprintk=serial panic=-1"]),
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  return new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes("Linux version")) return;
      clearTimeout(timer);
      child.kill("SIGKILL");
      resolve(true);
    });
    child.on("error", () => {
      clearTimeout(timer);
      resolve(false);
    });
    child.on("close", () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
