/**
 * Feeds changed bytes to the readers of formats that strangers write. Whatever comes, the answer is a value or a `FirnError`: never an
 * exception of JavaScript, a hang, or memory by an announced length.
 *
 *   node scripts/fuzz-bytes.ts [--format NAME] [--seed N] [--count N] [--from INDEX] [--show INDEX]
 *
 * Without `--format` all formats are fed. `--show` prints one input of a seed, for a closer look.
 */
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { byteFormats, fuzzInput, outcomeOf, removeScratch } from "../tests/hostile/byte-fuzz.ts";

/** What a run found: how many inputs there were and were good, and the first failure, with the number of its input. */
export interface ByteFuzzReport {
  readonly count: number;
  readonly accepted: number;
  readonly failure: { readonly index: number; readonly reason: string } | undefined;
}

interface Job {
  readonly format: string;
  readonly fuzzSeed: number;
  readonly from: number;
  readonly to: number;
  readonly progress: SharedArrayBuffer;
}

/** A worker is replaced after this many: the language keeps every source that it has seen. */
const inputsPerWorker = 100_000;
const hangSeconds = 60;
const heapMegabytes = 512;

async function work({ format, fuzzSeed, from, to, progress }: Job): Promise<void> {
  const counter = new Int32Array(progress);
  const chosen = byteFormats[format]!;
  let accepted = 0;
  for (let index = from; index < to; index++) {
    Atomics.store(counter, 0, index);
    const outcome = await outcomeOf(chosen, fuzzInput(chosen, fuzzSeed, index));
    if (outcome === "accepted") accepted++;
    if (typeof outcome === "string") continue;
    removeScratch();
    parentPort?.postMessage({ accepted, failure: { index, reason: outcome.failure } });
    return;
  }
  removeScratch();
  parentPort?.postMessage({ accepted, failure: undefined });
}

function runPart(job: Job): Promise<Omit<ByteFuzzReport, "count">> {
  const counter = new Int32Array(job.progress);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  return new Promise((resolve) => {
    let last = -1;
    let waited = 0;
    const done = (found: Omit<ByteFuzzReport, "count">): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve(found);
    };
    const failed = (reason: string): void =>
      done({ accepted: 0, failure: { index: Atomics.load(counter, 0), reason } });
    const watch = setInterval(() => {
      const now = Atomics.load(counter, 0);
      waited = now === last ? waited + 1 : 0;
      last = now;
      if (waited >= hangSeconds) failed(`no answer within ${hangSeconds} seconds`);
    }, 1000);
    worker.on("message", done);
    worker.on("error", (error: Error) => failed(`${error.name}: ${error.message}`));
  });
}

/** Runs inputs of a format and a seed, and stops at the first failure. */
export async function fuzzBytes(
  format: string,
  run: { readonly seed: number; readonly count: number; readonly from?: number },
): Promise<ByteFuzzReport> {
  const progress = new SharedArrayBuffer(4);
  const first = run.from ?? 0;
  let accepted = 0;
  for (let from = first; from < first + run.count; from += inputsPerWorker) {
    const to = Math.min(first + run.count, from + inputsPerWorker);
    const part = await runPart({ format, fuzzSeed: run.seed, from, to, progress });
    accepted += part.accepted;
    if (part.failure !== undefined) return { count: part.failure.index - first + 1, accepted, failure: part.failure };
  }
  return { count: run.count, accepted, failure: undefined };
}

if (isMainThread && import.meta.main) {
  const { values } = parseArgs({
    options: {
      format: { type: "string" },
      seed: { type: "string" },
      count: { type: "string", default: "50000" },
      from: { type: "string", default: "0" },
      show: { type: "string" },
    },
  });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
  const names = values.format === undefined ? Object.keys(byteFormats) : [values.format];
  for (const name of names) {
    const format = byteFormats[name];
    if (format === undefined) throw new Error(`no format '${name}'; there are ${Object.keys(byteFormats).join(", ")}`);
    if (values.show !== undefined) {
      process.stdout.write(fuzzInput(format, seed, Number(values.show)));
      continue;
    }
    const started = performance.now();
    const { count, accepted, failure } = await fuzzBytes(name, {
      seed,
      count: Number(values.count),
      from: Number(values.from),
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${name}: seed ${seed}, ${count} inputs, ${accepted} of them good, in ${seconds} s\n`);
    if (failure !== undefined) {
      process.stdout.write(`input ${failure.index} failed: ${failure.reason}\n`);
      process.exitCode = 1;
    }
  }
} else if (!isMainThread && typeof workerData === "object" && workerData !== null && "fuzzSeed" in workerData) {
  await work(workerData as Job);
}
