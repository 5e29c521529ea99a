/**
 * A raw disk image of a system installed below a directory: a GUID partition table, an EFI system partition with the boot loader's
 * files, and an ext4 root file system; for machines with BIOS one more with GRUB. Needs neither root nor a loop device: the programs write into the image at an offset.
 */

import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { hasErrorCode, startProgram } from "@firn/store";
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, truncateSync, writeFileSync } from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";
import { type BiosLoader, writeBiosLoader } from "../boot/bios-loader.ts";

/** The system to make an image of, and the sizes of the image. */
export interface ImageOptions {
  /** Directory of the installed system; its `efiSysMountPoint` has the files of the EFI partition. */
  readonly tree: string;
  /** Mount point of the EFI partition in the system, such as `/boot`. */
  readonly efiSysMountPoint: string;
  /** The image file; an existing one is replaced when the new one is complete. */
  readonly output: string;
  /** Free bytes on the root file system; default 1 GiB. They take no space in the image file before they are used. */
  readonly freeSpace?: number;
  /** Bytes of the EFI partition; default 256 MiB. */
  readonly efiSize?: number;
  /** GRUB for machines with BIOS, which gets a partition of its own. */
  readonly bios?: BiosLoader;
}

const MIB = 1 << 20;
const ALIGNMENT = MIB;
/**
 * Identifier of the disk, fixed so that the same system gives the same table; a machine's identity is its /etc/machine-id,
 * made at its first start.
 */
const DISK_ID = "4669726e-4f53-4d00-8000-000000000001";
const EFI_ID = "4669726e-4f53-4d00-8000-000000000002";
const BIOS_ID = "4669726e-4f53-4d00-8000-000000000004";
const ROOT_ID = "4669726e-4f53-4d00-8000-000000000003";
const FAT_ID = "4669726e";

/**
 * Makes the image. Errors: `not-found` when one of sfdisk, mkfs.vfat, mcopy, mkfs.ext4 is missing, `image` when one of them fails
 * (its message is in the text).
 */
export async function buildDiskImage(options: ImageOptions): Promise<void> {
  const { tree, output } = options;
  const efiSize = roundUp(options.efiSize ?? 256 * MIB);
  const used = (await treeSize(tree)) * 1.04;
  // The file system's own tables and its journal.
  const rootSize = roundUp(used * 1.02 + (options.freeSpace ?? 1024 * MIB) + 96 * MIB);
  const efiStart = options.bios === undefined ? ALIGNMENT : 2 * ALIGNMENT;
  const rootStart = efiStart + efiSize;
  const image = `${output}.new`;
  const efi = `${output}.efi`;
  const boot = `${tree}.efi`;
  const mountPoint = join(tree, options.efiSysMountPoint);
  writeFileSync(image, "");
  try {
    truncateSync(image, rootStart + rootSize + ALIGNMENT);
    await tool(["sfdisk", "--quiet", image], partitions({ efiStart, efiSize, rootStart, rootSize }));

    // Made on its own: mkfs.vfat's --offset forgets the root directory.
    writeFileSync(efi, "");
    truncateSync(efi, efiSize);
    await tool(["mkfs.vfat", "-F", "32", "-n", "ESP", "-i", FAT_ID, efi]);
    const files = readdirSync(mountPoint).sort();
    if (files.length > 0) {
      await tool(["mcopy", "-s", "-Q", "-m", "-i", efi, ...files.map((name) => join(mountPoint, name)), "::"]);
    }
    await tool([
      "dd",
      `if=${efi}`,
      `of=${image}`,
      "bs=1M",
      `seek=${efiStart / MIB}`,
      "conv=notrunc,sparse",
      "status=none",
    ]);

    // The root file system has the mount point, but not what lies on the other partition.
    renameSync(mountPoint, boot);
    try {
      mkdirSync(mountPoint);
      const format = ["mkfs.ext4", "-q", "-F", "-L", "root", "-U", ROOT_ID, "-b", "4096", "-m", "1", "-d", tree];
      const features = ["-E", `offset=${rootStart},root_owner=0:0,hash_seed=${ROOT_ID},lazy_itable_init=1`];
      await tool([...asRoot(), ...format, ...features, image, `${rootSize / 1024}k`]);
    } finally {
      rmdirSync(mountPoint);
      renameSync(boot, mountPoint);
    }
    if (options.bios !== undefined) writeBiosLoader(image, options.bios);
    renameSync(image, output);
  } finally {
    for (const file of [image, efi]) rmSync(file, { force: true });
  }
}

/** Returns the command prefix under which files of this user are root's in the image. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? [] : ["unshare", "-r"];
}

function partitions({
  efiStart,
  efiSize,
  rootStart,
  rootSize,
}: Readonly<Record<"efiStart" | "efiSize" | "rootStart" | "rootSize", number>>): string {
  const bios =
    efiStart === ALIGNMENT
      ? ""
      : `start=${ALIGNMENT / 512}, size=${(efiStart - ALIGNMENT) / 512}, type=21686148-6449-6E6F-744E-656564454649, uuid=${BIOS_ID}, name=BIOS\n`;
  return `label: gpt
label-id: ${DISK_ID}
${bios}start=${efiStart / 512}, size=${efiSize / 512}, type=U, uuid=${EFI_ID}, name=ESP
start=${rootStart / 512}, size=${rootSize / 512}, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=${ROOT_ID}, name=root
`;
}

const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Returns the bytes that the tree takes on a file system with blocks of 4 KiB. */
async function treeSize(tree: string): Promise<number> {
  const text = await tool(["du", "-s", "-B1", tree]);
  return Number(text.split("\t")[0]);
}

/** Runs a program; resolves to its output. */
function tool(argv: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = startProgram(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      // Programs that make file systems are often not on the PATH of users.
      env: {
        ...processEnvironment(),
        PATH: `${processEnvironment().PATH ?? ""}:/usr/sbin:/sbin`,
        MTOOLS_SKIP_CHECK: "1",
        LC_ALL: "C.UTF-8",
      },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("latin1");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString("latin1");
    });
    child.on("error", (error) => {
      reject(
        hasErrorCode(error, "ENOENT")
          ? new FirnError("not-found", `the program '${program}' is missing`, {
              hint: "on Debian: apt-get install fdisk dosfstools mtools e2fsprogs",
              cause: error,
            })
          : error,
      );
    });
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else
        reject(new FirnError("image", `'${program}' failed with status ${code ?? "unknown"}: ${(err || out).trim()}`));
    });
    // A program that ends early says why on its standard error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
