/** The command line's ends: where output goes. Commands print through this only, so that tests can capture it. */

import { byteString, printedBytes } from "@firn/formats";
import { processEnvironment, workingDirectory } from "@firn/store/surroundings";
import { TerminalFilter } from "./render/terminal-filter.ts";

/** Standard streams and the surroundings of one run. */
export interface Io {
  /** A string is a byte string. */
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** Waits until standard output takes more, for who writes much. Absent: it always does. */
  drained?(): Promise<void>;
  /** Moves the terminal's cursor: a sequence of our own, which `err` would not let pass. Absent: there is no terminal. */
  control?(sequence: string): void;
  /** Whether stderr is a terminal: decides on colours and live progress. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readStdin(): Promise<string>;
  /** Standard input piece by piece, for who answers before its end; absent: the process's own. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** The process's own streams. Standard input is read as bytes, one char each. */
export function processIo(): Io {
  return {
    out: writerTo(process.stdout),
    err: writerTo(process.stderr),
    drained: () => drainOf(process.stdout),
    control: (sequence) => void process.stderr.write(sequence),
    terminal: process.stderr.isTTY === true && processEnvironment().TERM !== "dumb",
    env: processEnvironment(),
    cwd: workingDirectory(),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return byteString(Buffer.concat(chunks));
    },
  };
}

function drainOf(stream: NodeJS.WriteStream): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, done);
  });
}

/** Writes to a stream; what a terminal would obey goes only where there is no terminal. */
function writerTo(stream: NodeJS.WriteStream): (text: string | Uint8Array) => boolean {
  if (stream.isTTY !== true) return (text) => stream.write(bytesToWrite(text));
  const filter = new TerminalFilter();
  return (text) => stream.write(filter.filter(bytesToWrite(text)));
}

function bytesToWrite(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? printedBytes(text) : text;
}
