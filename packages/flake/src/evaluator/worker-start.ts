/**
 * Starts the evaluator's thread. That takes as long as loading a command, so commands that will evaluate have it started
 * first thing and tell it what to do when they know. Loads little but Node's own modules.
 */
import { totalmem } from "node:os";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { compileCacheDirectory, testVariable } from "@firn/store/surroundings";
import { lastRun, rememberRun, threadMark } from "../results/thread-marks.ts";
import { codeDirectory } from "./code-directory.ts";
import type { WorkerInput } from "./protocol.ts";

/** A thread that waits for its first message, and the means to answer its calls. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly replies: MessagePort;
  readonly signal: Int32Array;
  /** Returns the error with which the thread has failed so far. */
  failure(): Error | undefined;
}

const stackMegabytes = 256;
// Values are no objects of the engine: what it makes beside them is little and short-lived.
const youngMegabytes = 24;

export { codeDirectory };

/** Tells whether evaluators check each access to the heap, which needs a thread whose modules are not loaded yet. */
export function isHeapChecked(): boolean {
  return testVariable("_FIRN_CHECKED_HEAP") !== undefined;
}

let prepared: StartedWorker | undefined;
/** The file that stands for this command line where the last run is remembered. */
let mark: string | undefined;
let needed = false;
let wasLong = false;
/** The time that evaluators waited for their threads, and from how much on that is long: more than a thread takes to start. */
let worked = 0;
const longFrom = 250;

// No flag of the engine is set here: the code that Node and the compile cache keep is for the flags it was compiled with, and a thread
// that has to compile its modules takes twice as long to start.
function start(): StartedWorker {
  const channel = new MessageChannel();
  const signal = new SharedArrayBuffer(8);
  const input: WorkerInput = {
    signal,
    replies: channel.port2,
    compileCache: compileCacheDirectory(),
    checkedHeap: isHeapChecked(),
  };
  const worker = new Worker(new URL("./worker-entry.ts", import.meta.url), {
    workerData: input,
    transferList: [channel.port2],
    resourceLimits: {
      stackSizeMb: stackMegabytes,
      maxYoungGenerationSizeMb: youngMegabytes,
      maxOldGenerationSizeMb: Math.floor(totalmem() / 1048576),
    },
  });
  worker.unref();
  // A thread that was started ahead may fail before anybody waits for it.
  let failure: Error | undefined;
  worker.once("error", (error: Error) => {
    failure = error;
  });
  return { worker, replies: channel.port1, signal: new Int32Array(signal), failure: () => failure };
}

/**
 * Starts a thread for the next evaluator, unless the last run of this command line in this directory did without. A process that ends
 * without using it ends the thread too.
 */
export function prepareWorker(codeDirectory: string | undefined, words: readonly string[], cwd: string): void {
  mark = codeDirectory === undefined ? undefined : threadMark(codeDirectory, words, cwd);
  const last = mark === undefined ? undefined : lastRun(mark);
  wasLong = last === "long";
  if (last !== "without") prepared ??= start();
}

/** Tells whether the last run of this command line was a long one in the thread: nothing is tried before it then. */
export function lastRunWasLong(): boolean {
  return wasLong;
}

/** Remembers for the next run of this command line whether an evaluator of it needed the thread, and how long it was at work. */
export function rememberWorker(byOne: boolean, milliseconds: number): void {
  needed ||= byOne;
  worked += milliseconds;
  if (mark !== undefined) rememberRun(mark, !needed ? "without" : worked >= longFrom ? "long" : undefined);
}

/** Returns the prepared thread, or a new one. */
export function takeWorker(): StartedWorker {
  const worker = prepared ?? start();
  prepared = undefined;
  return worker;
}
