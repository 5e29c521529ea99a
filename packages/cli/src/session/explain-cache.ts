/** Tells what `--explain-cache` asks for. */
import type { Io } from "../io.ts";
import { terminalText } from "../render/terminal-text.ts";

/** Prints what was taken from earlier evaluations, or why not, on standard error. */
export function explainCache(io: Io, text: string): void {
  io.err(`${terminalText(`cache: ${text}`, io.terminal)}\n`);
}
