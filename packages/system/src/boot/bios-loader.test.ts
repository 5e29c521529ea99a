import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeBiosLoader } from "./bios-loader.ts";

const sector = 512;

describe("GRUB on a disk", () => {
  let directory: string;
  let disk: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "firn-bios-"));
    disk = join(directory, "disk");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const loader = { boot: Buffer.alloc(sector, 0xb0), core: Buffer.alloc(3 * sector + 5, 0xc0) };
  /** A disk of 64 sectors whose every byte is 0x11 where its table says nothing else. */
  const make = (change: (bytes: Buffer) => void): void => {
    const bytes = Buffer.alloc(64 * sector, 0x11);
    bytes.fill(0, 446, 510);
    bytes.writeUInt16LE(0xaa55, 510);
    change(bytes);
    writeFileSync(disk, bytes);
  };
  /** A GPT with a BIOS boot partition from sector 40 on, as its second entry. */
  const gpt =
    (last: number, type = "Hah!IdontNeedEFI") =>
    (bytes: Buffer): void => {
      bytes[446 + 4] = 0xee;
      bytes.write("EFI PART", sector, "latin1");
      bytes.writeBigUInt64LE(2n, sector + 72);
      bytes.writeUInt32LE(4, sector + 80);
      bytes.writeUInt32LE(128, sector + 84);
      bytes.fill(0, 2 * sector, 3 * sector);
      bytes.write(type, 2 * sector + 128, "latin1");
      bytes.writeBigUInt64LE(40n, 2 * sector + 128 + 32);
      bytes.writeBigUInt64LE(BigInt(last), 2 * sector + 128 + 40);
    };
  const blockList = (bytes: Buffer, start: number) => [
    bytes.readBigUInt64LE(start * sector + 500),
    bytes.readUInt16LE(start * sector + 508),
    bytes.readUInt16LE(start * sector + 510),
  ];

  test("lies in the BIOS boot partition of a GPT, and the first sector knows where", () => {
    make(gpt(43));
    const before = readFileSync(disk);
    writeBiosLoader(disk, loader);
    const bytes = readFileSync(disk);
    expect(bytes.readBigUInt64LE(0x5c)).toBe(40n);
    expect([bytes[0], bytes[0x66], bytes[0x67], bytes[0x1b7]]).toEqual([0xb0, 0x90, 0x90, 0xb0]);
    expect(blockList(bytes, 40)).toEqual([41n, 3, 0x820]);
    expect(bytes.subarray(41 * sector, 43 * sector + 5).every((byte) => byte === 0xc0)).toBe(true);
    // Tables, the disk's identifier and all other sectors are as they were.
    expect(bytes.subarray(0x1b8, 40 * sector).equals(before.subarray(0x1b8, 40 * sector))).toBe(true);
    expect(bytes.subarray(44 * sector).equals(before.subarray(44 * sector))).toBe(true);
  });

  test("lies before the first partition where there is no GPT", () => {
    make((bytes) => {
      bytes[446 + 4] = 0x83;
      bytes.writeUInt32LE(8, 446 + 8);
    });
    writeBiosLoader(disk, loader);
    const bytes = readFileSync(disk);
    expect(bytes.readBigUInt64LE(0x5c)).toBe(1n);
    expect(blockList(bytes, 1)).toEqual([2n, 3, 0x820]);
    expect(bytes[8 * sector]).toBe(0x11);
  });

  test.each([
    ["a partition that is too small", gpt(42), /too small: 4 sectors are needed/],
    ["no BIOS boot partition", gpt(43, "something else!!"), /no BIOS boot partition/],
    [
      "a first partition too near",
      (b: Buffer) => {
        b[450] = 0x83;
        b.writeUInt32LE(4, 454);
      },
      /too small/,
    ],
    ["no table", (b: Buffer) => b.writeUInt16LE(0, 510), /no table of partitions/],
    [
      "a damaged GPT",
      (b: Buffer) => {
        gpt(43)(b);
        b.write("FEI", sector, "latin1");
      },
      /is damaged/,
    ],
  ])("is not written to a disk with %s", (_, change, message) => {
    make(change);
    const before = readFileSync(disk);
    expect(() => writeBiosLoader(disk, loader)).toThrow(message);
    expect(readFileSync(disk).equals(before)).toBe(true);
  });
});
