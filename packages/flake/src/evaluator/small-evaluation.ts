/**
 * Evaluates in the thread of the command when it takes only milliseconds: `1 + 1` is done before the evaluator's thread has
 * started. An evaluation that takes longer, fails, needs the store or runs programs is left to that thread, which begins
 * anew.
 */
import { FirnError } from "@firn/formats";
import type { EvalMessage } from "@firn/language";
import type { Request, Responses, WorkerSetup } from "./protocol.ts";
import type { SyncServices } from "./services.ts";
import type { EvaluatorSession } from "./session.ts";

const maxMilliseconds = 20;
const maxFiles = 8;
const maxRequests = 16;

function refuse(): never {
  throw new FirnError("interrupted", "this is for the evaluator's thread");
}

const noServices: SyncServices = {
  addPath: refuse,
  addText: refuse,
  writeDerivation: refuse,
  readDerivation: refuse,
  realise: refuse,
  ensurePath: refuse,
  queryPath: refuse,
  fetch: refuse,
  resolveSearchPathUrl: refuse,
  getFlake: refuse,
  obtainTree: refuse,
};

/** Requests that are never answered here. */
const forThread: ReadonlySet<Request["op"]> = new Set(["show", "newVariables", "makeImage", "dumpHeap"]);

/** An answer, with the traces and warnings of its evaluation. */
export interface SmallAnswer {
  readonly value: Responses[Request["op"]];
  readonly messages: readonly EvalMessage[];
}

/** An evaluation in the thread of the command, which gives up when it takes long or needs more than files. */
export class SmallEvaluation {
  private readonly session: EvaluatorSession;
  private messages: EvalMessage[] = [];
  private files = 0;
  private requests = 0;
  private left = maxMilliseconds;
  private deadline = 0;

  private constructor(open: typeof import("./open-session.ts").openSession, setup: WorkerSetup) {
    // Code is not looked up among what is kept: that costs more than a few small files do.
    const { codeDirectory: _, ...config } = setup.config;
    const limited = { ...setup, config, services: true };
    this.session = open(limited, {
      services: noServices,
      report: (message) => this.messages.push(message),
      interrupted: () => performance.now() > this.deadline,
      whenLong: () => undefined,
      limit: (host) => ({
        ...host,
        runProgram: refuse,
        readFile: (path) => (++this.files > maxFiles ? refuse() : host.readFile(path)),
      }),
    });
  }

  static async open(setup: WorkerSetup): Promise<SmallEvaluation> {
    const { openSession } = await import("./open-session.ts");
    return new SmallEvaluation(openSession, setup);
  }

  /** Answers a request; returns undefined when this thread declines it, and then for all later ones. */
  answer(request: Request): SmallAnswer | undefined {
    // What is shown may contain failures, and files change while a repl with its variables is used: nothing of it is done again.
    if (forThread.has(request.op) || ++this.requests > maxRequests) return undefined;
    const started = performance.now();
    this.deadline = started + this.left;
    this.messages = [];
    try {
      const value = this.session.answer(request);
      this.left -= performance.now() - started;
      return { value, messages: this.messages };
    } catch {
      // Be it an error of the program or a limit: the thread finds out.
      return undefined;
    }
  }
}
