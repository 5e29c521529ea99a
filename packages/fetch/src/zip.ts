/**
 * Unpacks a zip archive into a directory that no other process writes to. Strict: names must stay inside, nothing is written
 * through a symbolic link, contents must have the size and checksum that the archive's directory tells; owners and setuid
 * bits are dropped. Members are stored or deflated; archives that begin with something else, or whose directory is truncated,
 * are refused.
 */

import { crc32 } from "node:zlib";
import { FirnError } from "@firn/formats";
import { disk, memberPlace, type TarTree, TreeWriter } from "@firn/store";
import * as fs from "@firn/store/files";
import yauzl, { type Entry, type ZipFile } from "yauzl";

const MAX_ENTRIES = 2_000_000;
/** The kernel's length limit for the target of a link. */
const MAX_TARGET = 4095;
/** The host system of an archive whose file modes are Unix's. */
const UNIX = 3;
const KIND = 0o170000;

function bad(what: string): FirnError {
  return new FirnError("bad-zip", `bad zip archive: ${what}`);
}

/** Options of reading: names as bytes, entries one at a time, contents no longer than announced. */
const reading = { lazyEntries: true, decodeStrings: false, validateEntrySizes: true, autoClose: false };

/** Receiver of members; `create` returns a descriptor that the reader closes. */
export type ZipTree = Omit<TarTree, "link">;

/**
 * Unpacks the archive `file` into the existing, empty directory `target` (byte string); its contents may have `maxSize` bytes
 * in total, and no member named `.git`. Returns the newest modification time of a member, in seconds. Error `bad-zip`.
 */
export async function extractZip(
  file: string,
  target: string,
  maxSize: number,
): Promise<{ readonly lastModified: number }> {
  const tree = new TreeWriter(target, { fault: bad, refuseGit: true });
  try {
    return await readZip(file, tree, maxSize);
  } finally {
    tree.close();
  }
}

/** Does the work of `extractZip` for a file or bytes, into any tree. */
export async function readZip(
  source: string | Buffer,
  tree: ZipTree,
  maxSize: number,
): Promise<{ readonly lastModified: number }> {
  let zip: ZipFile | undefined;
  try {
    zip = await (typeof source === "string"
      ? yauzl.openPromise(source, reading)
      : yauzl.fromBufferPromise(source, reading));
    let lastModified = 0;
    let entries = 0;
    let size = 0;
    for await (const entry of zip.eachEntry()) {
      entries++;
      size += entry.uncompressedSize;
      if (entries > MAX_ENTRIES) throw bad("too many entries");
      if (size > maxSize) throw bad(`it holds more than ${maxSize} bytes`);
      const time = Math.floor(entry.getLastModDate({ timezone: "local" }).getTime() / 1000);
      if (time > lastModified) lastModified = time;
      await addMember(zip, entry, tree);
    }
    return { lastModified };
  } catch (error) {
    // A failing machine is no fault of the archive.
    if (error instanceof FirnError || !(error instanceof Error) || "syscall" in error) throw error;
    throw new FirnError("bad-zip", `bad zip archive: ${error.message}`, { cause: error });
  } finally {
    zip?.close();
  }
}

/** Returns the name in bytes; some programs of Windows write backslashes for all slashes. */
function nameOf(entry: Entry): string {
  const name = entry.fileNameRaw.toString("latin1");
  return name.includes("/") ? name : name.replaceAll("\\", "/");
}

async function addMember(zip: ZipFile, entry: Entry, tree: ZipTree): Promise<void> {
  const name = nameOf(entry);
  const mode = entry.versionMadeBy >>> 8 === UNIX ? entry.externalFileAttributes >>> 16 : 0;
  const path = memberPlace(name, bad);
  if (name.endsWith("/") || (mode & KIND) === 0o040000) {
    tree.directory(path);
    return;
  }
  if (path === "") throw bad("a member without a name");
  switch (mode & KIND) {
    case 0:
    case 0o100000: {
      tree.makeFree(path);
      const fd = tree.create(path, (mode & 0o100) !== 0 ? 0o755 : 0o644);
      try {
        for await (const chunk of contents(zip, entry, name)) disk.write(fd, chunk);
      } finally {
        fs.closeSync(fd);
      }
      return;
    }
    case 0o120000: {
      if (entry.uncompressedSize > MAX_TARGET) throw bad(`the target of the link '${name}' is too long`);
      const parts: Buffer[] = [];
      for await (const chunk of contents(zip, entry, name)) parts.push(chunk);
      tree.makeFree(path);
      tree.symlink(Buffer.concat(parts).toString("latin1"), path);
      return;
    }
    default:
      throw bad(`'${name}' is of an unsupported type`);
  }
}

/** Yields the contents of a member, checking the announced length and, at the end, the checksum. */
async function* contents(zip: ZipFile, entry: Entry, name: string): AsyncGenerator<Buffer, void, undefined> {
  if (entry.isEncrypted()) throw bad(`'${name}' is encrypted`);
  if (!entry.canDecodeFileData())
    throw bad(`'${name}' is compressed by the unsupported method ${entry.compressionMethod}`);
  const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
  let sum = 0;
  for await (const chunk of stream) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw bad(`'${name}' has a wrong checksum`);
}
