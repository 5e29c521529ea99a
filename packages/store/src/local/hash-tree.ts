/** The NAR hash of one tree on disk. */
import { createHasher, type Hash } from "@firn/formats";
import { dumpPath } from "../fs/dump.ts";

/** The NAR hash and size of a tree. */
export interface TreeHash {
  readonly hash: Hash;
  readonly size: number;
}

/** Returns the NAR hash and size of a tree on disk. Errors as `dumpPath`. */
export function hashTree(real: string): TreeHash {
  const hasher = createHasher("sha256");
  let size = 0;
  for (const chunk of dumpPath(real, { transient: true })) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: { algorithm: "sha256", bytes: hasher.digest() }, size };
}
