/** The input and output of the command line. Commands print through this only, so that tests can capture it. */
import { TerminalFilter } from "./render/terminal-filter.ts";

/** Standard streams and the environment of one run. */
export interface Io {
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** Resolves when standard output takes more, for commands that write much. Absent when it always does. */
  drained?(): Promise<void>;
  /** Moves the terminal's cursor by a control sequence, which `err` would filter out. Absent when there is no terminal. */
  control?(sequence: string): void;
  /** True when standard error is a terminal; decides on colours and live progress. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readStdin(): Promise<string>;
  /** Standard input piece by piece, for commands that answer before its end; when absent, the process's own is used. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Returns the process's own streams. Standard input is read as bytes, one char each. */
export function processIo(): Io {
  return {
    out: writerTo(process.stdout),
    err: writerTo(process.stderr),
    drained: () => drainOf(process.stdout),
    control: (sequence) => void process.stderr.write(sequence),
    terminal: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    env: process.env,
    cwd: process.cwd(),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("latin1");
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

/** Makes a function that writes to a stream; on a terminal, control sequences are filtered out. */
function writerTo(stream: NodeJS.WriteStream): (text: string | Uint8Array) => boolean {
  if (stream.isTTY !== true) return (text) => stream.write(text);
  const filter = new TerminalFilter();
  return (text) => stream.write(filter.filter(typeof text === "string" ? Buffer.from(text) : text));
}
