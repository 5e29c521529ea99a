/** The log of one build: kept on disk, its last lines in memory, each line an event. */
import { describeJsonError, FirnError, isJsonNumber, type JsonValue, parseJson } from "@firn/formats";
import {
  type EventSink,
  LineSplitter,
  logFile,
  type MessageLevel,
  machineError,
  type RunningProgram,
  type Settings,
  type StoreFiles,
  startProgram,
} from "@firn/store";
import * as fs from "@firn/store/files";
import { hasProgram } from "../sandbox/sandbox.ts";

/** The output of bzip2 for empty input. */
const EMPTY_BZIP2 = Buffer.from("BZh9\x17rE8P\x90\0\0\0\0", "latin1");

/** Receives a builder's output in pieces. */
export class BuildLog {
  readonly #tail: string[] = [];
  readonly #lines: number;
  readonly #emit: EventSink;
  readonly #drvPath: string;
  readonly #splitter = new LineSplitter((line) => this.#line(line));
  #compressed = false;
  #fd = -1;
  #failure: unknown;
  #compressor: RunningProgram | undefined;
  #finished: Promise<void> = Promise.resolve();
  /** Number of bytes written by the builder. */
  size = 0;

  constructor(drvPath: string, options: { store: StoreFiles; settings: Settings; events: EventSink }) {
    this.#drvPath = drvPath;
    this.#lines = options.settings.get("log-lines");
    this.#emit = options.events;
    if (!options.settings.get("keep-build-log")) return;
    const file = logFile(options.store.location, drvPath);
    fs.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    this.#compressed = options.settings.get("compress-build-log") && hasProgram("bzip2");
    this.#fd = fs.openSync(this.#compressed ? `${file}.bz2` : file, "w", 0o644);
  }

  /** Starts the compressor at the first output, because most fetches and unpacked packages print nothing. */
  #startCompressor(): void {
    const child = startProgram("bzip2", ["-c"], { stdio: ["pipe", this.#fd, "ignore"], detached: true });
    this.#compressor = child;
    this.#finished = new Promise((resolve) => {
      child.on("close", () => resolve());
      child.on("error", () => resolve());
    });
    child.stdin?.on("error", () => {});
    fs.closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Adds output; returns false when no more is to be written before `drained` resolves. */
  write(data: Buffer): boolean {
    this.size += data.length;
    if (this.#compressed && this.#fd >= 0) this.#startCompressor();
    let ready = true;
    const input = this.#compressor?.stdin;
    if (input !== undefined && input !== null) ready = input.write(data) || !input.writable;
    else if (this.#fd >= 0) this.#writeOut(data);
    this.#splitter.write(data);
    return ready;
  }

  #writeOut(data: Buffer): void {
    try {
      for (let at = 0; at < data.length; ) at += fs.writeSync(this.#fd, data, at);
    } catch (error) {
      // Told when the log is closed: whoever writes cannot do anything about it.
      this.#failure ??= machineError(error, "cannot write the log of the build") ?? error;
      fs.closeSync(this.#fd);
      this.#fd = -1;
    }
  }

  /** Resolves when the compressor accepts more, or has ended. */
  drained(): Promise<void> {
    const input = this.#compressor?.stdin;
    if (input === undefined || input === null || !input.writable || !input.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ["drain", "close", "error"]) input.off(event, done);
        resolve();
      };
      for (const event of ["drain", "close", "error"]) input.on(event, done);
    });
  }

  /** Ends the log and waits until it is on disk. Fails with `system-error` when it could not be written. */
  async close(): Promise<void> {
    this.#splitter.end();
    if (this.#fd >= 0) {
      if (this.#compressed) fs.writeSync(this.#fd, EMPTY_BZIP2);
      fs.closeSync(this.#fd);
    }
    this.#fd = -1;
    this.#compressor?.stdin?.end();
    this.#compressor = undefined;
    await this.#finished;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** The last lines of the log, as text. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  #line(raw: string): void {
    // A carriage return overwrites what stands before it, as on a terminal.
    let end = raw.length;
    while (end > 0 && raw[end - 1] === "\r") end--;
    const line = raw.slice(end === 0 ? 0 : raw.lastIndexOf("\r", end - 1) + 1, end);
    if (line.startsWith("@nix ") && this.#structured(line.slice("@nix ".length))) return;
    const text = line;
    this.#tail.push(text);
    if (this.#tail.length > this.#lines) this.#tail.shift();
    this.#emit({ kind: "build-log", drvPath: this.#drvPath, line: text });
  }

  /** Handles a structured message; returns false when the line is to be shown as it is. */
  #structured(text: string): boolean {
    let message: JsonValue;
    try {
      message = parseJson(text);
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      this.#tell(
        "error",
        `bad JSON log message from the derivation builder: ${describeJsonError(text) ?? error.message}`,
      );
      return false;
    }
    try {
      this.#handle(message);
      return true;
    } catch (error) {
      if (!(error instanceof FirnError) || error.code !== "bad-json") throw error;
      this.#tell("warn", `Unable to handle a JSON message from the derivation builder: ${error.message}`);
      return false;
    }
  }

  #handle(message: JsonValue): void {
    const member = (name: string): JsonValue => {
      if (message instanceof Map) return message.get(name) ?? null;
      throw new FirnError(
        "bad-json",
        `[json.exception.type_error.305] cannot use operator[] with a string argument with ${kindOfJson(message)}`,
      );
    };
    const string = (name: string): string => {
      const value = member(name);
      if (typeof value === "string") return value;
      throw wrongType("string", value);
    };
    const number = (name: string): number => {
      const value = member(name);
      if (isJsonNumber(value)) return Number(value.number);
      throw wrongType("number", value);
    };
    switch (string("action")) {
      case "start":
        number("type");
        return;
      case "stop":
      case "result":
        number("id");
        return;
      case "setPhase":
        this.#emit({ kind: "build-phase", drvPath: this.#drvPath, phase: string("phase") });
        return;
      case "msg": {
        const text = string("msg");
        this.#tell(levels[Math.max(0, number("level"))] ?? "vomit", text);
      }
    }
  }

  #tell(level: MessageLevel, text: string): void {
    this.#emit({ kind: "message", level, text });
  }
}

const levels: readonly MessageLevel[] = ["error", "warn", "notice", "info", "talkative", "chatty", "debug", "vomit"];

function wrongType(wanted: string, value: JsonValue): FirnError {
  return new FirnError(
    "bad-json",
    `[json.exception.type_error.302] type must be ${wanted}, but is ${kindOfJson(value)}`,
  );
}

function kindOfJson(value: JsonValue): string {
  if (value === null) return "null";
  if (value instanceof Map) return "object";
  if (Array.isArray(value)) return "array";
  return isJsonNumber(value) ? "number" : typeof value;
}
