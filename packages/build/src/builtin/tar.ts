/**
 * Unpacks a tar archive into a directory that nobody else writes to. Strict: names must stay inside, hard links must lead to a file of
 * this archive, nothing is written through a symbolic link, devices are refused. Owners and setuid bits are dropped.
 */
import fs from "node:fs";
import { FirnError } from "@firn/formats";
import { fsPath, hasErrorCode } from "@firn/store";

const BLOCK = 512;
const MAX_LONG = 1 << 16;
const MAX_ENTRIES = 2_000_000;
const MAX_DEPTH = 256;

function bad(what: string): FirnError {
  return new FirnError("bad-tar", `bad tar archive: ${what}`);
}

/** Hands out exact numbers of bytes from a stream of chunks. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Some bytes, at most `limit`; undefined at the end. */
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

  /** Exactly `size` bytes, or undefined when the stream ended before the first. */
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

  /** Lets go of the stream, also when it has not been read to its end. */
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
  /** Seconds since 1970. */
  readonly time: number;
}

/** How to unpack. */
export interface TarOptions {
  /** Whether a member takes the place of an earlier file of its name, as `tar` does; else that is an error. */
  readonly replace?: boolean;
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

/** Extended header records `length key=value\n`. */
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

/** Folds a name to its parts; error for absolute names and `..`. */
function partsOf(name: string): string[] {
  if (name.startsWith("/")) throw bad(`absolute name '${name}'`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0")) throw bad(`name '${name}' leads out of the tree`);
  if (parts.length > MAX_DEPTH) throw bad("nested too deeply");
  return parts;
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
  const reader = new ByteReader(chunks);
  try {
    return await extract(reader, { target, replace: options.replace ?? false, directories: new Set([""]) });
  } finally {
    await reader.close();
  }
}

/** Where members go, and which directories the archive has made there. */
interface Place {
  readonly target: string;
  readonly replace: boolean;
  readonly directories: Set<string>;
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

/** A number of an extended header; fractions of seconds are dropped. */
function paxNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}(?:\.[0-9]*)?$/.test(text)) throw bad("number is out of range");
  return Math.floor(Number(text));
}

async function addMember(reader: ByteReader, place: Place, member: Member): Promise<void> {
  const { target, directories } = place;
  const { header, name, link, size } = member;
  const parts = partsOf(name);
  const relative = parts.map((part) => `/${part}`).join("");
  if (parts.length > 0) makeParents(target, parts, directories);
  const path = target + relative;
  switch (header.type) {
    case "0":
    case "\0":
    case "7":
      makeFree(place, relative);
      await writeFile(reader, path, { size, mode: header.mode });
      await reader.skip(paddingOf(size));
      return;
    case "5":
      if (directories.has(relative)) return;
      if (exists(path)) throw bad(`'${name}' appears twice`);
      fs.mkdirSync(fsPath(path), 0o755);
      directories.add(relative);
      return;
    case "2":
      if (link === "" || link.includes("\0")) throw bad(`empty link '${name}'`);
      makeFree(place, relative);
      fs.symlinkSync(fsPath(link), fsPath(path));
      return;
    case "1": {
      const from = partsOf(link);
      requirePlain(target, from, directories);
      const source = target + from.map((part) => `/${part}`).join("");
      if (source === path) return;
      makeFree(place, relative);
      fs.linkSync(fsPath(source), fsPath(path));
      return;
    }
    default:
      throw bad(`'${name}' is of an unsupported type`);
  }
}

function exists(path: string): boolean {
  return fs.lstatSync(fsPath(path), { throwIfNoEntry: false }) !== undefined;
}

/** Makes way for a file or link; a directory never gives way. */
function makeFree({ target, replace, directories }: Place, relative: string): void {
  if (relative === "") throw bad("a member without a name");
  if (!exists(target + relative)) return;
  if (!replace || directories.has(relative)) throw bad(`'${relative.slice(1)}' appears twice`);
  fs.unlinkSync(fsPath(target + relative));
}

/** A hard link's source must be a regular file reached through real directories. */
function requirePlain(target: string, parts: readonly string[], directories: ReadonlySet<string>): void {
  const parent = parts
    .slice(0, -1)
    .map((part) => `/${part}`)
    .join("");
  const stat = fs.lstatSync(fsPath(`${target}${parent}/${parts.at(-1) ?? ""}`), { throwIfNoEntry: false });
  if (!directories.has(parent) || stat?.isFile() !== true)
    throw bad(`hard link to '${parts.join("/")}', which is no file of it`);
}

/** Makes missing parents; one that is no directory of this archive is an error, a symbolic link above all. */
function makeParents(target: string, parts: readonly string[], directories: Set<string>): void {
  let path = "";
  for (const part of parts.slice(0, -1)) {
    path += `/${part}`;
    if (directories.has(path)) continue;
    try {
      fs.mkdirSync(fsPath(target + path), 0o755);
    } catch (error) {
      if (hasErrorCode(error, "EEXIST")) throw bad(`'${path}' is used as a directory but is none`);
      throw error;
    }
    directories.add(path);
  }
}

async function writeFile(reader: ByteReader, path: string, file: { size: number; mode: number }): Promise<void> {
  const mode = (file.mode & 0o100) !== 0 ? 0o755 : 0o644;
  const fd = fs.openSync(fsPath(path), "wx", mode);
  try {
    for (let left = file.size; left > 0; ) {
      const part = await reader.some(left);
      if (part === undefined) throw bad("truncated");
      for (let at = 0; at < part.length; ) at += fs.writeSync(fd, part, at);
      left -= part.length;
    }
  } finally {
    fs.closeSync(fd);
  }
}
