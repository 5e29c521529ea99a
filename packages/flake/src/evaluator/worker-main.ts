/** The evaluator's thread: answers requests one after the other and keeps the heap between them. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { FirnError } from "@firn/formats";
import { Debugger, type DerivationRequest, type StopAnswer, type StopReason } from "@firn/language";
import { fromErrorData, toErrorData } from "./error-data.ts";
import { openSession } from "./open-session.ts";
import type { TreeFacts } from "./placed-trees.ts";
import type {
  DebuggerStop,
  ErrorData,
  FromWorker,
  ServiceCall,
  ServiceReply,
  ToWorker,
  WorkerInput,
  WorkerSetup,
} from "./protocol.ts";
import { ReadRecorder } from "./read-recorder.ts";
import type { AddPathServiceRequest, SyncServices } from "./services.ts";
import type { EvaluatorSession } from "./session.ts";
import { includedPaths } from "./tree-filter.ts";
import { tuneForLongEvaluation } from "./tune-engine.ts";

// Frames come from the evaluator itself; the engine's are costly to gather.
Error.stackTraceLimit = 0;

const input = workerData as WorkerInput;
const port = parentPort!;
const signal = new Int32Array(input.signal);

function interrupted(): boolean {
  return Atomics.load(signal, 1) !== 0;
}

function send(message: FromWorker): void {
  port.postMessage(message);
}

let lastCall = 0;

function post(method: ServiceCall["method"], args: readonly unknown[]): number {
  const id = ++lastCall;
  send({ kind: "service", call: { id, method, args } });
  return id;
}

/** Calls the main thread and sleeps until it has answered, or until the evaluation is to stop. */
function ask(method: ServiceCall["method"], ...args: readonly unknown[]): unknown {
  if (!independent.has(method)) settle();
  const id = post(method, args);
  for (;;) {
    const reply = nextReply(id, method);
    if (reply.id !== id) continue;
    if ("error" in reply) throw fromErrorData(reply.error);
    return reply.value;
  }
}

/** Sleeps on behalf of one call and returns the next answer to any call. */
function nextReply(id: number, method: ServiceCall["method"]): Exclude<ServiceReply, { readonly nested: ToWorker }> {
  for (;;) {
    Atomics.store(signal, 0, 0);
    // A stop of the debugger lasts until the user says so; what is evaluated meanwhile can be interrupted.
    if (method !== "stop" && interrupted()) {
      send({ kind: "abandoned", id });
      throw new FirnError("interrupted", "interrupted by the user");
    }
    const received = receiveMessageOnPort(input.replies);
    if (received === undefined) {
      Atomics.wait(signal, 0, 0, 1000);
      continue;
    }
    const reply = received.message as ServiceReply;
    if ("nested" in reply) answer(reply.nested, true);
    else {
      if (reply.id === writing) endWriting("error" in reply ? reply.error : undefined);
      return reply;
    }
  }
}

// ---- derivations, which are written while the evaluation goes on: their paths are known before

/** Least number of derivations that are written together, unless something waits for them. */
const BATCH = 64;
/** Limit of pending derivations. */
const MAX_PENDING = 1024;
/** Calls that need no derivation in the store. */
const independent: ReadonlySet<ServiceCall["method"]> = new Set(["addPath", "addText", "obtainTree"]);

let pending: DerivationRequest[] = [];
/** Id of the call that writes the earlier derivations. */
let writing: number | undefined;
let writingError: FirnError | undefined;

function writeDerivation(request: DerivationRequest): void {
  pending.push(request);
  if (pending.length % BATCH !== 0) return;
  // Something has come: it may be the answer.
  if (pending.length >= MAX_PENDING || Atomics.load(signal, 0) !== 0) waitForWriting();
  if (writing === undefined) beginWriting();
}

function beginWriting(): void {
  writing = post("writeDerivations", [pending]);
  pending = [];
}

function endWriting(error: ErrorData | undefined): void {
  writing = undefined;
  if (error !== undefined) writingError = fromErrorData(error);
}

function waitForWriting(): void {
  while (writing !== undefined) nextReply(writing, "writeDerivations");
  const error = writingError;
  writingError = undefined;
  if (error !== undefined) throw error;
}

function settle(): void {
  waitForWriting();
  if (pending.length === 0) return;
  beginWriting();
  waitForWriting();
}

/** Runs `work`; whether it fails or not, the derivations that it made are in the store afterwards. */
function settled<T>(work: () => T): T {
  try {
    return work();
  } finally {
    settle();
  }
}

const forwarding: SyncServices = {
  addPath({ filter, onDisk, narHash: _, ...request }) {
    const forwarded: AddPathServiceRequest =
      filter === undefined ? request : { ...request, include: includedPaths(request.path, filter, onDisk) };
    return ask("addPath", forwarded) as string;
  },
  addText: (name, contents, references) => ask("addText", name, contents, references) as string,
  writeDerivation,
  settle,
  readDerivation: (drvPath) => ask("readDerivation", drvPath) as string,
  realise: (elements) => ask("realise", elements) as ReadonlyMap<string, string>,
  ensurePath: (path) => void ask("ensurePath", path),
  queryPath: (path) => ask("queryPath", path) as ReturnType<SyncServices["queryPath"]>,
  fetch: (request) => ask("fetch", request) as ReturnType<SyncServices["fetch"]>,
  resolveSearchPathUrl: (url) => ask("resolveSearchPathUrl", url) as string | undefined,
  getFlake: (reference) => ask("getFlake", reference) as number,
  obtainTree: (standIn) => ask("obtainTree", standIn) as TreeFacts,
};

function askHowToGoOn(reason: StopReason): StopAnswer {
  const stop: DebuggerStop = reason.kind === "error" ? { ...reason, error: shownError(reason.error) } : reason;
  return ask("stop", stop) as StopAnswer;
}

function open(setup: WorkerSetup): EvaluatorSession {
  const debugging = setup.config.debugger;
  const recording = setup.records === true ? new ReadRecorder() : undefined;
  recorder = recording;
  return openSession(setup, {
    services: forwarding,
    report: (message) => send({ kind: "report", message }),
    interrupted,
    readAhead: (request) => send({ kind: "readAhead", request }),
    whenLong: tuneForLongEvaluation,
    ...(recording === undefined ? {} : { limit: (host, trees) => recording.record(host, trees) }),
    ...(debugging === undefined ? {} : { debugger: new Debugger({ ...debugging, stop: askHowToGoOn }) }),
  });
}

function shownError(error: unknown): ErrorData {
  return session === undefined ? toErrorData(error) : session.errorData(error);
}

let session: EvaluatorSession | undefined;
let recorder: ReadRecorder | undefined;

/** Answers a request; what was read for a nested one belongs to the request that waits for it. */
function answer({ id, request }: ToWorker, nested = false): void {
  try {
    if (unfit !== undefined) throw unfit;
    const value = settled(() => session!.answer(request));
    send({ kind: "response", id, value, ...(nested || recorder === undefined ? {} : { reads: recorder.take() }) });
  } catch (error) {
    send({ kind: "failure", id, error: shownError(error) });
  }
}

/** The error with which an image could not be taken. */
let unfit: unknown;

port.on("message", (message: WorkerSetup | ToWorker) => {
  if (!("config" in message)) {
    answer(message);
    return;
  }
  try {
    session = open(message);
  } catch (error) {
    if (message.images?.load === undefined) throw error;
    unfit = error;
  }
});
