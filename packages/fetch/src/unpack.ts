/**
 * Unpacks tar archives that strangers made: members must have relative names without `..`, may not go through a link
 * that the archive itself made, and hard links must lead to a member; ownership, devices and special bits are ignored.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, link, mkdir, open, readdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FirnError } from "@firn/formats";
import { decompress } from "@firn/store";
import { extract, type Header } from "tar-stream";

const maxMembers = 2_000_000;
const maxDepth = 256;

/**
 * Unpacks the archive `file` so that its single top directory becomes `target` (which must not exist). `shown` names it
 * in errors (`bad-archive`). Returns the newest modification time of a member, in seconds.
 */
export async function unpackArchive(file: string, target: string, shown: string): Promise<{ lastModified: number }> {
  const staging = `${target}.unpacked`;
  await mkdir(staging, { recursive: true });
  const compression = compressionOf(await firstBytes(file));
  const unpacker = new Unpacker(staging, shown);
  const reader = extract();
  const done = pipeline(decompress(createReadStream(file), compression), reader);
  // The loop below sees the same failure first; it is awaited after it.
  done.catch(() => undefined);
  try {
    for await (const entry of reader) await unpacker.add(entry.header, entry as unknown as Readable);
    await done;
  } catch (cause) {
    if (cause instanceof FirnError) throw cause;
    throw new FirnError("bad-archive", `failed to extract archive '${shown}': ${String((cause as Error).message)}`, {
      cause,
    });
  }
  const [only, ...others] = await readdir(staging);
  if (only === undefined || others.length > 0) {
    throw new FirnError("bad-archive", `tarball '${shown}' contains an unexpected number of top-level files`);
  }
  await rename(join(staging, only), target);
  await rm(staging, { recursive: true, force: true });
  return { lastModified: unpacker.lastModified };
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const buffer = Buffer.alloc(512);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The compression that a file's first bytes tell. */
function compressionOf(bytes: Uint8Array): string {
  const starts = (...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (starts(0x1f, 0x8b)) return "gzip";
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return "xz";
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if (starts(0x42, 0x5a, 0x68)) return "bzip2";
  return "none";
}

class Unpacker {
  lastModified = 0;
  private members = 0;
  /** What was made here, by relative name: nothing is written through anything else than a directory of ours. */
  private readonly made = new Map<string, "directory" | "file" | "link">([["", "directory"]]);
  private readonly root: string;
  private readonly shown: string;

  constructor(root: string, shown: string) {
    this.root = root;
    this.shown = shown;
  }

  async add(header: Header, body: Readable): Promise<void> {
    if (++this.members > maxMembers) throw this.bad("has too many members");
    const name = this.checkName(header.name);
    const mtime = Math.floor((header.mtime?.getTime() ?? 0) / 1000);
    switch (header.type) {
      case "directory":
        this.lastModified = Math.max(this.lastModified, mtime);
        await this.makeDirectory(name);
        body.resume();
        return;
      case "symlink":
        this.lastModified = Math.max(this.lastModified, mtime);
        await this.claim(name, "link");
        await symlink(header.linkname ?? "", join(this.root, name));
        body.resume();
        return;
      case "link": {
        const to = this.checkName(header.linkname ?? "");
        if (this.made.get(to) !== "file") throw this.bad(`has a hard link '${name}' to '${to}', which is no member`);
        await this.claim(name, "file");
        await link(join(this.root, to), join(this.root, name));
        body.resume();
        return;
      }
      case "file":
      case "contiguous-file":
      case null:
      case undefined: {
        this.lastModified = Math.max(this.lastModified, mtime);
        await this.claim(name, "file");
        const path = join(this.root, name);
        await pipeline(body, createWriteStream(path, { flags: "wx" }));
        if (((header.mode ?? 0) & 0o100) !== 0) await chmod(path, 0o755);
        return;
      }
      default:
        throw this.bad(`has a member '${name}' of unsupported type '${String(header.type)}'`);
    }
  }

  private checkName(raw: string): string {
    if (raw.startsWith("/")) throw this.bad(`has a member with the absolute name '${raw}'`);
    const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw this.bad(`has a member '${raw}' that leads out of it`);
    if (raw.includes("\0")) throw this.bad("has a member with a NUL in its name");
    if (parts.length > maxDepth) throw this.bad("is nested too deeply");
    return parts.join("/");
  }

  /** Makes way for a member: parents exist, an earlier member of the same name is replaced as tar does. */
  private async claim(name: string, kind: "file" | "link"): Promise<void> {
    if (name === "") throw this.bad("has a member without a name");
    const parent = dirname(name);
    await this.makeDirectory(parent === "." ? "" : parent);
    const earlier = this.made.get(name);
    if (earlier === "directory") throw this.bad(`has both a directory and a file '${name}'`);
    if (earlier !== undefined) await rm(join(this.root, name));
    this.made.set(name, kind);
  }

  private async makeDirectory(name: string): Promise<void> {
    const kind = this.made.get(name);
    if (kind === "directory") return;
    if (kind !== undefined) throw this.bad(`has a member below '${name}', which is not a directory`);
    const parent = dirname(name);
    await this.makeDirectory(parent === "." ? "" : parent);
    await mkdir(join(this.root, name));
    this.made.set(name, "directory");
  }

  private bad(what: string): FirnError {
    return new FirnError("bad-archive", `archive '${this.shown}' ${what}`);
  }
}
