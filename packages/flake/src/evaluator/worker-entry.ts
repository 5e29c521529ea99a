/** The first file of the evaluator's thread: takes part in the compile cache of its process, then loads the thread proper. */
import { enableCompileCache } from "node:module";
import { workerData } from "node:worker_threads";
import type { WorkerInput } from "./protocol.ts";

const { compileCache, checkedHeap } = workerData as WorkerInput;
if (compileCache !== undefined) enableCompileCache(compileCache);
if (checkedHeap) Reflect.set(globalThis, Symbol.for("firn.checkedHeap"), true);
await import("./worker-main.ts");
