/** Makes archives that no honest program makes: NAR, tar and deb, byte by byte. */
import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";

/** A NAR's token: length, bytes, padding. */
function token(text: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text, "latin1"), Buffer.alloc((8 - (text.length % 8)) % 8)]);
}

/** A NAR of tokens; numbers are raw 64-bit lengths. */
export function narOf(...parts: readonly (string | bigint)[]): Buffer {
  return Buffer.concat(
    ["nix-archive-1", ...parts].map((part) => {
      if (typeof part === "string") return token(part);
      const raw = Buffer.alloc(8);
      raw.writeBigUInt64LE(part);
      return raw;
    }),
  );
}

const file = ["(", "type", "regular", "contents", "x", ")"];
const entry = (name: string): string[] => ["entry", "(", "name", name, "node", ...file, ")"];

/** Named NARs that must be refused, with a part of the message. */
export const hostileNars: readonly (readonly [string, Buffer, string])[] = [
  [
    "climbs out",
    narOf("(", "type", "directory", ...entry(".."), ")"),
    "bad archive: NAR contains invalid file name '..'",
  ],
  ["has a slash in a name", narOf("(", "type", "directory", ...entry("a/b"), ")"), "invalid file name"],
  ["has a name twice", narOf("(", "type", "directory", ...entry("a"), ...entry("a"), ")"), "bad archive: "],
  ["is unsorted", narOf("(", "type", "directory", ...entry("b"), ...entry("a"), ")"), "NAR directory is not sorted"],
  [
    "is ten thousand levels deep",
    narOf(
      ...Array.from({ length: 10_000 }, () => ["(", "type", "directory", "entry", "(", "name", "d", "node"]).flat(),
    ),
    "bad archive: ",
  ],
  ["has a length of 2^63", narOf("(", "type", "regular", "contents", 2n ** 63n), "bad archive: "],
  ["has a length of 2^64-1", narOf("(", "type", "regular", "contents", 2n ** 64n - 1n), "bad archive: "],
  ["ends early", narOf("(", "type", "regular", "contents", 100n), ""],
];

/** The description of a path in a cache, unsigned. */
export function narInfo(storePath: string, nar: Buffer): string {
  const hash = createHash("sha256").update(nar).digest("hex");
  return `StorePath: ${storePath}\nURL: nar/x.nar\nCompression: none\nNarHash: sha256:${hash}\nNarSize: ${nar.length}\nReferences: \n`;
}

/** A member of a tar archive; `size` may lie. */
export interface TarMember {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly body?: string;
  readonly size?: Buffer;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

function header(member: TarMember, length: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(member.name.slice(0, 100), 0, "latin1");
  block.write(octal(0o644, 8), 100, "latin1");
  block.write(octal(length, 12), 124, "latin1");
  if (member.size !== undefined) member.size.copy(block, 124);
  block.write(octal(0, 12), 136, "latin1");
  block.write(" ".repeat(8), 148, "latin1");
  block.write(member.type ?? "0", 156, "latin1");
  block.write(member.link ?? "", 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
    "latin1",
  );
  return block;
}

/** A tar archive; long names get a GNU header. */
export function tarOf(members: readonly TarMember[]): Buffer {
  const parts: Buffer[] = [];
  const add = (member: TarMember): void => {
    const body = Buffer.from(member.body ?? "", "latin1");
    parts.push(header(member, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512));
  };
  for (const member of members) {
    if (member.name.length > 100) add({ name: "././@LongLink", type: "L", body: `${member.name}\0` });
    add(member);
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A size field in base 256: 2^63. */
const huge = Buffer.from([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]);

/** Named archives that must be refused, with a part of the message. */
export const hostileTars: readonly (readonly [string, Buffer, string])[] = [
  ["has an absolute name", tarOf([{ name: "/tmp/firn-hostile", body: "x" }]), "absolute name '/tmp/firn-hostile'"],
  ["climbs out", tarOf([{ name: "t/../../firn-hostile", body: "x" }]), "leads out of the tree"],
  [
    "writes through a link",
    tarOf([
      { name: "t/l", type: "2", link: "/tmp" },
      { name: "t/l/firn-hostile", body: "x" },
    ]),
    "is used as a directory but is none",
  ],
  [
    "has a hard link out of the tree",
    tarOf([{ name: "t/h", type: "1", link: "../../etc/passwd" }]),
    "leads out of the tree",
  ],
  [
    "has a hard link to a file that is not its own",
    tarOf([{ name: "t/h", type: "1", link: "etc/passwd" }]),
    "which is no file of it",
  ],
  ["has a device", tarOf([{ name: "t/d", type: "3" }]), "unsupported type"],
  ["is ten thousand levels deep", tarOf([{ name: `t/${"d/".repeat(10_000)}x`, body: "x" }]), "nested too deeply"],
  ["has a length of 2^63", tarOf([{ name: "t/f", size: huge }]), "number is out of range"],
  ["is cut short", tarOf([{ name: "t/f", body: "x".repeat(2000) }]).subarray(0, 1500), "truncated"],
];

/** A member of a zip archive; everything but its name may lie. */
export interface ZipMember {
  readonly name: string;
  readonly body?: string;
  /** A Unix mode, type included. */
  readonly mode?: number;
  /** What made the archive: 3 stands for Unix. */
  readonly system?: number;
  readonly stored?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  /** Bytes of extra fields. */
  readonly extra?: Buffer;
}

/** 2023-11-14 22:13:20. */
const zipTime = 0x576e_b1aa;

function numbers(...fields: readonly (readonly [bytes: number, value: number])[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of fields) at = out.writeUIntLE(value, at, bytes);
  return out;
}

/** A zip archive: members with their headers, then its directory. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const body = Buffer.from(member.body ?? "", "latin1");
    const packed = member.stored === true ? body : deflateRawSync(body);
    const name = Buffer.from(member.name, "latin1");
    const extra = member.extra ?? Buffer.alloc(0);
    const common = numbers(
      [2, 20],
      [2, member.flags ?? 0],
      [2, member.method ?? (member.stored === true ? 0 : 8)],
      [4, zipTime],
      [4, member.crc ?? crc32(body)],
      [4, packed.length],
      [4, member.size ?? body.length],
      [2, name.length],
      [2, extra.length],
    );
    const head = Buffer.concat([numbers([4, 0x04034b50]), common, name, extra]);
    parts.push(head, packed);
    directory.push(
      numbers([4, 0x02014b50], [1, 20], [1, member.system ?? 3]),
      common,
      numbers([2, 0], [2, 0], [2, 0], [2, 0], [2, member.mode ?? 0o100644], [4, offset]),
      Buffer.concat([name, extra]),
    );
    offset += head.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = members.length;
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
  return Buffer.concat([...parts, ...directory, end]);
}

/** Named archives that must be refused, with a part of the message. */
export const hostileZips: readonly (readonly [string, Buffer, string])[] = [
  ["has an absolute name", zipOf([{ name: "/tmp/firn-hostile" }]), "absolute name '/tmp/firn-hostile'"],
  ["climbs out", zipOf([{ name: "t/../../firn-hostile" }]), "leads out of the tree"],
  ["climbs out by backslashes", zipOf([{ name: "t\\..\\..\\firn-hostile" }]), "leads out of the tree"],
  ["has a null byte in a name", zipOf([{ name: "t/a\0b" }]), "leads out of the tree"],
  [
    "writes through a link",
    zipOf([
      { name: "t/l", body: "/tmp", mode: 0o120777 },
      { name: "t/l/firn-hostile", body: "x" },
    ]),
    "is used as a directory but is none",
  ],
  ["has a file in a directory's place", zipOf([{ name: "t/a/x" }, { name: "t/a", body: "x" }]), "'t/a' appears twice"],
  ["has a device", zipOf([{ name: "t/d", mode: 0o020644 }]), "unsupported type"],
  ["has a pipe", zipOf([{ name: "t/d", mode: 0o010644 }]), "unsupported type"],
  ["has a link without a target", zipOf([{ name: "t/l", mode: 0o120777 }]), "a link without a valid target"],
  [
    "has a link with an endless target",
    zipOf([{ name: "t/l", body: "x".repeat(5000), mode: 0o120777 }]),
    "the target of the link 't/l' is too long",
  ],
  ["is ten thousand levels deep", zipOf([{ name: `t/${"d/".repeat(10_000)}x` }]), "nested too deeply"],
  ["has a repository in it", zipOf([{ name: "t/.git/config" }]), "invalid name for a tree entry"],
  ["has other contents than it tells", zipOf([{ name: "t/a", body: "x", crc: 1 }]), "'t/a' has a wrong checksum"],
  ["unpacks to more than it tells", zipOf([{ name: "t/a", body: "x".repeat(9999), size: 9 }]), "bad zip archive: "],
  ["unpacks to less than it tells", zipOf([{ name: "t/a", body: "x", size: 99 }]), "bad zip archive: "],
  ["is encrypted", zipOf([{ name: "t/a", body: "x", flags: 1 }]), "'t/a' is encrypted"],
  ["is compressed by an odd method", zipOf([{ name: "t/a", method: 14 }]), "unsupported method 14"],
  [
    "has a broken extra field",
    zipOf([{ name: "t/a", extra: Buffer.from("UT\xff\xff", "latin1") }]),
    "bad zip archive: ",
  ],
  ["is cut short", zipOf([{ name: "t/a", body: "x" }]).subarray(0, -30), "bad zip archive: "],
  ["has a member whose data are cut out", cutMember(), "bad zip archive: "],
];

/** An archive whose member begins beyond its end. */
function cutMember(): Buffer {
  const whole = zipOf([{ name: "t/a", body: "x" }]);
  whole.writeUInt32LE(0x7fff_ffff, whole.indexOf(Buffer.from("PK\x01\x02")) + 42);
  return whole;
}

/** A Debian package around a data archive. */
export function debOf(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from("!<arch>\n")];
  const control = tarOf([{ name: "control", body: "Package: x\n" }]);
  for (const [name, body] of [
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar", control],
    ["data.tar", data],
  ] as const) {
    parts.push(
      Buffer.from(
        `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(body.length).padEnd(10)}\`\n`,
      ),
    );
    parts.push(body, Buffer.alloc(body.length % 2, "\n"));
  }
  return Buffer.concat(parts);
}
