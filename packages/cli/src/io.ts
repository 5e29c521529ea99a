/** The command line's ends: where output goes. Commands print through this only, so that tests can capture it. */

/** Standard streams and the surroundings of one run. */
export interface Io {
  out(text: string | Uint8Array): void;
  err(text: string): void;
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
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
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
