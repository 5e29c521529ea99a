/**
 * Starts the evaluator's thread. That takes as long as loading a command, so commands that will evaluate have it started
 * first thing and tell it what to do when they know. Loads nothing but Node's own modules.
 */
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";

/** A thread that waits for its first message, and how to answer its calls. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly replies: MessagePort;
  readonly signal: Int32Array;
}

const stackMegabytes = 256;
const youngMegabytes = 96;

let prepared: StartedWorker | undefined;

/** Engine flags have to be set before the worker starts. The old generation grows freely at first: marking it early is wasted. */
function tuneEngine(): void {
  const megabytes = Math.floor(totalmem() / 1048576);
  const initial = Math.min(3000, Math.floor(megabytes / 4));
  setFlagsFromString(`--initial-old-space-size=${initial}`);
  // Most of an evaluation is cold code: the last compiler is worth its time for the interpreter's loop only (measured: a
  // system evaluates with a tenth less CPU so, and fib 32 with half of what it needs without).
  setFlagsFromString("--turbo-filter=ev");
  setFlagsFromString("--invocation-count-for-turbofan=100000");
  // From small to large in few steps: starting large costs 45 ms, and nearly all objects of a longer evaluation stay.
  setFlagsFromString("--semi-space-growth-factor=4");
}

function start(): StartedWorker {
  tuneEngine();
  const channel = new MessageChannel();
  const signal = new SharedArrayBuffer(8);
  const worker = new Worker(new URL("./worker-main.ts", import.meta.url), {
    workerData: { signal, replies: channel.port2 },
    transferList: [channel.port2],
    resourceLimits: {
      stackSizeMb: stackMegabytes,
      maxYoungGenerationSizeMb: youngMegabytes,
      maxOldGenerationSizeMb: Math.floor(totalmem() / 1048576),
    },
  });
  worker.unref();
  return { worker, replies: channel.port1, signal: new Int32Array(signal) };
}

/** Has a thread started that the next evaluator takes. A process that ends without one ends it too. */
export function prepareWorker(): void {
  prepared ??= start();
}

/** The prepared thread, or a new one. */
export function takeWorker(): StartedWorker {
  const worker = prepared ?? start();
  prepared = undefined;
  return worker;
}
