/** The main thread's side of the evaluator: starts the worker, sends requests, answers its host calls. */
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { FirnError } from "@firn/formats";
import type { EvalMessage } from "@firn/language";
import { machineError } from "@firn/store";
import { fromErrorData, toErrorData } from "./error-data.ts";
import type { HostConfig } from "./node-host.ts";
import type { FromWorker, Request, Responses, ServiceCall, ServiceReply, WorkerInput } from "./protocol.ts";
import type { HostServices } from "./services.ts";

export interface EvaluatorClientOptions {
  readonly config: HostConfig;
  /** Who answers host calls; without it the evaluation has no store. */
  readonly services?: HostServices;
  /** Gets what the evaluation traces and warns about, in order. */
  readonly report: (message: EvalMessage) => void;
  /** Adds the builtins that only flake evaluation may see. */
  readonly flakes?: boolean;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: FirnError): void;
}

const stackMegabytes = 256;
const youngMegabytes = 96;
/** Where each half of the young generation starts: nearly all objects of a longer evaluation outlive a smaller one. */
const semiSpaceMegabytes = 16;

/** Engine flags have to be set before the worker starts. The old generation grows freely at first: marking it early is wasted. */
function tuneEngine(): void {
  const megabytes = Math.floor(totalmem() / 1048576);
  const initial = Math.min(3000, Math.floor(megabytes / 4));
  setFlagsFromString(`--initial-old-space-size=${initial}`);
  // Most of an evaluation is cold code: the last compiler is worth its time for very hot functions only.
  setFlagsFromString("--invocation-count-for-turbofan=100000");
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMegabytes}`);
}

/** A session in a worker thread. Requests are answered in order; values live until released or closed. */
export class EvaluatorClient {
  private readonly worker: Worker;
  private readonly replies: MessagePort;
  private readonly signal: Int32Array;
  private readonly options: EvaluatorClientOptions;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private serving = 0;
  private failure: FirnError | undefined;

  constructor(options: EvaluatorClientOptions) {
    this.options = options;
    tuneEngine();
    const channel = new MessageChannel();
    const signal = new SharedArrayBuffer(4);
    this.signal = new Int32Array(signal);
    this.replies = channel.port1;
    const input: WorkerInput & { replies: MessagePort } = {
      config: options.config,
      services: options.services !== undefined,
      signal,
      flakes: options.flakes ?? false,
      replies: channel.port2,
    };
    this.worker = new Worker(new URL("./worker-main.ts", import.meta.url), {
      workerData: input,
      transferList: [channel.port2],
      resourceLimits: {
        stackSizeMb: stackMegabytes,
        maxYoungGenerationSizeMb: youngMegabytes,
        maxOldGenerationSizeMb: Math.floor(totalmem() / 1048576),
      },
    });
    this.worker.on("message", (message: FromWorker) => this.receive(message));
    this.worker.on("error", (error) => this.fail(error));
    this.worker.on("exit", () => this.fail(new Error("the evaluator has stopped")));
    this.worker.unref();
  }

  private fail(error: Error): void {
    this.failure ??= new FirnError("evaluator-stopped", `the evaluator stopped: ${error.message}`, { cause: error });
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
    this.worker.unref();
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case "report":
        this.options.report(message.message);
        return;
      case "service":
        void this.serve(message.call);
        return;
      case "response":
        this.settle(message.id)?.resolve(message.value);
        return;
      case "failure":
        this.settle(message.id)?.reject(fromErrorData(message.error));
    }
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (this.pending.size === 0) this.worker.unref();
    return pending;
  }

  private async serve(call: ServiceCall): Promise<void> {
    let reply: ServiceReply;
    this.serving++;
    try {
      reply = { value: await this.callService(call) };
    } catch (error) {
      reply = { error: toErrorData(machineError(error) ?? error) };
    } finally {
      this.serving--;
    }
    this.wake(reply);
  }

  private wake(reply: ServiceReply): void {
    this.replies.postMessage(reply);
    Atomics.store(this.signal, 0, 1);
    Atomics.notify(this.signal, 0);
  }

  private callService({ method, args }: ServiceCall): Promise<unknown> {
    const services = this.options.services;
    if (services === undefined) throw new FirnError("no-services", `nothing answers '${method}'`);
    // The worker's own forwarding code made the arguments.
    const handler = services[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return handler.apply(services, [...args]);
  }

  /** Sends a request; rejects with the FirnError of a failed evaluation. */
  request<R extends Request>(request: R): Promise<Responses[R["op"]]> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const id = this.nextId++;
    this.worker.ref();
    return new Promise((resolve, reject) => {
      // The worker answers each request with the response of its kind.
      this.pending.set(id, { resolve: (value) => resolve(value as Responses[R["op"]]), reject });
      // A worker that waits for a service reads only the reply port.
      if (this.serving > 0) this.wake({ nested: { id, request } });
      else this.worker.postMessage({ id, request });
    });
  }

  /** Stops whatever is being evaluated; every request, now and later, fails with `interrupted`. */
  async interrupt(): Promise<void> {
    this.failure ??= new FirnError("interrupted", "interrupted by the user");
    await this.worker.terminate();
  }

  /** Ends the session and its thread; what was lowered is kept for the next one. */
  async close(): Promise<void> {
    if (this.failure === undefined && this.nextId > 1 && this.options.config.codeDirectory !== undefined) {
      await this.request({ op: "keepCode" });
    }
    this.failure ??= new FirnError("evaluator-stopped", "the evaluator was closed");
    this.replies.close();
    await this.worker.terminate();
  }
}
