/** The command line's ends: where output goes. Commands print through this only, so that tests can capture it. */

import { byteString, printedBytes } from "@firn/formats/base";
import { systemErrorReason } from "@firn/store/machine-error";
import { processEnvironment, workingDirectory } from "@firn/store/surroundings";
import { TerminalFilter } from "./render/terminal-filter.ts";

/** Standard streams and the environment of one run. */
export interface Io {
  /** A string is a byte string. */
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** Resolves when standard output takes more, for commands that write much. Absent when it always does. */
  drained?(): Promise<void>;
  /** From now on it does not matter whether standard output can be written: help, the version, the repl. */
  unimportant?(): void;
  /** Moves the terminal's cursor: a sequence of our own, which `err` would not let pass. Absent: there is no terminal. */
  control?(sequence: string): void;
  /** Returns the size of the terminal in signs; absent: 80 to 24. */
  size?(): { readonly columns: number; readonly rows: number };
  /** Writes a JSON object of the log; present when the whole of standard error has that form. */
  record?(json: string): void;
  /** True when standard error is a terminal; decides on colours and live progress. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readStdin(): Promise<string>;
  /** True in the program itself, which may leave a process behind that goes on with work for later. */
  readonly isProgram?: boolean;
  /** Standard input piece by piece, for commands that answer before its end; when absent, the process's own is used. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/**
 * The process's own streams. Standard input is read as bytes, one char each. When standard output cannot be written, the process
 * says so in one line and ends with status 1; what standard error does not take is lost.
 */
export function processIo(): Io {
  process.stderr.on("error", () => undefined);
  const out = new Output(process.stdout);
  return {
    out: (text) => out.write(text),
    err: writerTo(process.stderr),
    drained: () => out.drained(),
    unimportant: () => out.forgive(),
    control: (sequence) => void process.stderr.write(sequence),
    size: () => ({ columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24 }),
    terminal: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    env: processEnvironment(),
    isProgram: true,
    get cwd() {
      return workingDirectory();
    },
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return byteString(Buffer.concat(chunks));
    },
  };
}

/** Bytes that may wait to be written. */
const mostPending = 256 * 1024;

/** Standard output, which is what a command is for: a failure ends the process. */
class Output {
  readonly #write: (data: Uint8Array, done: (error?: Error | null) => void) => void;
  readonly #filter: TerminalFilter | undefined;
  #forgiven = false;
  #pending = 0;
  #drained: (() => void)[] = [];

  constructor(stream: NodeJS.WriteStream) {
    this.#filter = stream.isTTY === true ? new TerminalFilter() : undefined;
    this.#write = (data, done) => stream.write(data, done);
    // Each write hears of its own failure.
    stream.on("error", () => undefined);
  }

  forgive(): void {
    this.#forgiven = true;
  }

  /**
   * Resolves when little waits to be written. The stream itself does not tell for a file: it keeps what it has written until the
   * process has a pause.
   */
  async drained(): Promise<void> {
    if (this.#pending > mostPending) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  write(text: string | Uint8Array): void {
    const data = this.#filter === undefined ? bytesToWrite(text) : this.#filter.filter(bytesToWrite(text));
    this.#pending += data.length;
    this.#write(data, (error) => {
      this.#pending -= data.length;
      if (this.#pending <= mostPending) for (const resolve of this.#drained.splice(0)) resolve();
      if (error === undefined || error === null || this.#forgiven) return;
      // One message, however many writes were under way.
      this.#forgiven = true;
      process.stderr.write(`error: write of ${data.length} bytes: ${systemErrorReason(error)}\n`, () =>
        process.exit(1),
      );
    });
  }
}

/** Makes a function that writes to a stream; on a terminal, control sequences are filtered out. */
function writerTo(stream: NodeJS.WriteStream): (text: string | Uint8Array) => boolean {
  if (stream.isTTY !== true) return (text) => stream.write(bytesToWrite(text));
  const filter = new TerminalFilter();
  return (text) => stream.write(filter.filter(bytesToWrite(text)));
}

function bytesToWrite(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? printedBytes(text) : text;
}
