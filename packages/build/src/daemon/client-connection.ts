/** The connection of a client, read ahead in bounded memory, so that its end is noticed while work for it is in progress. */
import type { Readable, Writable } from "node:stream";
import type { Connection } from "@firn/store";

/** Number of bytes that are read ahead at most. */
const AHEAD = 1 << 20;

/** A connection that tells of its end. */
export interface ClientConnection extends Connection {
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Number of bytes that wait to be sent. */
  readonly waiting: number;
}

/** Takes over the streams to and from a client. */
export function clientConnection(input: Readable, output: Writable): ClientConnection {
  const gone = new AbortController();
  const queue: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  let wake: (() => void) | undefined;
  const end = (): void => {
    ended = true;
    gone.abort();
    wake?.();
  };
  input.on("data", (chunk: Buffer) => {
    queue.push(chunk);
    size += chunk.length;
    if (size >= AHEAD) input.pause();
    wake?.();
  });
  for (const event of ["end", "close", "error"]) input.on(event, end);
  // What cannot be sent is lost: nobody is there to take it.
  output.on("error", end);
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        size -= chunk.length;
        if (size < AHEAD && input.isPaused()) input.resume();
        yield chunk;
      } else if (ended) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    }
  };
  return {
    input: chunks(),
    gone: gone.signal,
    get waiting() {
      return output.writableLength;
    },
    write(bytes) {
      if (output.destroyed || output.write(bytes)) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          for (const event of ["drain", "close", "error"]) output.off(event, done);
          resolve();
        };
        for (const event of ["drain", "close", "error"]) output.on(event, done);
      });
    },
  };
}
