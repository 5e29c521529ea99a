/** Unpacks archives that strangers made; the strictness about members is that of `extractTar`. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { byteStringOf, FirnError } from "@firn/formats";
import { decompress, disk, entriesIn, extractTar, fsPath, hasErrorCode, removePath } from "@firn/store";

/** More than any source tree has. */
const maxUnpacked = 64 * 2 ** 30;

/**
 * Unpacks the archive `file` so that its single top directory becomes `target` (which must not exist). `shown` names it
 * in errors (`bad-archive`). Returns the newest modification time of a member, in seconds.
 */
export async function unpackArchive(file: string, target: string, shown: string): Promise<{ lastModified: number }> {
  const staging = `${byteStringOf(target)}.unpacked`;
  disk.mkdirs(staging);
  try {
    const compression = compressionOf(await firstBytes(file));
    const chunks = decompress(createReadStream(file), compression, maxUnpacked);
    const { lastModified } = await extractTar(chunks, staging, { replace: true, refuseGit: true }).catch(
      (cause: unknown) => {
        // A full disk is no fault of the archive.
        if (hasErrorCode(cause, "ENOSPC", "EDQUOT")) throw cause;
        throw new FirnError("bad-archive", `failed to extract archive '${shown}': ${(cause as Error).message}`, {
          cause,
        });
      },
    );
    const [only, ...others] = entriesIn(fsPath(staging));
    if (only === undefined || others.length > 0) {
      throw new FirnError("bad-archive", `tarball '${shown}' contains an unexpected number of top-level files`);
    }
    disk.rename(`${staging}/${only.name}`, byteStringOf(target));
    return { lastModified };
  } finally {
    removePath(staging);
  }
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
