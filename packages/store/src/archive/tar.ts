/**
 * Unpacks a tar archive into a directory that no other process writes to. Strict: names must stay inside, hard links must
 * lead to a file of this archive, nothing is written through a symbolic link, devices are refused. Owners and setuid bits are
 * dropped.
 */

import { FirnError } from "@firn/formats";
import { disk } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { TreeWriter } from "../fs/tree-writer.ts";

const BLOCK = 512;
const MAX_LONG = 1 << 16;
const MAX_ENTRIES = 2_000_000;
const MAX_DEPTH = 256;

function bad(what: string): FirnError {
  return new FirnError("bad-tar", `bad tar archive: ${what}`);
}

/** Reads exact numbers of bytes from a stream of chunks. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Returns some bytes, at most `limit`; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** Returns exactly `size` bytes, or undefined when the stream ended before the first. */
  async exactly(size: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0; ) {
      const part = await this.some(left);
      if (part === undefined) {
        if (parts.length === 0) return undefined;
        throw bad("truncated");
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** Closes the stream, also when it has not been read to its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) {
      const part = await this.some(left);
      if (part === undefined) throw bad("truncated");
      left -= part.length;
    }
  }
}

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly link: string;
  /** Modification time, in seconds since 1970. */
  readonly time: number;
}

/** Options of unpacking. */
export interface TarOptions {
  /** True when a member replaces an earlier file of its name, as in `tar`; otherwise that is an error. */
  readonly replace?: boolean;
  /** True to refuse members named `.git`, as in trees of repositories. */
  readonly refuseGit?: boolean;
}

function text(block: Buffer, start: number, length: number): string {
  const raw = block.toString("latin1", start, start + length);
  const end = raw.indexOf("\0");
  return end < 0 ? raw : raw.slice(0, end);
}

function number(block: Buffer, start: number, length: number): number {
  if ((block[start]! & 0x80) !== 0) {
    // Base 256, for sizes beyond 8 GiB.
    let value = 0;
    const high = [block[start]! & 0x7f, ...block.subarray(start + 1, Math.max(start + 1, start + length - 8))];
    if (length > 8 && high.some((byte) => byte !== 0)) throw bad("number is out of range");
    for (let i = start + Math.max(1, length - 8); i < start + length; i++) value = value * 256 + block[i]!;
    if (value > Number.MAX_SAFE_INTEGER) throw bad("number is out of range");
    return value;
  }
  const digits = text(block, start, length).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw bad("malformed number");
  return Number.parseInt(digits, 8);
}

function parseHeader(block: Buffer): Header {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
  if (sum !== number(block, 148, 8)) throw bad("wrong checksum");
  const ustar = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = ustar ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8),
    size: number(block, 124, 12),
    type: String.fromCharCode(block[156]!),
    link: text(block, 157, 100),
    time: number(block, 136, 12),
  };
}

/**
 * Parses extended header records `length key=value
 * `.
 */
function parsePax(data: string): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(" ", at);
    const length = Number(data.slice(at, space));
    if (space < 0 || !Number.isInteger(length) || length <= 0 || at + length > data.length)
      throw bad("malformed extended header");
    const record = data.slice(space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals < 0) throw bad("malformed extended header");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** Returns the place in the tree for an archive member's name; throws the error that `fault` makes for absolute names and `..`. */
export function memberPlace(name: string, fault: (what: string) => FirnError): string {
  if (name.startsWith("/")) throw fault(`absolute name '${name}'`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0")) throw fault(`name '${name}' leads out of the tree`);
  if (parts.length > MAX_DEPTH) throw fault("nested too deeply");
  return parts.map((part) => `/${part}`).join("");
}

/**
 * Unpacks `chunks` into the existing, empty directory `target` (byte string). Returns the newest modification time of a member, in
 * seconds. Error `bad-tar`.
 */
export async function extractTar(
  chunks: AsyncIterable<Uint8Array>,
  target: string,
  options: TarOptions = {},
): Promise<{ readonly lastModified: number }> {
  const tree = new TreeWriter(target, { fault: bad, refuseGit: options.refuseGit ?? false });
  try {
    return await readTar(chunks, tree, options);
  } finally {
    tree.close();
  }
}

/** Receiver of members; `create` returns a descriptor that the reader closes. */
export type TarTree = Pick<TreeWriter, "directory" | "create" | "symlink" | "link" | "makeFree">;

/** Does the work of `extractTar` for any tree. */
export async function readTar(
  chunks: AsyncIterable<Uint8Array>,
  tree: TarTree,
  options: TarOptions = {},
): Promise<{ readonly lastModified: number }> {
  const reader = new ByteReader(chunks);
  try {
    return await extract(reader, { tree, replace: options.replace ?? false });
  } finally {
    await reader.close();
  }
}

/** The destination of members. */
interface Place {
  readonly tree: TarTree;
  readonly replace: boolean;
}

interface Member {
  readonly header: Header;
  readonly name: string;
  readonly link: string;
  readonly size: number;
}

async function extract(reader: ByteReader, place: Place): Promise<{ readonly lastModified: number }> {
  let lastModified = 0;
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax = new Map<string, string>();
  for (let entries = 0; ; entries++) {
    if (entries > MAX_ENTRIES) throw bad("too many entries");
    const block = await reader.exactly(BLOCK);
    if (block === undefined || block.every((byte) => byte === 0)) return { lastModified };
    if (block.length < BLOCK) throw bad("truncated");
    const header = parseHeader(block);
    if (["L", "K", "x", "g"].includes(header.type)) {
      if (header.size > MAX_LONG) throw bad("header is too long");
      const data = ((await reader.exactly(header.size)) ?? Buffer.alloc(0)).toString("latin1");
      await reader.skip(paddingOf(header.size));
      if (header.type === "L") longName = data.replace(/\0.*$/s, "");
      else if (header.type === "K") longLink = data.replace(/\0.*$/s, "");
      else if (header.type === "x") pax = parsePax(data);
      continue;
    }
    const name = pax.get("path") ?? longName ?? header.name;
    const link = pax.get("linkpath") ?? longLink ?? header.link;
    const size = paxNumber(pax.get("size")) ?? header.size;
    const time = paxNumber(pax.get("mtime")) ?? header.time;
    longName = undefined;
    longLink = undefined;
    pax = new Map();
    if (header.type !== "1") lastModified = Math.max(lastModified, time);
    await addMember(reader, place, { header, name, link, size });
  }
}

const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** Parses a number of an extended header; fractions of seconds are dropped. */
function paxNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}(?:\.[0-9]*)?$/.test(text)) throw bad("number is out of range");
  return Math.floor(Number(text));
}

async function addMember(reader: ByteReader, { tree, replace }: Place, member: Member): Promise<void> {
  const { header, name, link, size } = member;
  const path = memberPlace(name, bad);
  if (path === "" && header.type !== "5") throw bad("a member without a name");
  switch (header.type) {
    case "0":
    case "\0":
    case "7":
      if (replace) tree.makeFree(path);
      await fillFile(reader, tree.create(path, (header.mode & 0o100) !== 0 ? 0o755 : 0o644), size);
      await reader.skip(paddingOf(size));
      return;
    case "5":
      tree.directory(path);
      return;
    case "2":
      if (replace) tree.makeFree(path);
      tree.symlink(link, path);
      return;
    case "1": {
      const existing = memberPlace(link, bad);
      if (existing === path) return;
      if (replace) tree.makeFree(path);
      tree.link(existing, path);
      return;
    }
    default:
      throw bad(`'${name}' is of an unsupported type`);
  }
}

/** Fills an open file with the next `size` bytes and closes it. */
async function fillFile(reader: ByteReader, fd: number, size: number): Promise<void> {
  try {
    for (let left = size; left > 0; ) {
      const part = await reader.some(left);
      if (part === undefined) throw bad("truncated");
      disk.write(fd, part);
      left -= part.length;
    }
  } finally {
    fs.closeSync(fd);
  }
}
