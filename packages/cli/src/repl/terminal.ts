/** Lines typed at a terminal: edited, completed with TAB, kept in a history. */
import { createInterface } from "node:readline";
import { byteStringOf, textOf } from "@firn/formats";
import type { History } from "./history.ts";
import type { Line, LineReader } from "./input.ts";

/** Functions and data that a terminal needs. */
export interface TerminalOptions {
  readonly history: History;
  /** Returns completions of a line's end, and the part that they replace. */
  complete(line: string): Promise<{ readonly replaced: string; readonly candidates: readonly string[] }>;
  /** Called for Ctrl-C during completion. */
  interrupt(): void;
}

/** Reads lines from the process's terminal. Between two lines the terminal is in its usual mode, so that Ctrl-C is a signal then. */
export function terminalLines(options: TerminalOptions): LineReader {
  const { stdin, stdout } = process;
  const waiting: Line[] = [];
  let deliver: ((line: Line) => void) | undefined;
  let completing = false;
  const editor = createInterface({
    input: stdin,
    output: stdout,
    terminal: true,
    history: options.history.lines.map(textOf).reverse(),
    historySize: 1000,
    completer(line: string, done: (error: Error | null, result: [string[], string]) => void) {
      completing = true;
      options
        .complete(byteStringOf(line))
        .then(
          ({ candidates, replaced }) => done(null, [candidates.map(textOf), textOf(replaced)]),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), [[], ""]),
        )
        .finally(() => {
          completing = false;
        });
    },
  });
  const give = (line: Line): void => {
    const receiver = deliver;
    deliver = undefined;
    if (receiver === undefined) waiting.push(line);
    else receiver(line);
  };
  editor.on("line", (text) => {
    const line = byteStringOf(text);
    options.history.add(line);
    give({ kind: "line", text: line });
  });
  editor.on("SIGINT", () => {
    if (completing) {
      options.interrupt();
      return;
    }
    editor.write(null, { ctrl: true, name: "e" });
    stdout.write("^C\n");
    editor.write(null, { ctrl: true, name: "u" });
    give({ kind: "cleared" });
  });
  editor.on("close", () => give({ kind: "end" }));
  editor.pause();
  stdin.setRawMode(false);
  return {
    interactive: true,
    read(prompt) {
      const next = waiting.shift();
      if (next !== undefined) return Promise.resolve(next);
      return new Promise((resolve) => {
        deliver = (line) => {
          if (line.kind !== "end") {
            editor.pause();
            stdin.setRawMode(false);
          }
          resolve(line);
        };
        editor.setPrompt(prompt);
        stdin.setRawMode(true);
        editor.prompt();
      });
    },
    close() {
      editor.close();
    },
  };
}
