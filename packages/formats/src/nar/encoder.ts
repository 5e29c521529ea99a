/**
 * Writes the NAR format as a sequence of tokens, gathered into chunks of about 64 KiB. The caller walks the tree; the encoder checks
 * that entries come in order, so that what it wrote can be read back.
 */
import { bytesOf } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { maxNarDepth } from "./parser.ts";

const CHUNK = 65536;
/** Size of the first chunk: most archives are one small file and should not cost a whole chunk. */
const FIRST_CHUNK = 1024;
const ZEROS = new Uint8Array(8);
const MAGIC = "nix-archive-1";

/** Encodes constant tokens, once in advance. */
function token(...strings: readonly string[]): Uint8Array {
  let size = 0;
  for (const text of strings) size += 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const text of strings) {
    new DataView(bytes.buffer).setUint32(at, text.length, true);
    bytes.set(bytesOf(text), at + 8);
    at += 8 + Math.ceil(text.length / 8) * 8;
  }
  return bytes;
}

const OPEN = token(MAGIC, "(", "type");
const NODE_OPEN = token("node", "(", "type");
const REGULAR = token("regular", "contents");
const EXECUTABLE = token("regular", "executable", "", "contents");
const SYMLINK = token("symlink", "target");
const DIRECTORY = token("directory");
const ENTRY = token("entry", "(", "name");
const CLOSE = token(")");

/** Encodes a tree as a NAR; call `take` now and then and send the chunks that it returns. */
export class NarEncoder {
  #ready: Uint8Array[] = [];
  #size = FIRST_CHUNK;
  #buffer = new Uint8Array(FIRST_CHUNK);
  #used = 0;
  #fileLeft = 0;
  #filePad = 0;
  readonly #last: string[] = [];
  #nodeFollows = false;
  readonly #transient: boolean;
  /** Buffers of chunks that are ready, of those taken last, and of those that may be written to again. */
  #full: Uint8Array<ArrayBuffer>[] = [];
  #taken: Uint8Array<ArrayBuffer>[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** With `transient`, each call of `take` uses up the chunks that the one before it returned. */
  constructor(options: { readonly transient?: boolean } = {}) {
    this.#transient = options.transient ?? false;
    this.#raw(OPEN);
  }

  /** Begins a regular file; exactly `size` bytes must follow through `data`. */
  file(size: number, executable: boolean): void {
    this.#startNode();
    this.#raw(executable ? EXECUTABLE : REGULAR);
    this.#number(size);
    this.#fileLeft = size;
    this.#filePad = (8 - (size % 8)) % 8;
    if (size === 0) this.#raw(CLOSE);
  }

  /** Adds contents to the file begun last. */
  data(chunk: Uint8Array): void {
    if (chunk.length > this.#fileLeft) throw new FirnError("bad-nar", "file has grown while it was archived");
    if (chunk.length === 0) return;
    this.#fileLeft -= chunk.length;
    this.#raw(chunk);
    if (this.#fileLeft > 0) return;
    this.#raw(ZEROS.subarray(0, this.#filePad));
    this.#raw(CLOSE);
  }

  /** Writes a symbolic link; `target` is a byte string. */
  symlink(target: string): void {
    this.#startNode();
    this.#raw(SYMLINK);
    this.#string(target);
    this.#raw(CLOSE);
  }

  /** Begins a directory; entries follow, then `endDirectory`. Error `nar-too-deep`. */
  directory(): void {
    if (this.#last.length >= maxNarDepth) {
      const path = this.#last.map((name) => `/${name}`).join("");
      throw new FirnError("nar-too-deep", `path '${path}' exceeds maximum NAR directory depth of ${maxNarDepth}`);
    }
    this.#startNode();
    this.#raw(DIRECTORY);
    this.#last.push("");
  }

  /** Begins the next entry of the open directory by its name, a byte string; its node follows, then `endEntry`. Names must ascend. */
  entry(name: string): void {
    const last = this.#last.at(-1);
    if (last === undefined || name <= last) throw new FirnError("bad-nar", `entry '${name}' is out of order`);
    this.#last[this.#last.length - 1] = name;
    this.#raw(ENTRY);
    this.#string(name);
    this.#nodeFollows = true;
  }

  /** Ends an entry. */
  endEntry(): void {
    if (this.#fileLeft > 0) throw new FirnError("bad-nar", "file has shrunk while it was archived");
    this.#raw(CLOSE);
  }

  /** Ends a directory. */
  endDirectory(): void {
    this.#last.pop();
    this.#raw(CLOSE);
  }

  /** Returns the complete chunks; with `all`, everything written so far. */
  take(all = false): Uint8Array[] {
    if (all && this.#used > 0) {
      this.#ready.push(this.#buffer.subarray(0, this.#used));
      this.#buffer = this.#buffer.subarray(this.#used);
      this.#used = 0;
    }
    const ready = this.#ready;
    this.#ready = [];
    if (this.#transient) {
      this.#spare.push(...this.#taken);
      this.#taken = this.#full;
      this.#full = [];
    }
    return ready;
  }

  #startNode(): void {
    if (this.#nodeFollows) this.#raw(NODE_OPEN);
    this.#nodeFollows = false;
  }

  /** Begins a new buffer with room for so many bytes, which are fewer than a chunk. */
  #flush(room = 0): void {
    if (this.#used > 0) this.#ready.push(this.#buffer.subarray(0, this.#used));
    if (this.#transient && this.#buffer.length === CHUNK) this.#full.push(this.#buffer);
    // Most archives of texts are small, and a new buffer is filled with zeros.
    do this.#size = Math.min(CHUNK, this.#size * 8);
    while (this.#size < room);
    this.#buffer = (this.#size === CHUNK ? this.#spare.pop() : undefined) ?? new Uint8Array(this.#size);
    this.#used = 0;
  }

  #raw(bytes: Uint8Array): void {
    if (bytes.length >= CHUNK) {
      if (this.#used > 0) this.#flush();
      this.#ready.push(bytes);
      return;
    }
    if (this.#used + bytes.length > this.#buffer.length) this.#flush(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #number(value: number): void {
    if (this.#used + 8 > this.#buffer.length) this.#flush();
    let rest = value;
    for (let i = 0; i < 8; i++) {
      this.#buffer[this.#used++] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }

  #string(text: string): void {
    this.#number(text.length);
    this.#raw(bytesOf(text));
    this.#raw(ZEROS.subarray(0, (8 - (text.length % 8)) % 8));
  }
}
