/** A thread that hashes trees, one after another, until all are taken. */
import { enableCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { HashingWork, ThreadResult } from "./hash-trees.ts";

const { trees, taken, compileCache, caseHack } = workerData as HashingWork;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import("../node-hash.ts");
(await import("../fs/case-hack.ts")).useCaseHack(caseHack);
const { hashTree } = await import("./hash-tree.ts");
for (let index = Atomics.add(taken, 0, 1); index < trees.length; index = Atomics.add(taken, 0, 1)) {
  parentPort?.postMessage(resultOf(index, trees[index]!));
}

function resultOf(index: number, real: string): ThreadResult {
  try {
    return { index, found: hashTree(real) };
  } catch {
    return { index };
  }
}
