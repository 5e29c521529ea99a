import { basename, dirname, join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { existsSync, mkdtempSync, readdirSync, rmSync, temporaryParent } from "@firn/store/files";
import { biosLoader, buildDiskImage, GenerationTree, kvmWorks, type SystemManifest, startVm } from "@firn/system";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { type BuiltConfiguration, buildConfiguration, buildFound, linkResult, reportResult } from "../systems/build.ts";
import { chooseConfiguration, configurationFlags, configurationNeeds } from "../systems/configuration.ts";
import { firnSystem, installBelow, sizeOf } from "../systems/install.ts";
import { type NixosBuilds, nixosBuilds } from "../systems/nixos-builds.ts";
import { sourceOf } from "../systems/source.ts";

const freeFlag: Flag = {
  name: "free",
  labels: ["size"],
  description: "Free space of the root file system, as 512M or 4G. It takes no space in the file before it is used.",
};

const outLinkFlags: readonly Flag[] = [
  { name: "no-link", description: "Of a system of NixOS: do not create a symlink to what is built." },
  {
    name: "out-link",
    labels: ["path"],
    description: "Of a system of NixOS: where to put the symlink. It defaults to result.",
  },
];

/** Kinds of images of a system of Firn OS. */
const variants = ["raw-efi", "container"];

/** `firn os build-image`: makes a disk image for UEFI machines, or a directory for a container. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: [
    ...configurationFlags,
    freeFlag,
    ...outLinkFlags,
    {
      name: "image-variant",
      labels: ["variant"],
      description:
        "The kind of image: an attribute of config.system.build.images of NixOS; of Firn OS raw-efi or container.",
    },
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
        const variant = invocation.flags.value("image-variant");
        const nixos = await nixosBuilds(session, configuration);
        const images = await nixos?.images();
        if (images !== undefined) {
          const image = chosenVariant([...images.keys()].sort(), variant, images);
          const { path, built } = await buildFound(session, async () => image.found);
          await linkResult(session, built);
          reportResult(io, "Done. The disk image can be found in", `${path}/${await image.file()}`);
          return 0;
        }
        if (variant !== undefined) chosenVariant(variants, variant, new Map(variants.map((name) => [name, name])));
        const built = await buildConfiguration(session, configuration);
        const { path } = built;
        const { manifest } = await firnSystem(session, path);
        const source = await sourceOf(session, configuration, built);
        const name = manifest?.name ?? "system";
        const container = invocation.flags.has("container") || variant === "container";
        const output = resolve(io.cwd, invocation.flags.value("output") ?? (container ? name : `${name}.img`));
        if (container) {
          if (existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, "nix/store"))) {
            throw new FirnError("image", `'${output}' exists and is not the directory of a container`);
          }
          await installBelow(session, { system: path, source, withoutDisks: true }, output);
        } else await makeImage(session, { path, source, manifest, output, free });
        reportResult(io, "Done. The image is", output);
        return 0;
      },
    });
  },
};

/** Returns the image of a variant. Without one that is there the error lists them, as nixos-rebuild does. */
function chosenVariant<Image>(
  names: readonly string[],
  variant: string | undefined,
  images: ReadonlyMap<string, Image>,
): Image {
  const image = variant === undefined ? undefined : images.get(variant);
  if (image !== undefined) return image;
  const list = names.map((name) => `- ${name}`).join("\n");
  throw new FirnError(
    "image",
    `please specify one of the following supported image variants via --image-variant:\n${list}`,
  );
}

/** `firn os build-vm`: boots a configuration in a virtual machine; of NixOS it builds the program that does. */
export const buildVm: Command = vmCommand("vm");

/** `firn os build-vm-with-bootloader`: the same, started by the boot loader. */
export const buildVmWithBootLoader: Command = vmCommand("vmWithBootLoader");

async function buildNixosVm(
  session: EvaluationSession,
  nixos: NixosBuilds,
  attribute: "vm" | "vmWithBootLoader",
): Promise<number> {
  const { path, built }: BuiltConfiguration = await buildFound(session, () => nixos.build(attribute));
  await linkResult(session, built);
  const { location } = await session.store();
  const programs = new GenerationTree(location, path).names("bin").filter((name) => /^run-.*-vm$/.test(name));
  reportResult(
    session.io,
    "Done. The virtual machine can be started by running",
    programs[0] === undefined ? "not-found" : `${path}/bin/${programs[0]}`,
  );
  return 0;
}

function vmCommand(attribute: "vm" | "vmWithBootLoader"): Command {
  return {
    positionals: [{ label: "configuration", optional: true }],
    flags: [
      ...configurationFlags,
      ...outLinkFlags,
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
      if (!Number.isInteger(memory) || memory < 128)
        throw new UsageError("--memory takes a number of MiB, at least 128");
      const forward = new Map(flags.all("forward").map(([text = ""]) => portPair(text)));
      const kept = flags.value("image");
      return withEvaluation(invocation, io, {
        needs: configurationNeeds(configuration),
        body: async (session) => {
          const nixos = await nixosBuilds(session, configuration);
          if (nixos?.has(attribute) === true) return buildNixosVm(session, nixos, attribute);
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
              startVm({
                image,
                ...(manifest?.boot.loader === "grub" ? {} : { variables: `${image}.efivars` }),
                memory,
                forward,
                kvm,
                console: "inherit",
              }),
            );
          } finally {
            if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
          }
        },
      });
    },
  };
}

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
      hint: "set boot.loader.systemd-boot.enable (or boot.loader.grub.enable, for machines with BIOS), and file systems '/' on the label root and '/boot' on the label ESP",
    });
  }
  // Beside the image: both are large, and temporary directories are often in memory.
  const tree = mkdtempSync(join(dirname(output), `.${basename(output)}-`));
  try {
    await installBelow(session, { system: path, source, withoutDisks: true }, tree);
    session.progress.event({ kind: "message", level: "notice", text: `writing the image '${output}'...` });
    const { efiSysMountPoint, loader } = manifest.boot;
    const bios = loader === "grub" ? { bios: biosLoader(await firnSystem(session, path)) } : {};
    await buildDiskImage({ tree, efiSysMountPoint, output, freeSpace: free, ...bios });
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
