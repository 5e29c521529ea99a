/** Files by logical paths: below the store's directory they lie where the store has them on disk, elsewhere where they say. */
import type { Stats } from "node:fs";
import type { StoreLocation } from "../store/location.ts";
import { hasErrorCode } from "./disk.ts";
import { lstatSync, readlinkSync } from "./files.ts";

const maxLinks = 64;

/** A file that was found by a logical path. */
export interface LogicalFile {
  /** Its logical path, with no symbolic link left in it. */
  readonly path: string;
  /** Its place on disk. */
  readonly real: string;
  readonly status: Stats;
}

/** Follows the links in an absolute logical path to a file; undefined when there is none, or too many links. */
export function findLogicalFile(
  location: Pick<StoreLocation, "storeDir" | "realStoreDir">,
  path: string,
): LogicalFile | undefined {
  const { storeDir, realStoreDir } = location;
  const todo = path.split("/").reverse();
  let links = 0;
  let current = "";
  let status = statusOf("/");
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      current = current.slice(0, Math.max(0, current.lastIndexOf("/")));
      status = undefined;
      continue;
    }
    const next = `${current}/${name}`;
    // The directories above the store need not exist.
    if (`${storeDir}/`.startsWith(`${next}/`) && next !== storeDir && statusOf(next) === undefined) {
      current = next;
      status = undefined;
      continue;
    }
    status = statusOf(onDisk(next));
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink() || next === storeDir) {
      current = next;
      continue;
    }
    links++;
    if (links > maxLinks) return undefined;
    const target = readlinkSync(onDisk(next));
    if (target.startsWith("/")) current = "";
    status = undefined;
    todo.push(...target.split("/").reverse());
  }
  const real = onDisk(current === "" ? "/" : current);
  status ??= statusOf(real);
  return status === undefined ? undefined : { path: current === "" ? "/" : current, real, status };

  function onDisk(logical: string): string {
    return logical === storeDir || logical.startsWith(`${storeDir}/`)
      ? realStoreDir + logical.slice(storeDir.length)
      : logical;
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (hasErrorCode(error, "ENOTDIR", "ELOOP", "EACCES")) return undefined;
    throw error;
  }
}
