import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { hasErrorCode, hashTree, hashTrees } from "../index.ts";
import type { HashingWork, ThreadResult } from "./hash-trees.ts";

const directory = mkdtempSync(join(tmpdir(), "firn-hash-trees-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Enough trees for a second thread: files, directories and one that is missing. */
const reals = Array.from({ length: 600 }, (_, index) => join(directory, `tree-${index}`));
const missing = 333;
reals.forEach((real, index) => {
  if (index === missing) return;
  if (index % 50 !== 0) writeFileSync(real, `text ${index}`);
  else {
    mkdirSync(real);
    for (let i = 0; i < 20; i++) writeFileSync(join(real, `file-${i}`), Buffer.alloc(index * i, `${i}`));
  }
});

test("hashes of many trees come in their order, and what cannot be read is told in its place", async () => {
  let index = 0;
  for await (const found of hashTrees(reals.map((real, i) => ({ real, size: (i * 7) % 11 })))) {
    if (index === missing) expect("error" in found && hasErrorCode(found.error, "ENOENT")).toBe(true);
    else expect(found).toEqual(hashTree(reals[index]!));
    index++;
  }
  expect(index).toBe(reals.length);
});

test("who needs no more hashes need not take them all", async () => {
  for await (const found of hashTrees(reals.map((real) => ({ real, size: 1 })))) {
    expect(found).toEqual(hashTree(reals[0]!));
    break;
  }
});

test("another thread hashes what is left, and tells what it cannot read", async () => {
  const begun = 300;
  const taken = new Int32Array(new SharedArrayBuffer(4));
  taken[0] = begun;
  const workerData: HashingWork = { trees: reals, taken, compileCache: undefined, caseHack: false };
  const results: ThreadResult[] = [];
  await new Promise<void>((resolve, reject) => {
    new Worker(new URL("./hash-worker.ts", import.meta.url), { workerData })
      .on("message", (result: ThreadResult) => results.push(result))
      .on("error", reject)
      .on("exit", () => resolve());
  });
  const wanted = reals.flatMap((real, index): ThreadResult[] => {
    if (index < begun) return [];
    return [index === missing ? { index } : { index, found: hashTree(real) }];
  });
  expect(results).toEqual(wanted);
});
