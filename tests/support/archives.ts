/** Makes archives that no honest program makes: NAR, tar and deb, byte by byte. */
import { createHash } from "node:crypto";

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
