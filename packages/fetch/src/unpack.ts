/** Unpacks archives that strangers made; the strictness about members is that of `extractTar` and `extractZip`. */

import { FirnError } from "@firn/formats";
import { compressionOf, decompress, disk, entriesIn, extractTar, hasErrorCode, removePath } from "@firn/store";
import { createReadStream, open } from "@firn/store/files";

/** Limit of unpacked bytes, above any source tree. */
const maxUnpacked = 64 * 2 ** 30;

/**
 * Unpacks the archive `file` as `target`, which must not exist; a single top directory becomes `target` itself. `shown` names
 * the archive in errors (`bad-archive`). Returns the newest modification time of a member, in seconds.
 */
export async function unpackArchive(file: string, target: string, shown: string): Promise<{ lastModified: number }> {
  const staging = `${target}.unpacked`;
  disk.mkdirs(staging);
  try {
    const { lastModified } = await extract(file, staging).catch((cause: unknown) => {
      // A full disk is no fault of the archive.
      if (hasErrorCode(cause, "ENOSPC", "EDQUOT")) throw cause;
      throw new FirnError("bad-archive", `failed to extract archive '${shown}': ${(cause as Error).message}`, {
        cause,
      });
    });
    const [only, ...others] = entriesIn(staging);
    const single = only?.kind === "directory" && others.length === 0;
    disk.rename(single ? `${staging}/${only.name}` : staging, target);
    return { lastModified };
  } finally {
    removePath(staging);
  }
}

async function extract(file: string, target: string): Promise<{ lastModified: number }> {
  const first = await firstBytes(file);
  if (isZip(first)) {
    const { extractZip } = await import("./zip.ts");
    return extractZip(file, target, maxUnpacked);
  }
  const chunks = decompress(createReadStream(file), compressionOf(first), maxUnpacked);
  return extractTar(chunks, target, { replace: true, refuseGit: true });
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

/** Tells whether a file starts with a zip archive's first member, or with the end record of an empty one. */
function isZip(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))
  );
}
