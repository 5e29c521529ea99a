/** The main thread's side of the evaluator: starts the worker, sends requests, answers its host calls. */
import { AsyncLocalStorage } from "node:async_hooks";
import { FirnError } from "@firn/formats";
import type { EvalMessage, ImageApplication, StopAnswer } from "@firn/language";
import { hasErrorCode, machineError } from "@firn/store";
import type { KeptAnswer, KeptResults } from "../results/kept-results.ts";
import { writeProfile } from "../results/write-profile.ts";
import { fromErrorData, toErrorData } from "./error-data.ts";
import type { ReadAheadRequest } from "./files-ahead.ts";
import type { HostConfig } from "./node-host.ts";
import type {
  DebuggerStop,
  FromWorker,
  ImageUse,
  Request,
  Responses,
  ServiceCall,
  ServiceReply,
  WorkerSetup,
} from "./protocol.ts";
import type { Reading } from "./read-ahead.ts";
import type { Reads } from "./reads.ts";
import type { HostServices } from "./services.ts";
import { type SmallAnswer, SmallEvaluation } from "./small-evaluation.ts";
import { isHeapChecked, lastRunWasLong, rememberWorker, type StartedWorker, takeWorker } from "./worker-start.ts";

/** Options of an evaluator in a worker thread. */
export interface EvaluatorClientOptions {
  readonly config: HostConfig;
  /** The services that answer host calls; without them the evaluation has no store. */
  readonly services?: HostServices;
  /** Receives the messages of the evaluation, traces and warnings, in order. */
  readonly report: (message: EvalMessage) => void;
  /** Called when the debugger has stopped; resolves to the way to continue and may send requests before. */
  readonly onStop?: (stop: DebuggerStop) => Promise<StopAnswer>;
  /** True to add the builtins that only flake evaluation may use. */
  readonly flakes?: boolean;
  /** Answers of earlier evaluations, which are used and added to. */
  readonly results?: KeptResults;
  /** Images of earlier evaluations, where they are used. */
  readonly images?: ImagesOfEvaluation;
}

/** An image that is still what the evaluation would make, with what was read for it. */
export interface WantedImage {
  readonly file: string;
  readonly identity: string;
  readonly reads: Reads;
}

/** The images that an evaluation may use and have made. */
export interface ImagesOfEvaluation {
  readonly use: Pick<ImageUse, "from" | "makes">;
  /** Returns the image to begin with, if there is one. */
  wanted(): Promise<WantedImage | undefined>;
  /** Hears why the evaluation has begun anew without the image; `isInVain` is true when it would do so each time. */
  left(reason: string, isInVain: boolean): void;
  /** Hears that the evaluation has ended with the image that it began with. */
  used(): void;
  /** Takes what the evaluation found to be worth an image, and the milliseconds that it took. */
  found(application: ImageApplication, took: number): Promise<void>;
}

interface Pending {
  readonly request: Request;
  resolve(value: unknown): void;
  reject(error: FirnError): void;
  /** The time in milliseconds at which the request was sent. */
  readonly since: number;
  /** The key under which the answer may be kept. */
  readonly key?: string;
}

/** An answered request, with its key and answer where answers are kept. */
interface Answered {
  readonly request: Request;
  readonly key: string | undefined;
  readonly value: unknown;
}

/** Set while a service call is answered: requests that come of it go to the worker that waits for the answer. */
const answering = new AsyncLocalStorage<true>();

/** A session in a worker thread. Requests are answered in order; values live until released or closed. */
export class EvaluatorClient {
  /** The thread, from the first request on that it gets. */
  private thread: StartedWorker | undefined;
  private setup: WorkerSetup;
  private readonly options: EvaluatorClientOptions;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  /** Milliseconds for which requests waited for their answers. */
  private worked = 0;
  /** Ids of the service calls that the worker waits for. */
  private readonly serving = new Set<number>();
  /** Number of requests that wait for the debugger's user. */
  private standing = 0;
  private failure: FirnError | undefined;
  private reading: Reading | undefined;
  /** True until the evaluation in this thread declines a request. */
  private maySmall: boolean;
  /** The evaluation in this thread, from the first request on that has no kept answer. */
  private small: Promise<SmallEvaluation> | undefined;
  /** Requests that were answered in this thread. */
  private readonly answered: Answered[] = [];
  /** Ids of the answered requests that the worker has yet to repeat; it reports again what was reported before. */
  private readonly repeated = new Map<number, Answered>();
  /** True once the worker has got a request. */
  private working = false;
  private turn: Promise<unknown> = Promise.resolve();
  /** The image with which the thread has begun, as long as it is in use. */
  private image: WantedImage | undefined;
  /** True once the reads of the image are among those of an answer. */
  private imageIsRecorded = false;
  /** Messages of the request at work, while an image is in use. */
  private held: EvalMessage[] = [];

  constructor(options: EvaluatorClientOptions) {
    this.options = options;
    this.setup = {
      config: options.config,
      services: options.services !== undefined,
      flakes: options.flakes ?? false,
      records: options.results !== undefined,
    };
    this.maySmall = options.config.debugger === undefined && options.config.calls === undefined && !isHeapChecked();
  }

  /** Returns the thread, started when it is needed first. */
  private started(): StartedWorker {
    if (this.thread !== undefined) return this.thread;
    const thread = takeWorker();
    this.thread = thread;
    thread.worker.postMessage(this.setup);
    thread.worker.on("message", (message: FromWorker) => this.receive(message));
    thread.worker.on("error", (error) => this.fail(error));
    thread.worker.on("exit", () => this.fail(new Error("the evaluator has stopped")));
    const failed = thread.failure();
    if (failed !== undefined) this.fail(failed);
    return thread;
  }

  private fail(error: Error): void {
    this.failure ??= hasErrorCode(error, "ERR_WORKER_INIT_FAILED")
      ? new FirnError("evaluator-stopped", `the evaluator's thread cannot start: ${error.message}`, {
          cause: error,
          hint: "raise the limits of open files, processes and memory, e.g. with 'ulimit -n 4096'",
        })
      : new FirnError("evaluator-stopped", `the evaluator stopped: ${error.message}`, { cause: error });
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
    this.reading?.stop();
    this.thread?.worker.unref();
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case "report":
        // With an image it may have to be evaluated again.
        if (this.image === undefined) this.report(message.message);
        else this.held.push(message.message);
        return;
      case "service":
        void this.serve(message.call);
        return;
      case "readAhead":
        void this.readAhead(message.request);
        return;
      case "abandoned":
        this.serving.delete(message.id);
        return;
      case "response":
        this.respond(message);
        return;
      case "failure":
        if (this.image !== undefined && message.error.code !== "interrupted") {
          if (message.error.code === "internal") this.leaveImage(message.error.message, true);
          else this.leaveImage("errors are told as without one");
          return;
        }
        this.releaseHeld();
        if (this.repeated.delete(message.id)) this.fail(fromErrorData(message.error));
        this.settle(message.id)?.reject(fromErrorData(message.error));
    }
  }

  private report(message: EvalMessage): void {
    this.options.results?.message(message);
    if (this.repeated.size === 0) this.options.report(message);
  }

  private releaseHeld(): void {
    for (const message of this.held.splice(0)) this.report(message);
  }

  /** Begins anew without the image: all requests are made again, in a new thread. */
  private leaveImage(reason: string, isInVain = false): void {
    this.options.images?.left(reason, isInVain);
    const { thread } = this;
    this.image = undefined;
    this.held = [];
    this.setup = { ...this.setup, images: { ...this.options.images?.use } };
    const waiting = [...this.pending].filter(([id]) => !this.repeated.has(id)).map(([, pending]) => pending);
    this.pending.clear();
    this.repeated.clear();
    this.serving.clear();
    this.thread = undefined;
    thread?.worker.removeAllListeners();
    thread?.replies.close();
    void thread?.worker.terminate();
    this.repeatAnswered();
    for (const { request, resolve, reject, key } of waiting) this.post(request, key).then(resolve, reject);
  }

  private respond({ id, value, reads: own }: FromWorker & { readonly kind: "response" }): void {
    this.releaseHeld();
    const before = this.repeated.get(id);
    this.repeated.delete(id);
    const pending = this.settle(id);
    let reads = own;
    if (this.image !== undefined && pending !== undefined) {
      if (before === undefined) this.answered.push({ request: pending.request, key: pending.key, value });
      if (!this.imageIsRecorded && reads !== undefined && pending.key !== undefined) {
        reads = joinedReads(reads, this.image.reads);
        this.imageIsRecorded = true;
      }
    }
    if (pending?.key !== undefined) {
      this.options.results?.record(pending.key, { value, reads, took: performance.now() - pending.since });
    }
    // Handles that were given out must mean the same values in the worker.
    if (before !== undefined && typeof before.value === "number" && before.value !== value) {
      this.fail(new Error("the evaluation changed while it was read"));
    }
    pending?.resolve(value);
  }

  private async readAhead(request: ReadAheadRequest): Promise<void> {
    const { readAhead } = await import("./read-ahead.ts");
    if (this.failure === undefined) this.reading = readAhead(request);
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending !== undefined) this.worked += performance.now() - pending.since;
    if (this.thread === undefined) return pending;
    if (this.pending.size === 0) this.thread.worker.unref();
    if (this.pending.size <= this.standing) Atomics.store(this.thread.signal, 1, 0);
    return pending;
  }

  private async serve(call: ServiceCall): Promise<void> {
    let reply: ServiceReply;
    const { id, method } = call;
    const { thread } = this;
    // Requests within requests are not made again.
    if (method === "getFlake" && this.image !== undefined) {
      this.leaveImage("a flake was asked for");
      return;
    }
    // The worker goes on while derivations are written.
    const awaited = method !== "writeDerivations";
    if (awaited) this.serving.add(id);
    try {
      const value = await answering.run(true, () => this.callService(call));
      this.options.results?.served(call, value);
      reply = { id, value };
    } catch (error) {
      reply = { id, error: toErrorData(machineError(error) ?? error) };
    }
    if (this.thread === thread && (!awaited || this.serving.delete(id))) this.wake(reply);
  }

  private wake(reply: ServiceReply): void {
    const { replies, signal } = this.started();
    replies.postMessage(reply);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  private async callService({ method, args }: ServiceCall): Promise<unknown> {
    if (method === "stop") return this.stopped(args[0] as DebuggerStop);
    const services = this.options.services;
    if (services === undefined) throw new FirnError("no-services", `nothing answers '${method}'`);
    // The worker's own forwarding code made the arguments.
    const handler = services[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return handler.apply(services, [...args]);
  }

  private async stopped(stop: DebuggerStop): Promise<StopAnswer> {
    const before = this.standing;
    this.standing = this.pending.size;
    try {
      return (await this.options.onStop?.(stop)) ?? "continue";
    } finally {
      this.standing = before;
    }
  }

  /** Sends a request and resolves to its answer; rejects with the FirnError of a failed evaluation. */
  request<R extends Request>(request: R): Promise<Responses[R["op"]]> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (answering.getStore() === true || (!this.maySmall && this.options.results === undefined)) {
      return this.post(request);
    }
    // In an object, so that only the turn is waited for and not the answer.
    const taken = this.turn.then(async () => ({ answer: await this.take(request) }));
    this.turn = taken.catch(() => undefined);
    return taken.then(({ answer }) => answer.response);
  }

  private async take<R extends Request>(request: R): Promise<{ readonly response: Promise<Responses[R["op"]]> }> {
    const key = this.options.results?.takes(request) === true ? this.options.results.next(request) : undefined;
    // Values of kept answers exist nowhere yet.
    if (request.op === "release" && !this.working && !this.maySmall) {
      return { response: Promise.resolve(null as Responses[R["op"]]) };
    }
    const answer = this.working ? undefined : ((await this.keptAnswer(key)) ?? (await this.smallAnswer(request)));
    if (answer !== undefined) {
      for (const message of answer.messages) this.options.report(message);
      this.answered.push({ request, key, value: answer.value });
      // A request is answered with the response of its kind, also when that was kept.
      return { response: Promise.resolve(answer.value as Responses[R["op"]]) };
    }
    if (!this.working) await this.beginAnew(request);
    if (this.image !== undefined && !fitsImages.has(request.op)) this.leaveImage("an image could be seen");
    if (this.failure !== undefined) return { response: Promise.reject(this.failure) };
    const response = this.post(request, key);
    // Where answers are kept the order of requests is the same each time, so each is answered before the next one is sent.
    if (this.options.results !== undefined) await response.catch(() => undefined);
    return { response };
  }

  private async keptAnswer(key: string | undefined): Promise<KeptAnswer | undefined> {
    if (key === undefined || this.failure !== undefined) return undefined;
    const answer = await this.options.results?.answer(key);
    // The small evaluation does not know the values of kept answers.
    if (answer !== undefined) this.maySmall = false;
    return answer;
  }

  private async smallAnswer(request: Request): Promise<SmallAnswer | undefined> {
    if (!this.maySmall || this.failure !== undefined || lastRunWasLong()) return undefined;
    this.small ??= SmallEvaluation.open(this.setup);
    return (await this.small).answer(request);
  }

  /** Leaves all further work to the worker, which first repeats the requests answered in this thread. */
  private async beginAnew(request: Request): Promise<void> {
    this.maySmall = false;
    const { images } = this.options;
    if (images !== undefined && this.thread === undefined) {
      this.image = fitsImages.has(request.op) ? await images.wanted() : undefined;
      const load = this.image === undefined ? {} : { load: this.image };
      this.setup = { ...this.setup, images: { ...images.use, ...load } };
    }
    this.working = true;
    this.repeatAnswered();
  }

  private repeatAnswered(): void {
    for (const answered of this.answered) {
      this.repeated.set(this.nextId, answered);
      // A failure ends the session, and the request that it was repeated for.
      this.post(answered.request, answered.key).catch(() => undefined);
    }
  }

  private post<R extends Request>(request: R, key?: string): Promise<Responses[R["op"]]> {
    const id = this.nextId++;
    const { worker } = this.started();
    if (this.failure !== undefined) return Promise.reject(this.failure);
    worker.ref();
    return new Promise((resolve, reject) => {
      this.pending.set(id, {
        request,
        // The worker answers each request with the response of its kind.
        resolve: (value) => resolve(value as Responses[R["op"]]),
        reject,
        since: performance.now(),
        ...(key === undefined ? {} : { key }),
      });
      // A worker that waits for a service reads only the reply port.
      if (this.serving.size > 0) this.wake({ nested: { id, request } });
      else worker.postMessage({ id, request });
    });
  }

  /** Stops the current evaluation: requests in progress fail with `interrupted`, later ones are answered. */
  pause(): void {
    if (this.pending.size <= this.standing) return;
    if (this.thread === undefined) return;
    const { signal } = this.thread;
    Atomics.store(signal, 1, 1);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  /** Stops the evaluation for good; every request, now and later, fails with `interrupted`. */
  async interrupt(): Promise<void> {
    this.failure ??= new FirnError("interrupted", "interrupted by the user");
    await this.thread?.worker.terminate();
  }

  /** Ends the session and its thread; lowered code is kept for the next one. */
  async close(): Promise<void> {
    await this.tellOfApplication();
    if (this.failure === undefined && this.working && this.options.config.codeDirectory !== undefined) {
      await this.request({ op: "keepCode" });
    }
    const profile = this.options.config.calls?.profile;
    if (profile !== undefined && this.failure === undefined && this.thread !== undefined) {
      writeProfile(profile.file, await this.request({ op: "profile" }));
    }
    this.failure ??= new FirnError("evaluator-stopped", "the evaluator was closed");
    rememberWorker(this.thread !== undefined, this.image === undefined ? this.worked : Number.POSITIVE_INFINITY);
    this.thread?.replies.close();
    await Promise.all([this.thread?.worker.terminate(), this.options.results?.close()]);
  }

  /** Tells what an image is worth its time for. */
  private async tellOfApplication(): Promise<void> {
    const { images } = this.options;
    if (images === undefined || images.use.makes === true || this.failure !== undefined || !this.working) return;
    const took = this.worked;
    if (this.image !== undefined) images.used();
    const application = await this.request({ op: "findApplication" }).catch(() => null);
    if (application !== null) await images.found(application, took);
  }
}

/** Requests whose answers do not depend on what was evaluated before; others are answered without an image. */
const fitsImages: ReadonlySet<Request["op"]> = new Set([
  "evaluate",
  "computedAttributes",
  "data",
  "autoCall",
  "select",
  "attribute",
  "attrNames",
  "length",
  "element",
  "call",
  "kind",
  "formals",
  "derivation",
  "string",
  "print",
  "findFile",
  "internalBuiltin",
  "allowPath",
  "release",
  "keepCode",
  "findApplication",
]);

function joinedReads(a: Reads, b: Reads): Reads {
  return {
    ...(a.unrepeatable === undefined ? {} : { unrepeatable: a.unrepeatable }),
    types: [...a.types, ...b.types],
    resolved: [...a.resolved, ...b.resolved],
    files: [...a.files, ...b.files],
    directories: [...a.directories, ...b.directories],
    variables: [...a.variables, ...b.variables],
    trees: [...a.trees, ...b.trees],
    storePaths: [...a.storePaths, ...b.storePaths],
  };
}
