/** Sources of the repl's lines. Lines are byte strings without their line end. */
import type { Io } from "../io.ts";

/** The result of reading a line. */
export type Line =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "cleared" }
  | { readonly kind: "end" };

/** A source of lines. */
export interface LineReader {
  readonly interactive: boolean;
  /** Reads a line; the result `cleared` means that the text entered so far is dropped. */
  read(prompt: string): Promise<Line>;
  close(): void;
}

/** Reads lines of standard input when it is no terminal; they are shown with their prompt, as if they were typed. */
export function pipedLines(io: Io): LineReader {
  const chunks = (io.input ?? (process.stdin as AsyncIterable<Uint8Array>))[Symbol.asyncIterator]();
  let buffered = "";
  let ended = false;
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const end = buffered.indexOf("\n");
      if (end >= 0) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 1);
        return line;
      }
      if (ended) {
        const last = buffered;
        buffered = "";
        return last === "" ? undefined : last;
      }
      const chunk = await chunks.next();
      if (chunk.done === true) ended = true;
      else buffered += Buffer.from(chunk.value).toString("latin1");
    }
  };
  return {
    interactive: false,
    async read(prompt) {
      io.out(prompt);
      const text = await next();
      if (text === undefined) return { kind: "end" };
      io.out(Buffer.from(`${text}\n`, "latin1"));
      return { kind: "line", text };
    },
    close() {
      if (io.input === undefined) process.stdin.destroy();
    },
  };
}
