/**
 * Sources and positions. A position is one integer: the source's base plus the byte offset; 0 means "unknown". The
 * table is shared by all evaluators of the process, as the code array is.
 */

import type { SourcePosition } from "@firn/formats";
import { byteStringOf } from "@firn/formats";
import { shownPath } from "../heap/tree-root.ts";

export type SourceOrigin = "file" | "string" | "stdin" | "internal";

/** A parsed text, with its range among all positions. */
export interface Source {
  readonly origin: SourceOrigin;
  /** Absolute path of a file, with the stand-in of its tree, else its printed name («string», «stdin»). */
  readonly name: string;
  /** Directory that relative paths start from. */
  readonly directory: string;
  readonly text: string;
  /** The number of its bytes. */
  readonly length: number;
  readonly base: number;
  readonly index: number;
  /** The hash by which the host knows the text of a file, if it does. */
  readonly hash: string | undefined;
}

class LazySource implements Source {
  readonly origin = "file";
  readonly name: string;
  readonly directory: string;
  readonly length: number;
  readonly base: number;
  readonly index: number;
  readonly hash: string;
  private readonly read: () => string;
  private known: string | undefined;

  constructor(place: Omit<Source, "origin" | "text" | "hash"> & { readonly hash: string }, read: () => string) {
    this.name = place.name;
    this.directory = place.directory;
    this.length = place.length;
    this.base = place.base;
    this.index = place.index;
    this.hash = place.hash;
    this.read = read;
  }

  get text(): string {
    this.known ??= this.read();
    return this.known;
  }
}

const sources: Source[] = [];
let nextBase = 1;

export function addSource(origin: SourceOrigin, name: string, directory: string, text: string, hash?: string): Source {
  const { length } = text;
  const source = { origin, name, directory, text, length, base: nextBase, index: sources.length, hash };
  sources.push(source);
  nextBase += length + 2;
  return source;
}

/** Adds a file of `length` bytes whose text is read at its first use. */
export function addLazySource(
  file: Pick<Source, "name" | "directory" | "length"> & { readonly hash: string },
  read: () => string,
): Source {
  const source = new LazySource({ ...file, base: nextBase, index: sources.length }, read);
  sources.push(source);
  nextBase += file.length + 2;
  return source;
}

/** Returns all sources, in the order in which they were added. */
export function allSources(): readonly Source[] {
  return sources;
}

export function sourceAt(position: number): Source | undefined {
  if (position === 0) return undefined;
  let low = 0;
  let high = sources.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sources[middle]!.base <= position) low = middle;
    else high = middle - 1;
  }
  return sources[low];
}

const lineStarts: (Int32Array | undefined)[] = [];

/**
 * Returns the offsets at which the lines of a source start; "
 * ", "\r
 * " and "\r" end a line.
 */
function startsOf(source: Source): Int32Array {
  const known = lineStarts[source.index];
  if (known !== undefined) return known;
  const starts = [0];
  const text = source.text;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10) starts.push(i + 1);
    else if (c === 13) {
      if (text.charCodeAt(i + 1) === 10) i++;
      starts.push(i + 1);
    }
  }
  while (lineStarts.length <= source.index) lineStarts.push(undefined);
  const result = Int32Array.from(starts);
  lineStarts[source.index] = result;
  return result;
}

/** Returns line and column, both from 1. */
export function lineAndColumn(position: number): { line: number; column: number } {
  const source = sourceAt(position);
  if (source === undefined) return { line: 0, column: 0 };
  const starts = startsOf(source);
  const offset = position - source.base;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

function lineText(source: Source, starts: Int32Array, line: number): string | undefined {
  if (line < 1 || line > starts.length || source.text === "") return undefined;
  const start = starts[line - 1]!;
  const end = line < starts.length ? starts[line]! : source.text.length;
  return source.text.slice(start, end).replace(/\r?\n$|\r$/, "");
}

/** Returns the public form of a position, with the lines around it. */
export function resolvePosition(position: number): SourcePosition | undefined {
  const resolved = placedPosition(position);
  return resolved === undefined ? undefined : { ...resolved, file: shownPath(resolved.file) };
}

/** Returns the public form of a position, but for the stand-in that the file's path may have. */
export function placedPosition(position: number): SourcePosition | undefined {
  const source = sourceAt(position);
  if (source === undefined || source.origin === "internal") return undefined;
  const { line, column } = lineAndColumn(position);
  const starts = startsOf(source);
  return {
    file: source.name,
    line,
    column,
    excerpt: {
      previous: lineText(source, starts, line - 1),
      line: lineText(source, starts, line),
      next: lineText(source, starts, line + 1),
    },
  };
}

/** Returns a position as `/path/file.nix:3:7`, as the reference prints it inside messages. */
export function showPosition(position: number): string {
  return shownPath(showPlacedPosition(position));
}

/** Returns a position as `showPosition` does, but for the stand-in that the file's path may have: for messages of errors. */
export function showPlacedPosition(position: number): string {
  const source = sourceAt(position);
  if (source === undefined) return byteStringOf("«none»");
  const { line, column } = lineAndColumn(position);
  return `${source.name}:${line}:${column}`;
}
