/** The NAR hash of one tree on disk. */
import { createHasher, type Hash } from "@firn/formats";
import { dumpPath } from "../fs/dump.ts";
import type { NarChunks } from "../store/paths.ts";

/** The NAR hash and size of a tree. */
export interface TreeHash {
  readonly hash: Hash;
  readonly size: number;
}

/** Returns the NAR hash and size of a tree on disk. Errors as `dumpPath`. */
export function hashTree(real: string): TreeHash {
  const hash = new NarHash();
  for (const chunk of dumpPath(real, { transient: true })) hash.add(chunk);
  return hash.result();
}

/** Returns the hash and size of a NAR that a store sends. Errors of the store. */
export async function hashNar(nar: NarChunks): Promise<TreeHash> {
  const hash = new NarHash();
  for await (const chunk of nar) hash.add(chunk);
  return hash.result();
}

class NarHash {
  readonly #hasher = createHasher("sha256");
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    this.#size += chunk.length;
  }

  result(): TreeHash {
    return { hash: { algorithm: "sha256", bytes: this.#hasher.digest() }, size: this.#size };
  }
}
