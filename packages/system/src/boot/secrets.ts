/** Secrets of the first stage: files of the machine that its boot loader gives to the kernel behind the ramdisk, and that are never in the store. */
import { gzipSync } from "node:zlib";
import { FirnError } from "@firn/formats";
import { readFileSync, statSync } from "@firn/store/files";

/** Secrets by their path in the first stage: paths on the machine. */
export type Secrets = ReadonlyMap<string, string>;

/** Returns the number of bytes of the secrets' archive, at most; undefined when one of the files is missing. */
export function sizeOfSecrets(secrets: Secrets, root: string): number | undefined {
  let size = 1024;
  for (const [place, source] of secrets) {
    const stat = statSync(root + source, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    size += stat.size + 512 * place.split("/").length;
  }
  return size;
}

/**
 * Returns secrets as an archive (cpio, `newc`) that the kernel unpacks over the ramdisk. It is compressed: the kernel finds a plain one only where
 * the ramdisk's length is a multiple of four. Error `boot-secret` when a file is missing.
 */
export function secretsArchive(secrets: Secrets, root: string): Uint8Array {
  const directories = new Set<string>();
  const parts: Uint8Array[] = [];
  const add = (name: string, mode: number, contents: Uint8Array): void => {
    parts.push(member(parts.length + 1, { name, mode, contents }));
  };
  for (const [place, source] of [...secrets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names = place.split("/").filter((name) => name !== "");
    for (let depth = 1; depth < names.length; depth++) {
      const directory = names.slice(0, depth).join("/");
      if (directories.has(directory)) continue;
      directories.add(directory);
      add(directory, 0o040755, new Uint8Array());
    }
    add(names.join("/"), 0o100600, readSecret(root, source));
  }
  parts.push(member(0, { name: "TRAILER!!!", mode: 0, contents: new Uint8Array() }));
  return gzipSync(Buffer.concat(parts));
}

function readSecret(root: string, source: string): Uint8Array {
  try {
    return readFileSync(root + source);
  } catch (error) {
    throw new FirnError("boot-secret", `the secret '${root}${source}' of the first stage cannot be read`, {
      cause: error,
    });
  }
}

/** Returns one file of an archive: its header of numbers, its name and its contents, each filled up to four bytes. */
function member(
  inode: number,
  { name, mode, contents }: { readonly name: string; readonly mode: number; readonly contents: Uint8Array },
): Uint8Array {
  const label = Buffer.from(`${name}\0`, "latin1");
  // Number of links, time, size, device of the file and of a device node, length of the name, checksum.
  const numbers = [inode, mode, 0, 0, 1, 1, contents.length, 0, 0, 0, 0, label.length, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([filled(Buffer.concat([Buffer.from(header), label])), filled(contents)]);
}

const filled = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);
