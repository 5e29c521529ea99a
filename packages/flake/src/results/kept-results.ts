/**
 * Answers of evaluations that are kept: when the same requests come again and nothing has changed of what was read for them, the
 * answers are the same. An answer's key is made of all requests before it, so commands that begin alike share what they have in common.
 */
import { createHash, hash } from "node:crypto";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { DerivationRequest, EvalMessage, FetchRequest, FetchResult } from "@firn/language";
import type { HostConfig } from "../evaluator/node-host.ts";
import type { TreeFacts } from "../evaluator/placed-trees.ts";
import type { Request, ServiceCall } from "../evaluator/protocol.ts";
import { noReads, type Reads, type TreeRead } from "../evaluator/reads.ts";
import type { AddPathServiceRequest } from "../evaluator/services.ts";
import { AnswerDatabase } from "./answer-database.ts";
import { buildIdentity } from "./build-identity.ts";
import { FileStates } from "./file-states.ts";
import { differenceFrom, type KeptReads, keepReads, type Surroundings } from "./kept-reads.ts";

/** Time in milliseconds that an evaluation takes at least to be kept. */
const worthKeeping = 5;

/** Returns the database file in the directory of what evaluations keep. */
export function resultsFile(codeDirectory: string): string {
  return join(codeDirectory, "results.sqlite");
}

/** Options of keeping answers. */
export interface KeptResultsOptions extends Omit<Surroundings, "environment"> {
  /** The database file. */
  readonly file: string;
  readonly config: HostConfig;
  /** Tells whether a fetch gives the same at any time. */
  isLocked(request: FetchRequest): boolean;
  /** Receives, in words, what was used or why not. */
  explain?(text: string): void;
  /** Milliseconds that an evaluation takes at least to be kept (default: 5). */
  readonly worthKeeping?: number;
  /** Age in milliseconds from which a file's time of change counts (default: 2000). */
  readonly settledAfter?: number;
  /** False to keep answers and use none (default: true). */
  readonly isAnswering?: boolean;
}

/** A kept answer, with the messages of its evaluation. */
export interface KeptAnswer {
  readonly value: unknown;
  readonly messages: readonly EvalMessage[];
}

/** A kept answer, with what was read for it. */
export interface KeptEntry extends KeptAnswer {
  readonly reads: KeptReads;
}

/** An answer of the worker that may be kept. */
interface Recorded {
  readonly key: string;
  readonly value: unknown;
  readonly messages: EvalMessage[];
  readonly reads: Reads;
}

/** Requests whose answers are not kept: those of a repl and its debugger, whose variables change. */
const repl: ReadonlySet<Request["op"]> = new Set([
  "newVariables",
  "resetVariables",
  "dropVariables",
  "addVariables",
  "enterLine",
  "evaluateWith",
  "namesOf",
  "variableNames",
  "document",
  "show",
  "debugTrace",
  "debugLevels",
  "debugVariables",
  "setShowTrace",
  "forgetFiles",
]);

/** Requests that are no part of an evaluation. */
const aside: ReadonlySet<Request["op"]> = new Set(["release", "keepCode", "findApplication", "dumpHeap"]);

/** Finds the answers to the requests of one evaluation, and keeps new ones. */
export class KeptResults {
  readonly #options: KeptResultsOptions;
  readonly #database: AnswerDatabase;
  readonly #states: FileStates;
  /** The digest of all requests so far. */
  #chain: string | undefined;
  #answering: boolean;
  #answered = false;
  /** False when nothing is kept of this evaluation any more. */
  #recording = true;
  #recorded: Recorded[] = [];
  #messages: EvalMessage[] = [];
  /** Store paths that the services gave since the last answer, and paths that derivations among them refer to. */
  #storePaths = new Set<string>();
  /** Trees that were copied to the store since the last answer. */
  #trees: TreeRead[] = [];
  #unrepeatable: string | undefined;
  readonly #referred = new Set<string>();
  #evaluating = 0;

  constructor(options: KeptResultsOptions) {
    this.#options = options;
    this.#answering = options.isAnswering ?? true;
    this.#database = new AnswerDatabase(options.file);
    this.#states = new FileStates(Date.now(), options.settledAfter);
  }

  /** Tells whether a request has an answer that can be kept; after one that has none, nothing is kept any more. */
  takes(request: Request): boolean {
    if (repl.has(request.op)) this.#stop();
    return this.#recording && !aside.has(request.op);
  }

  #stop(): void {
    this.#answering = false;
    this.#recording = false;
    this.#recorded = [];
  }

  /** Returns the key of the next request. Called once for each, in order. */
  next(request: Request): string {
    this.#chain ??= this.#start();
    const text = JSON.stringify(request, (name, value: unknown) => {
      // The stand-in of a tree is made of the one, and the other says when that was.
      if (name === "fileList" || name === "since") return undefined;
      return typeof value === "bigint" ? { bigint: `${value}` } : value;
    });
    this.#chain = hash("sha256", `${this.#chain} ${text}`, "hex");
    return this.#chain;
  }

  #start(): string {
    const { config } = this.#options;
    const { currentTime: _, environment: __, codeDirectory: ___, ...fixed } = config;
    return createHash("sha256")
      .update(`${buildIdentity()} ${JSON.stringify(fixed)}`)
      .digest("hex");
  }

  /** Returns the answer that is kept under a key, if nothing that was read for it has changed; undefined also ever after. */
  async answer(key: string): Promise<KeptEntry | undefined> {
    if (!this.#answering) return undefined;
    const entry = this.#load(key);
    const difference =
      entry === undefined
        ? "it was not evaluated before"
        : await differenceFrom(entry.reads, {
            states: this.#states,
            surroundings: {
              environment: this.#options.config.environment,
              holds: (path) => this.#options.holds(path),
              pathOf: (tree) => this.#options.pathOf(tree),
            },
          });
    if (entry !== undefined && difference === undefined) {
      if (!this.#answered) this.#options.explain?.("nothing that was read has changed");
      this.#answered = true;
      return entry;
    }
    this.#answering = false;
    this.#options.explain?.(`${this.#answered ? "evaluating the rest" : "evaluating"}: ${difference}`);
    return undefined;
  }

  #load(key: string): KeptEntry | undefined {
    const data = this.#database.load(key);
    // The database is the user's own and the checksum is right: this is what was stored.
    return data === undefined ? undefined : (deserialize(data) as KeptEntry);
  }

  /** Takes a message of the evaluation. */
  message(message: EvalMessage): void {
    if (this.#recording) this.#messages.push(message);
  }

  /** Takes a service call that was answered. */
  served(call: ServiceCall, value: unknown): void {
    const { readOnly, pure } = this.#options.config.mode;
    const { method, args } = call;
    switch (method) {
      case "addPath":
      case "addText":
        if (!readOnly) this.#storePaths.add(String(value));
        if (method === "addPath")
          for (const path of (args[0] as AddPathServiceRequest).references ?? []) this.#referred.add(path);
        return;
      case "writeDerivations":
        if (readOnly) return;
        for (const { drvPath, references } of args[0] as readonly DerivationRequest[]) {
          this.#storePaths.add(drvPath);
          for (const path of references) this.#referred.add(path);
        }
        return;
      case "readDerivation":
      case "ensurePath":
        this.#storePaths.add(String(args[0]));
        return;
      case "queryPath":
        if (value === undefined) this.#unrepeatable ??= `'${String(args[0])}' was not in the store`;
        else this.#storePaths.add(String(args[0]));
        return;
      case "realise":
        for (const path of (value as ReadonlyMap<string, string>).values()) this.#storePaths.add(path);
        for (const element of args[0] as readonly { readonly kind: string; readonly path?: string }[]) {
          if (element.path !== undefined) this.#storePaths.add(element.path);
        }
        return;
      case "fetch":
        if (!this.#options.isLocked(args[0] as FetchRequest))
          this.#unrepeatable ??= "it fetched something that is not locked";
        this.#storePaths.add((value as FetchResult).storePath);
        return;
      case "getFlake":
        if (!pure) this.#unrepeatable ??= "it called 'getFlake' and is not pure";
        return;
      case "obtainTree": {
        const { storePath, read } = value as TreeFacts;
        this.#storePaths.add(storePath);
        if (read !== undefined) this.#trees.push(read);
        return;
      }
      case "resolveSearchPathUrl":
        this.#unrepeatable ??= "its search path has entries that are fetched";
        return;
      case "stop":
        this.#unrepeatable ??= "it was debugged";
    }
  }

  /** Takes an answer of the worker under its key, with what was read for it and the milliseconds that it took. */
  record(
    key: string,
    answer: { readonly value: unknown; readonly reads: Reads | undefined; readonly took: number },
  ): void {
    if (!this.#recording) return;
    this.#evaluating += answer.took;
    const reads = answer.reads ?? noReads();
    if (this.#unrepeatable !== undefined) reads.unrepeatable ??= this.#unrepeatable;
    // A path that a derivation refers to is there as long as the derivation is.
    const storePaths = [...new Set([...reads.storePaths, ...this.#storePaths])].filter(
      (path) => !this.#referred.has(path),
    );
    this.#storePaths = new Set();
    const trees = [...reads.trees, ...this.#trees];
    this.#trees = [];
    this.#recorded.push({ key, value: answer.value, messages: this.#messages, reads: { ...reads, trees, storePaths } });
    this.#messages = [];
    if (reads.unrepeatable === undefined) return;
    this.#options.explain?.(`not kept: ${reads.unrepeatable}`);
    this.#recording = false;
  }

  /** Writes what was recorded. */
  async close(): Promise<void> {
    try {
      if (this.#evaluating < (this.#options.worthKeeping ?? worthKeeping)) return;
      const entries: [string, Uint8Array][] = [];
      for (const { key, value, messages, reads } of this.#recorded) {
        if (reads.unrepeatable !== undefined) break;
        const kept = keepReads(reads, this.#states);
        if (typeof kept === "string") break;
        // Paths that were only looked at may not exist.
        if (!(await this.#holdsAll(reads.storePaths))) break;
        entries.push([key, serialize({ value, messages, reads: kept } satisfies KeptEntry)]);
      }
      if (entries.length > 0) this.#database.store(entries);
    } finally {
      this.#database.close();
    }
  }

  async #holdsAll(paths: readonly string[]): Promise<boolean> {
    for (const path of paths) if (!(await this.#options.holds(path))) return false;
    return true;
  }
}
