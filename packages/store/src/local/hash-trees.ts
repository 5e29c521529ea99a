/** The NAR hashes of many trees, taken by as many threads as the machine has processors. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { usesCaseHack } from "../fs/case-hack.ts";
import { compileCacheDirectory } from "../surroundings.ts";
import { hashTree, type TreeHash } from "./hash-tree.ts";

/** A tree to hash: its place on disk, and how large its NAR will be as far as is known. */
export interface TreeToHash {
  readonly real: string;
  readonly size: number;
}

/** The hash of a tree, or the error that kept it from being read. */
export type HashedTree = TreeHash | { readonly error: unknown };

/** The input of a thread: the trees in the order of work, and the number of those that are taken. */
export interface HashingWork {
  readonly trees: readonly string[];
  readonly taken: Int32Array;
  readonly compileCache: string | undefined;
  readonly caseHack: boolean;
}

/** The result of a thread for the tree at this place in the order of work; without a hash, the tree could not be read. */
export interface ThreadResult {
  readonly index: number;
  readonly found?: TreeHash;
}

/** Work that takes a second thread less time than it needs to start: bytes, and trees. */
const alone = { bytes: 1 << 24, trees: 500 };
const MAX_THREADS = 8;

/** Yields the hashes of trees in their order. The largest are taken first, so that none is left to one thread at the end. */
export async function* hashTrees(trees: readonly TreeToHash[]): AsyncGenerator<HashedTree, void, undefined> {
  const order = [...trees.keys()].sort((a, b) => trees[b]!.size - trees[a]!.size);
  const work = order.map((index) => trees[index]!.real);
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const found = new Map<number, HashedTree>();
  let arrived = (): void => {};
  let failed = false;
  const threads = startThreads(trees, {
    trees: work,
    taken,
    compileCache: compileCacheDirectory(),
    caseHack: usesCaseHack(),
  });
  for (const thread of threads) {
    thread.on("message", ({ index, found: hash }: ThreadResult) => {
      // Errors do not travel between threads: what one could not read is read again here.
      found.set(order[index]!, hash ?? attempt(work[index]!));
      arrived();
    });
    thread.on("error", () => {
      failed = true;
      arrived();
    });
  }
  try {
    for (const [index, tree] of trees.entries()) {
      for (let hash = found.get(index); ; hash = found.get(index)) {
        if (hash !== undefined) {
          yield hash;
          found.delete(index);
          break;
        }
        const mine = Atomics.add(taken, 0, 1);
        const real = work[mine];
        if (real !== undefined) {
          found.set(order[mine]!, attempt(real));
          await new Promise(setImmediate);
        } else if (failed) found.set(index, attempt(tree.real));
        else {
          await new Promise<void>((resolve) => {
            arrived = resolve;
          });
        }
      }
    }
  } finally {
    Atomics.store(taken, 0, work.length);
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function startThreads(trees: readonly TreeToHash[], workerData: HashingWork): Worker[] {
  const bytes = trees.reduce((sum, { size }) => sum + size, 0);
  if (trees.length < 2 || (bytes < alone.bytes && trees.length < alone.trees)) return [];
  const count = Math.min(availableParallelism(), MAX_THREADS, trees.length) - 1;
  return Array.from({ length: count }, () => new Worker(new URL("./hash-worker.ts", import.meta.url), { workerData }));
}

function attempt(real: string): HashedTree {
  try {
    return hashTree(real);
  } catch (error) {
    return { error };
  }
}
