/** Errors as text, in the reference's layout: the trace outermost first, then the message with its position and excerpt. */
import type { FirnError, SourcePosition, TraceFrame } from "@firn/formats";
import type { EvalMessage } from "@firn/language";
import { colors } from "./colors.ts";
import { terminalText } from "./terminal-text.ts";

/** Options of the text of an error. */
export interface RenderOptions {
  /** True to print the whole trace instead of its first frames. */
  readonly showTrace: boolean;
  /** True to paint labels, positions and the message's own names; otherwise all colours are removed. */
  readonly colors?: boolean;
}

const { normal, red, blue, magenta } = colors;

const shownFrames = 3;
const fewDuplicates = 5;

function codeLine(number: number, text: string): string {
  return `\n ${String(number).padStart(5)}| ${text}`;
}

function excerpt(position: SourcePosition): string {
  const { excerpt: lines, line, column } = position;
  if (lines === undefined) return "";
  let out = "";
  if (lines.previous !== undefined) out += codeLine(line - 1, lines.previous);
  if (lines.line !== undefined) {
    out += codeLine(line, lines.line);
    if (column > 0) out += `\n      |${" ".repeat(column)}${red}^${normal}`;
  }
  if (lines.next !== undefined) out += codeLine(line + 1, lines.next);
  return `${out}\n`;
}

const placeName = ({ file, line, column }: SourcePosition): string => `${file}:${line}:${column}`;

function place(position: SourcePosition, indent: string): string {
  return `${indent}${blue}at ${magenta}${placeName(position)}${normal}:${excerpt(position)}`;
}

function frameText(frame: TraceFrame): string {
  const at = frame.position === undefined ? "" : place(frame.position, "  ");
  return `\n… ${frame.message}\n${at}`;
}

function frameKey(frame: TraceFrame): string {
  const at = frame.position;
  return `${at === undefined ? "" : placeName(at)}\0${frame.message}`;
}

/** Returns frames from the outside in; repeated ones are combined, and all after the first few left out unless wanted. */
function traceText(frames: readonly TraceFrame[], options: RenderOptions): string {
  let out = "";
  let count = 0;
  let truncated = false;
  const seen = new Set<string>();
  let skipped: TraceFrame[] = [];
  const flush = () => {
    if (skipped.length > fewDuplicates) {
      out += `\n(${skipped.length} duplicate frames omitted)\n`;
    } else {
      for (const frame of skipped) {
        if (frame.position !== undefined) count++;
        out += frameText(frame);
      }
    }
    skipped = [];
  };
  for (const frame of frames) {
    if (frame.message === "") continue;
    if (!options.showTrace && count > shownFrames) truncated = true;
    if (truncated && frame.always !== true) continue;
    const key = frameKey(frame);
    if (seen.has(key)) {
      skipped.push(frame);
      continue;
    }
    seen.add(key);
    flush();
    count++;
    if (frame.position !== undefined) count++;
    out += frameText(frame);
  }
  flush();
  if (truncated) {
    out += "\n(stack trace truncated; use '--show-trace' to show the full, detailed trace)\n";
  }
  return out;
}

function indentRest(first: string, text: string): string {
  const rest = " ".repeat(first.length);
  return text
    .replace(/\n+$/, "")
    .split("\n")
    .map((line, index) => `${index === 0 ? first : rest}${line}`.trimEnd())
    .join("\n");
}

function suggestionText(names: readonly string[]): string {
  if (names.length === 0) return "";
  const marked = names.map((name) => `${magenta}${name}${normal}`);
  if (marked.length === 1) return `Did you mean ${marked[0]}?\n`;
  return `Did you mean one of ${marked.slice(0, -1).join(", ")} or ${marked.at(-1)}?\n`;
}

/** Returns an error as text to print, without a final newline. */
export function renderError(error: FirnError, options: RenderOptions): string {
  const prefix = "error: ";
  const label = `${red}error:${normal}`;
  const frames = [...error.trace].reverse();
  let body = "";
  if (frames.some((frame) => frame.message !== "")) body += `${traceText(frames, options)}\n${label} `;
  body += `${error.message}\n`;
  if (error.position !== undefined) body += place(error.position, "");
  body += suggestionText(error.suggestions);
  const text = terminalText(`${label}${indentRest(prefix, body).slice("error:".length)}`, options.colors);
  // The reference closes its colour behind a last line break, which keeps that line's indentation.
  const open = error.code !== "thrown" && error.position === undefined && error.message.endsWith("\n");
  return open && error.suggestions.length === 0 ? `${text}\n${" ".repeat(prefix.length)}` : text;
}

/** Returns a warning with its position as text; `terminal` keeps its colours. */
export function renderWarning(text: string, position: SourcePosition | undefined, terminal: boolean): string {
  const body = position === undefined ? text : indentRest("warning: ", `${text}\n${place(position, "")}`).slice(9);
  return terminalText(`${magenta}warning:${normal} ${body}`, terminal);
}

/** Returns what an evaluation reports as text; `terminal` keeps its colours. */
export function renderMessage(message: EvalMessage, terminal: boolean): string {
  switch (message.kind) {
    case "trace":
      return terminalText(`trace: ${message.text}`, terminal);
    case "call":
      return terminalText(message.text, terminal);
    case "evaluation-warning":
      return terminalText(`${magenta}evaluation warning:${normal} ${message.text}`, terminal);
    case "warning":
      return renderWarning(message.text, message.position, terminal);
  }
}
