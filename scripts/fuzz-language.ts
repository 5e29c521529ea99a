/**
 * Feeds mutated programs to the lexer, the parser and the lowering: bytes flipped, pieces cut, doubled, spliced from
 * other cases, brackets and operators nested up to 100,000 deep. Whatever comes, the answer is a tree or an error of the
 * language: never an exception of JavaScript, a hang, or more than 1 GB.
 *
 *   node scripts/fuzz-language.ts [--seed N] [--count N] [--show INDEX]
 *
 * `--show` prints one input of a seed, for a closer look.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { randomFrom } from "./random.ts";

const corpus = fileURLToPath(new URL("../tests/language", import.meta.url));

/** What a run found. */
export interface FuzzReport {
  readonly seed: number;
  readonly count: number;
  /** Inputs that were programs. */
  readonly accepted: number;
  /** The first failure, with the number of its input. */
  readonly failure: { readonly index: number; readonly reason: string } | undefined;
}

interface Job {
  readonly fuzzSeed: number;
  readonly from: number;
  readonly to: number;
  readonly progress: SharedArrayBuffer;
}

/** One worker keeps every source it has seen: it is replaced after this many. */
const inputsPerWorker = 20_000;
const hangSeconds = 60;
const stackMegabytes = 256;
const heapMegabytes = 1024;

function readCorpus(directory: string): string[] {
  const texts: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) texts.push(...readCorpus(path));
    else if (entry.name.endsWith(".nix")) texts.push(readFileSync(path, "latin1"));
  }
  return texts;
}

const tokens =
  "if then else assert with let in rec inherit or ... == != <= >= && || -> // ++ |> <| ${ '' \" { } [ ] ( ) : ; . , @ ? = < > ! + - * / x 1 1.5 ./a ~/b <n> a:b /**/ # \n __curPos ''$ ''\\ \\ $$ $".split(
    " ",
  );
const nests: readonly (readonly [string, string])[] = [
  ["(", ")"],
  ["[", "]"],
  ["{a=", ";}"],
  ["x:", ""],
  ["{x}:", ""],
  ["{a?", "}:a"],
  ["!", ""],
  ["-", ""],
  ["1+", ""],
  ["1++", ""],
  ["1->", ""],
  ["a.b or ", ""],
  ['"${', '}"'],
  ["''${", "}''"],
  ["./a${", "}"],
  ["let a=", ";in a"],
  ["with a;", ""],
  ["assert a;", ""],
  ["if a then ", " else b"],
  ["if ", " then a else b"],
  ["rec{", "}"],
  ["f ", ""],
  ["a.", ""],
  ["{ inherit (", ") a; }"],
  ["let{body=", ";}"],
  ["/*", "*/"],
  ["{${", "}=1;}"],
];

/** The input of a seed with a number, a byte string. */
export function fuzzInput(seed: number, index: number, texts: readonly string[]): string {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  let text = pick(texts);
  for (let round = 1 + below(6); round > 0; round--) {
    const at = below(text.length + 1);
    const end = Math.min(text.length, at + below(40));
    switch (below(9)) {
      case 0:
        text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(end);
        break;
      case 2:
        text = text.slice(0, end) + text.slice(at);
        break;
      case 3: {
        const other = pick(texts);
        const from = below(other.length);
        text = text.slice(0, at) + other.slice(from, from + below(80)) + text.slice(at);
        break;
      }
      case 4:
      case 5:
        text = `${text.slice(0, at)} ${pick(tokens)} ${text.slice(at)}`;
        break;
      case 6:
        text = text.slice(0, at) + pick(tokens) + text.slice(at);
        break;
      case 7: {
        const [open, close] = pick(nests);
        const depth = 1 + below(5);
        text = text.slice(0, at) + open.repeat(depth) + text.slice(at, end) + close.repeat(depth) + text.slice(end);
        break;
      }
      default: {
        // Deep ones are rare: each costs as much as a thousand others.
        if (below(150) > 0) break;
        const [open, close] = pick(nests);
        const depth = 10 ** (1 + below(5));
        text = open.repeat(depth) + (below(2) === 0 ? "1" : text) + close.repeat(below(3) === 0 ? depth - 1 : depth);
      }
    }
  }
  return text;
}

async function work({ fuzzSeed, from, to, progress }: Job): Promise<void> {
  const { addSource } = await import("../packages/language/src/code/source.ts");
  const { lower } = await import("../packages/language/src/code/lower.ts");
  const { parseSource } = await import("../packages/language/src/syntax/parser.ts");
  const { EvaluationError } = await import("../packages/language/src/value/evaluation-error.ts");
  const counter = new Int32Array(progress);
  const texts = readCorpus(corpus);
  const parser = {
    pipes: true,
    pure: false,
    homeDirectory: () => "/home",
    warn: () => undefined,
    lint: () => undefined,
  };
  let accepted = 0;
  for (let index = from; index < to; index++) {
    Atomics.store(counter, 0, index);
    const source = addSource("string", "\xc2\xabfuzz\xc2\xbb", "/", fuzzInput(fuzzSeed, index, texts));
    try {
      const { expr } = parseSource(source, parser);
      lower(expr, { source, parser, isGlobal: () => true, lazy: false }, null);
      accepted++;
    } catch (error) {
      if (error instanceof EvaluationError) continue;
      const reason = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
      parentPort?.postMessage({ accepted, failure: { index, reason } });
      return;
    }
  }
  parentPort?.postMessage({ accepted, failure: undefined });
}

function runPart(job: Job): Promise<Pick<FuzzReport, "accepted" | "failure">> {
  const counter = new Int32Array(job.progress);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: job,
    resourceLimits: { stackSizeMb: stackMegabytes, maxOldGenerationSizeMb: heapMegabytes },
  });
  return new Promise((resolve) => {
    let last = -1;
    let waited = 0;
    const failed = (reason: string) => {
      clearInterval(watch);
      void worker.terminate();
      resolve({ accepted: 0, failure: { index: Atomics.load(counter, 0), reason } });
    };
    const watch = setInterval(() => {
      const now = Atomics.load(counter, 0);
      waited = now === last ? waited + 1 : 0;
      last = now;
      if (waited >= hangSeconds) failed(`no answer within ${hangSeconds} seconds`);
    }, 1000);
    worker.on("message", (message: Pick<FuzzReport, "accepted" | "failure">) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(message);
    });
    worker.on("error", (error: Error) => failed(`${error.name}: ${error.message}`));
  });
}

/** Runs `count` inputs of a seed and stops at the first failure. */
export async function fuzzLanguage(seed: number, count: number, report?: (done: number) => void): Promise<FuzzReport> {
  const progress = new SharedArrayBuffer(4);
  let accepted = 0;
  for (let from = 0; from < count; from += inputsPerWorker) {
    const to = Math.min(count, from + inputsPerWorker);
    const part = await runPart({ fuzzSeed: seed, from, to, progress });
    accepted += part.accepted;
    if (part.failure !== undefined) return { seed, count: part.failure.index + 1, accepted, failure: part.failure };
    report?.(to);
  }
  return { seed, count, accepted, failure: undefined };
}

if (isMainThread && import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, count: { type: "string", default: "20000" }, show: { type: "string" } },
  });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
  if (values.show !== undefined) {
    process.stdout.write(Buffer.from(fuzzInput(seed, Number(values.show), readCorpus(corpus)), "latin1"));
  } else {
    const done = await fuzzLanguage(seed, Number(values.count), (n) => void process.stderr.write(`\r${n}`));
    process.stderr.write("\n");
    process.stdout.write(`seed ${seed}: ${done.count} inputs, ${done.accepted} of them programs\n`);
    if (done.failure !== undefined) {
      process.stdout.write(`input ${done.failure.index} failed: ${done.failure.reason}\n`);
      process.exitCode = 1;
    }
  }
} else if (!isMainThread && typeof workerData === "object" && workerData !== null && "fuzzSeed" in workerData) {
  await work(workerData as Job);
}
