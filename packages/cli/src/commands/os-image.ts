import { basename, dirname, join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { existsSync, mkdtempSync, readdirSync, rmSync, temporaryParent } from "@firn/store/files";
import { buildDiskImage, kvmWorks, type SystemManifest, startVm } from "@firn/system";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildConfiguration, reportResult } from "../systems/build.ts";
import { chooseConfiguration, configurationFlags, configurationNeeds } from "../systems/configuration.ts";
import { firnSystem, installBelow, sizeOf } from "../systems/install.ts";
import { sourceOf } from "../systems/source.ts";

const freeFlag: Flag = {
  name: "free",
  labels: ["size"],
  description: "Free space of the root file system, as 512M or 4G. It takes no space in the file before it is used.",
};

/** `firn os build-image`: makes a disk image for UEFI machines, or a directory for a container. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: [
    ...configurationFlags,
    freeFlag,
    { name: "container", description: "Make a directory that 'firn os enter' boots instead of a disk image." },
    {
      name: "output",
      short: "o",
      labels: ["path"],
      description: "The image or directory; by default named as the host.",
    },
  ],
  run(invocation, io) {
    const configuration = chooseConfiguration(invocation, io, invocation.positionals[0]);
    const free = freeSpace(invocation, "1G");
    return withEvaluation(invocation, io, {
      needs: configurationNeeds(configuration),
      body: async (session) => {
        const built = await buildConfiguration(session, configuration);
        const { path } = built;
        const { manifest } = await firnSystem(session, path);
        const source = await sourceOf(session, configuration, built);
        const name = manifest?.name ?? "system";
        const container = invocation.flags.has("container");
        const output = resolve(io.cwd, invocation.flags.value("output") ?? (container ? name : `${name}.img`));
        if (container) {
          if (existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, "nix/store"))) {
            throw new FirnError("image", `'${output}' exists and is not the directory of a container`);
          }
          await installBelow(session, { system: path, source }, output);
        } else await makeImage(session, { path, source, manifest, output, free });
        reportResult(io, "Done. The image is", output);
        return 0;
      },
    });
  },
};

/** `firn os build-vm`: boots a configuration in a virtual machine. */
export const buildVm: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: [
    ...configurationFlags,
    freeFlag,
    {
      name: "image",
      labels: ["path"],
      description: "Keep the disk in this file; an existing one is started as it is. By default it is thrown away.",
    },
    { name: "memory", short: "m", labels: ["mib"], description: "MiB of memory. It defaults to 1024." },
    {
      name: "forward",
      labels: ["ports"],
      description: "HOST:GUEST, a port of this machine that leads to one of the virtual machine; may be repeated.",
    },
    { name: "no-run", description: "Make the image and start nothing." },
  ],
  run(invocation, io) {
    const { flags } = invocation;
    const configuration = chooseConfiguration(invocation, io, invocation.positionals[0]);
    const free = freeSpace(invocation, "4G");
    const memory = Number(flags.value("memory") ?? "1024");
    if (!Number.isInteger(memory) || memory < 128) throw new UsageError("--memory takes a number of MiB, at least 128");
    const forward = new Map(flags.all("forward").map(([text = ""]) => portPair(text)));
    const kept = flags.value("image");
    return withEvaluation(invocation, io, {
      needs: configurationNeeds(configuration),
      body: async (session) => {
        const directory = kept === undefined ? mkdtempSync(join(temporaryParent(), "firn-vm-")) : undefined;
        const image = kept === undefined ? join(directory ?? "", "disk.img") : resolve(io.cwd, kept);
        try {
          const built = await buildConfiguration(session, configuration);
          const { path } = built;
          const { manifest, tree } = await firnSystem(session, path);
          if (!existsSync(image)) {
            const source = await sourceOf(session, configuration, built);
            await makeImage(session, { path, source, manifest, output: image, free });
          }
          if (flags.has("no-run")) {
            reportResult(io, "Done. The image is", image);
            return 0;
          }
          const kernel = tree.entry("kernel");
          const kvm = kernel?.kind === "file" && (await kvmWorks(kernel.real));
          session.progress.clear();
          io.err(`starting the machine${kvm ? "" : " without KVM"}; Ctrl-A X ends it, whatever it does\n`);
          return await ended(
            startVm({ image, variables: `${image}.efivars`, memory, forward, kvm, console: "inherit" }),
          );
        } finally {
          if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
        }
      },
    });
  },
};

function ended(machine: ReturnType<typeof startVm>): Promise<number> {
  return new Promise((resolve, reject) => {
    machine.on("error", (cause) =>
      reject(
        new FirnError("not-found", "qemu-system-x86_64 could not be started", {
          hint: "on Debian: apt-get install qemu-system-x86 ovmf",
          cause,
        }),
      ),
    );
    machine.on("close", (code) => resolve(code ?? 1));
  });
}

async function makeImage(
  session: EvaluationSession,
  options: {
    readonly path: string;
    readonly source: string | undefined;
    readonly manifest: SystemManifest | undefined;
    readonly output: string;
    readonly free: number;
  },
): Promise<void> {
  const { path, source, manifest, output, free } = options;
  if (manifest === undefined || manifest.boot.loader === "none") {
    throw new FirnError("image", `'${path}' has no boot loader, so a machine cannot start it`, {
      hint: "set boot.loader.systemd-boot.enable, and file systems '/' on the label root and '/boot' on the label ESP",
    });
  }
  // Beside the image: both are large, and temporary directories are often in memory.
  const tree = mkdtempSync(join(dirname(output), `.${basename(output)}-`));
  try {
    await installBelow(session, { system: path, source }, tree);
    session.progress.event({ kind: "message", level: "notice", text: `writing the image '${output}'...` });
    await buildDiskImage({ tree, efiSysMountPoint: manifest.boot.efiSysMountPoint, output, freeSpace: free });
  } finally {
    session.progress.clear();
    rmSync(tree, { recursive: true, force: true });
  }
}

function freeSpace({ flags }: Invocation, preset: string): number {
  const text = flags.value("free") ?? preset;
  const bytes = sizeOf(text);
  if (bytes === undefined) throw new UsageError(`'${text}' is not a size such as 512M or 4G`);
  return bytes;
}

function portPair(text: string): [number, number] {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  if (match === null) throw new UsageError(`'${text}' is not HOST:GUEST, a pair of ports`);
  return [Number(match[1]), Number(match[2])];
}
