/** Parsers for git's listings of trees and objects. */
import { FirnError } from "@firn/formats";

/** An entry of a revision; paths are byte strings relative to its root, unchecked as they are in the repository. */
export interface ListedEntry {
  readonly mode: string;
  readonly type: string;
  readonly object: string;
  readonly path: string;
}

/** Parses entries as `git ls-tree -r -z` prints them. Error `git` for anything else. */
export function parseTreeListing(output: Uint8Array): ListedEntry[] {
  const text = Buffer.from(output.buffer, output.byteOffset, output.length).toString("latin1");
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^(\d{6}) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line);
      if (match === null) throw new FirnError("git", `Git lists an entry that cannot be read: '${line}'`);
      const [, mode = "", type = "", object = "", path = ""] = match;
      return { mode, type, object, path };
    });
}

/** Receives the objects of a {@link ObjectReader} in their order, each in pieces that are not kept afterwards. */
export interface ObjectSink {
  /** Starts the object with this number, which counts from 0, and tells its size in bytes. */
  begin(index: number, size: number): void;
  write(piece: Uint8Array): void;
  end(): void;
}

/** Reads the contents of `count` objects as `git cat-file --batch` prints them. Error `git` for anything else. */
export class ObjectReader {
  readonly #count: number;
  readonly #sink: ObjectSink;
  #index = 0;
  /** The beginning of a header that has not arrived whole. */
  #header = "";
  /** Bytes of the present object that are still to come; undefined between objects. */
  #left: number | undefined;

  constructor(count: number, sink: ObjectSink) {
    this.#count = count;
    this.#sink = sink;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.#left === undefined ? this.#head(chunk, at) : this.#body(chunk, at);
  }

  /** Ends the output, which must hold all objects. */
  finish(): void {
    if (this.#left !== undefined || this.#header !== "") throw unreadable(this.#header);
    if (this.#index === this.#count) return;
    throw new FirnError("git", `Git gave ${this.#index} objects where ${this.#count} were asked for`);
  }

  #head(chunk: Buffer, at: number): number {
    const end = chunk.indexOf("\n", at);
    this.#header += chunk.toString("latin1", at, end < 0 ? chunk.length : end);
    if (this.#header.length > LONGEST_HEADER) throw unreadable(this.#header.slice(0, LONGEST_HEADER));
    if (end < 0) return chunk.length;
    const size = /^[0-9a-f]+ \w+ (\d{1,15})$/.exec(this.#header)?.[1];
    if (size === undefined || this.#index === this.#count) throw unreadable(this.#header);
    this.#header = "";
    this.#left = Number(size);
    this.#sink.begin(this.#index, this.#left);
    return end + 1;
  }

  /** Takes bytes of the present object, or the newline behind it. */
  #body(chunk: Buffer, at: number): number {
    const left = this.#left ?? 0;
    if (left > 0) {
      const end = Math.min(chunk.length, at + left);
      this.#sink.write(chunk.subarray(at, end));
      this.#left = left - (end - at);
      return end;
    }
    if (chunk[at] !== NEWLINE) throw unreadable("");
    this.#left = undefined;
    this.#index += 1;
    this.#sink.end();
    return at + 1;
  }
}

/** Length above which a line is no header of an object. */
const LONGEST_HEADER = 200;
const NEWLINE = 0x0a;

function unreadable(header: string): FirnError {
  return new FirnError("git", `Git object '${header}' cannot be read`);
}
