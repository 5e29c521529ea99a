/**
 * GRUB on the disks of machines with BIOS: its first sector at the start of the disk, the rest in a BIOS boot partition (GPT) or
 * between the table and the first partition (MBR). The image is made when the system is built (os/modules/boot/grub.nix); here
 * it learns where it lies.
 */
import { FirnError } from "@firn/formats";
import { closeSync, fsyncSync, openSync, readSync, writeSync } from "@firn/store/files";

/** GRUB's image: the first sector, and what that loads. */
export interface BiosLoader {
  readonly boot: Uint8Array;
  readonly core: Uint8Array;
}

const SECTOR = 512;
/** Type of the partition for it, as its bytes on the disk. */
const BIOS_BOOT = Buffer.from("Hah!IdontNeedEFI", "latin1");
/** Bytes of the first sector that are the disk's own: its identifier and the table of partitions. */
const OWN = { from: 0x1b8, to: SECTOR };
/** Bytes of the first sector that describe a file system without partitions. */
const PARAMETERS = { from: 0x3, to: 0x5a };
const KERNEL_SECTOR = 0x5c;
const DRIVE_CHECK = 0x66;
/** The list of blocks at the end of the second sector: first sector (8 bytes), count (2), segment that they are loaded to (2). */
const BLOCK_LIST = SECTOR - 12;
const SEGMENT = 0x820;

/**
 * Writes GRUB to a disk, or the image of one. Errors: `boot-loader` when the disk has no table of partitions, or no place that is
 * large enough.
 */
export function writeBiosLoader(disk: string, { boot, core }: BiosLoader): void {
  const file = openSync(disk, "r+");
  try {
    const first = read(file, 0, 1);
    const sectors = Math.ceil(core.length / SECTOR);
    const { start, length } = placeForCore(disk, file, first);
    if (sectors > length) {
      throw new FirnError(
        "boot-loader",
        `the place for GRUB on '${disk}' is too small: ${sectors} sectors are needed`,
        {
          hint: "make its BIOS boot partition larger; 1 MiB is enough",
        },
      );
    }
    const rest = Buffer.alloc(sectors * SECTOR);
    rest.set(core);
    rest.writeBigUInt64LE(BigInt(start + 1), BLOCK_LIST);
    rest.writeUInt16LE(sectors - 1, BLOCK_LIST + 8);
    rest.writeUInt16LE(SEGMENT, BLOCK_LIST + 10);
    write(file, start, rest);
    fsyncSync(file);

    const sector = Buffer.from(boot.subarray(0, SECTOR));
    for (const { from, to } of [PARAMETERS, OWN]) first.copy(sector, from, from, to);
    sector.writeBigUInt64LE(BigInt(start), KERNEL_SECTOR);
    // Some BIOSes do not tell which disk they start from; on a hard disk the check of that is left out.
    sector.writeUInt16LE(0x9090, DRIVE_CHECK);
    write(file, 0, sector);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Returns the sectors of the disk that no file system uses. */
function placeForCore(disk: string, file: number, first: Buffer): { readonly start: number; readonly length: number } {
  const bad = (message: string, hint: string): FirnError => new FirnError("boot-loader", message, { hint });
  if (first.readUInt16LE(510) !== 0xaa55) {
    throw bad(`'${disk}' has no table of partitions`, "make one with sfdisk or parted");
  }
  const entries = [0, 1, 2, 3].map((index) => first.subarray(446 + 16 * index, 462 + 16 * index));
  if (!entries.some((entry) => entry[4] === 0xee)) {
    const starts = entries.filter((entry) => entry[4] !== 0).map((entry) => entry.readUInt32LE(8));
    return { start: 1, length: Math.min(...starts, 1 << 11) - 1 };
  }
  const header = read(file, 1, 1);
  if (header.toString("latin1", 0, 8) !== "EFI PART")
    throw bad(`the GPT of '${disk}' is damaged`, "repair it with gdisk");
  const size = header.readUInt32LE(84);
  const count = header.readUInt32LE(80);
  if (size < 128 || size > 4096 || count > 4096) throw bad(`the GPT of '${disk}' is damaged`, "repair it with gdisk");
  const table = read(file, Number(header.readBigUInt64LE(72)), Math.ceil((size * count) / SECTOR));
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(index * size, (index + 1) * size);
    if (!entry.subarray(0, 16).equals(BIOS_BOOT)) continue;
    const start = Number(entry.readBigUInt64LE(32));
    return { start, length: Number(entry.readBigUInt64LE(40)) - start + 1 };
  }
  throw bad(
    `'${disk}' has no BIOS boot partition, which GRUB needs on a disk with GPT`,
    "make one of 1 MiB, of type 21686148-6449-6E6F-744E-656564454649",
  );
}

function read(file: number, sector: number, count: number): Buffer {
  const buffer = Buffer.alloc(count * SECTOR);
  readSync(file, buffer, 0, buffer.length, sector * SECTOR);
  return buffer;
}

function write(file: number, sector: number, bytes: Buffer): void {
  writeSync(file, bytes, 0, bytes.length, sector * SECTOR);
}
