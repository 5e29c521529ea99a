/**
 * Reads a NAR pushed to it in chunks of any size and tells its contents to a sink. Everything is bounded and checked before
 * it is used: depth, tags, names, link targets, padding, order of entries. Messages are those of the reference.
 */
import { byteString } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";

/** Limit of nested directories in an archive, its root not counted. */
export const maxNarDepth = 64;
const MAX_TAG = 32;
const MAX_NAME = 255;
const MAX_TARGET = 4095;
const MAGIC = "nix-archive-1";
const EMPTY = new Uint8Array(0);

/** Receives a tree in order; paths are `""` for the root and `/a/b` below it, byte strings. */
export interface NarSink {
  directory(path: string): void;
  regular(path: string, file: { executable: boolean; size: number; offset: number }): void;
  /** Receives contents of the file announced last; the chunk must not be kept. */
  data(chunk: Uint8Array): void;
  endRegular(path: string): void;
  symlink(path: string, target: string): void;
}

function bad(message: string): FirnError {
  return new FirnError("bad-nar", `bad archive: ${message}`);
}

/** Parses a NAR incrementally: `push` the bytes, then `finish`. Chunks are not kept after `push`. */
export class NarParser {
  readonly #sink: NarSink;
  readonly #run: Generator<void, void, undefined>;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #position = 0;
  #done = false;

  constructor(sink: NarSink) {
    this.#sink = sink;
    this.#run = this.#archive();
  }

  /** Takes bytes of the archive; throws `bad-nar` as soon as something is wrong. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#done) throw bad("trailing data after the end of the archive");
    this.#pushSome(chunk);
    if (this.#done && this.#at < this.#chunk.length) throw bad("trailing data after the end of the archive");
  }

  /** Takes bytes and returns how many belong to the archive (fewer than given once it has ended). */
  pushSome(chunk: Uint8Array): number {
    if (this.#done) return 0;
    this.#pushSome(chunk);
    return this.#at - (this.#chunk.length - chunk.length);
  }

  /** True when the archive is complete. */
  get done(): boolean {
    return this.#done;
  }

  /** Number of bytes of the archive consumed so far. */
  get position(): number {
    return this.#position;
  }

  /** Ends the input; throws `bad-nar` when the archive is incomplete. */
  finish(): void {
    if (!this.#done) throw bad("unexpected end-of-file");
  }

  #pushSome(chunk: Uint8Array): void {
    const rest = this.#chunk.length - this.#at;
    if (rest === 0) this.#chunk = chunk;
    else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#chunk.subarray(this.#at), 0);
      joined.set(chunk, rest);
      this.#chunk = joined;
    }
    this.#at = 0;
    if (this.#run.next().done === true) this.#done = true;
    // The giver may use its buffer again; what is left is the beginning of a tag or a name.
    else if (this.#at < this.#chunk.length) this.#chunk = this.#chunk.slice(this.#at);
    else this.#chunk = EMPTY;
    if (!this.#done) this.#at = 0;
  }

  *#number(): Generator<void, number, undefined> {
    while (this.#chunk.length - this.#at < 8) yield;
    const view = new DataView(this.#chunk.buffer, this.#chunk.byteOffset + this.#at, 8);
    const low = view.getUint32(0, true);
    const high = view.getUint32(4, true);
    if (high >= 0x200000) throw bad("length is out of range");
    this.#skip(8);
    return high * 2 ** 32 + low;
  }

  #skip(count: number): void {
    this.#at += count;
    this.#position += count;
  }

  #whole(max: number): string | undefined {
    const left = this.#chunk.length - this.#at;
    if (left < 8) return undefined;
    const view = new DataView(this.#chunk.buffer, this.#chunk.byteOffset + this.#at, 8);
    const size = view.getUint32(0, true);
    if (view.getUint32(4, true) !== 0 || size > max) throw bad("string is too long");
    const padded = Math.ceil(size / 8) * 8;
    if (left < 8 + padded) return undefined;
    const start = this.#at + 8;
    for (let i = start + size; i < start + padded; i++) if (this.#chunk[i] !== 0) throw bad("non-zero padding");
    const text = byteString(this.#chunk.subarray(start, start + size));
    this.#skip(8 + padded);
    return text;
  }

  *#string(max: number): Generator<void, string, undefined> {
    for (;;) {
      const text = this.#whole(max);
      if (text !== undefined) return text;
      yield;
    }
  }

  *#expect(tag: string): Generator<void, void, undefined> {
    const found = this.#whole(MAX_TAG) ?? (yield* this.#string(MAX_TAG));
    if (found !== tag) throw bad(`expected tag '${tag}', got '${found}'`);
  }

  *#archive(): Generator<void, void, undefined> {
    while (this.#chunk.length - this.#at < 24) yield;
    let magic: string | undefined;
    try {
      magic = this.#whole(MAGIC.length);
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
    }
    if (magic !== MAGIC) throw bad("input doesn't look like a Nix archive");
    yield* this.#node("", 0);
  }

  *#node(path: string, depth: number): Generator<void, void, undefined> {
    if (depth >= maxNarDepth) throw bad(`NAR directory nesting exceeds maximum depth of ${maxNarDepth}`);
    yield* this.#expect("(");
    yield* this.#expect("type");
    const type = yield* this.#string(MAX_TAG);
    if (type === "regular") yield* this.#regular(path);
    else if (type === "directory") yield* this.#directory(path, depth);
    else if (type === "symlink") {
      yield* this.#expect("target");
      const target = yield* this.#string(MAX_TARGET);
      if (target === "" || target.includes("\0")) throw bad("NAR contains invalid symlink target");
      this.#sink.symlink(path, target);
      yield* this.#expect(")");
    } else throw bad(`unknown file type '${type}'`);
  }

  *#regular(path: string): Generator<void, void, undefined> {
    let tag = yield* this.#string(MAX_TAG);
    const executable = tag === "executable";
    if (executable) {
      if ((yield* this.#string(MAX_TAG)) !== "") throw bad("executable marker has non-empty value");
      tag = yield* this.#string(MAX_TAG);
    }
    if (tag !== "contents") throw bad(`expected tag 'contents', got '${tag}'`);
    const size = yield* this.#number();
    this.#sink.regular(path, { executable, size, offset: this.#position });
    let left = size;
    while (left > 0) {
      const available = Math.min(left, this.#chunk.length - this.#at);
      if (available === 0) {
        yield;
        continue;
      }
      this.#sink.data(this.#chunk.subarray(this.#at, this.#at + available));
      this.#skip(available);
      left -= available;
    }
    const padding = (8 - (size % 8)) % 8;
    while (this.#chunk.length - this.#at < padding) yield;
    for (let i = 0; i < padding; i++) if (this.#chunk[this.#at + i] !== 0) throw bad("non-zero padding");
    this.#skip(padding);
    this.#sink.endRegular(path);
    yield* this.#expect(")");
  }

  *#directory(path: string, depth: number): Generator<void, void, undefined> {
    this.#sink.directory(path);
    let last = "";
    for (;;) {
      const tag = this.#whole(MAX_TAG) ?? (yield* this.#string(MAX_TAG));
      if (tag === ")") return;
      if (tag !== "entry") throw bad(`expected tag 'entry' or ')', got '${tag}'`);
      yield* this.#expect("(");
      yield* this.#expect("name");
      const name = yield* this.#string(MAX_NAME);
      if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
        throw bad(`NAR contains invalid file name '${name}'`);
      }
      if (name <= last) throw bad("NAR directory is not sorted");
      last = name;
      yield* this.#expect("node");
      yield* this.#node(`${path}/${name}`, depth + 1);
      yield* this.#expect(")");
    }
  }
}

/** A sink that ignores everything; spread it and override what matters. */
export const ignoringNarSink: NarSink = {
  directory: () => {},
  regular: () => {},
  data: () => {},
  endRegular: () => {},
  symlink: () => {},
};
