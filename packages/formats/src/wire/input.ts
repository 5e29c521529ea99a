/**
 * Bytes that arrive in pieces, and decoders over them. A decoder is a generator: while bytes are missing it yields the least
 * number of them, so a connection, a file and a whole buffer are read by the same code, and nothing here waits.
 */
import { FirnError } from "../base/error.ts";

/** A decoder in progress: yields the least number of bytes that are missing, returns the value. */
export type Decoding<Value> = Generator<number, Value, undefined>;

/** Default size limit of one message in a {@link WireInput}: 256 MiB, many times the size of a large store's lists. */
export const maxMessageSize = 1 << 28;

/** Makes the error for a peer that violates its protocol: code `protocol`. */
export function protocolError(message: string): FirnError {
  return new FirnError("protocol", message);
}

/**
 * The bytes of a connection that have arrived and are not read yet. The memory that a message takes is bounded: strings and
 * lists longer than the rest of the bound are refused when their length is read.
 */
export class WireInput {
  readonly #bound: number;
  #left: number;
  #chunks: Uint8Array[] = [];
  /** Number of chunks that have been read. */
  #first = 0;
  /** Number of bytes of the first chunk that have been read. */
  #at = 0;
  #available = 0;

  /** Takes the size limit of one message in bytes, and optionally the first bytes. */
  constructor(bound: number = maxMessageSize, ...chunks: readonly Uint8Array[]) {
    this.#bound = bound;
    this.#left = bound;
    for (const chunk of chunks) this.push(chunk);
  }

  /** Takes bytes that arrived; they must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#available += chunk.length;
  }

  /** Takes back bytes that were read last and belong to what follows. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const rest = this.#chunks[this.#first]?.subarray(this.#at);
    this.#chunks.splice(0, this.#first + 1, bytes, ...(rest === undefined ? [] : [rest]));
    this.#first = 0;
    this.#at = 0;
    this.#available += bytes.length;
  }

  /** Number of bytes available. */
  get available(): number {
    return this.#available;
  }

  /** Begins a message: the whole bound is free again. */
  startMessage(): void {
    this.#left = this.#bound;
  }

  /** Throws `protocol` unless so many more bytes fit into the message. */
  requireRoom(length: number, what: string): void {
    if (length > this.#left) throw protocolError(`the peer's message has no room for ${what}`);
  }

  /** Reads exactly so many bytes of the message. */
  *take(length: number): Decoding<Uint8Array> {
    this.requireRoom(length, `${length} bytes`);
    while (this.#available < length) yield length - this.#available;
    this.#left -= length;
    const head = this.takeSome(length);
    if (head.length === length) return head;
    const bytes = new Uint8Array(length);
    bytes.set(head);
    for (let at = head.length; at < length; ) {
      const part = this.takeSome(length - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /**
   * Returns at most so many of the bytes that are there in one piece, which is empty when there are none. They are not counted to the
   * message: this is how archives pass.
   */
  takeSome(limit: number): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined || limit <= 0) return new Uint8Array(0);
    const part = chunk.subarray(this.#at, this.#at + limit);
    this.#at += part.length;
    this.#available -= part.length;
    if (this.#at === chunk.length) {
      this.#at = 0;
      this.#first++;
      if (this.#first > 64 || this.#first === this.#chunks.length) {
        this.#chunks.splice(0, this.#first);
        this.#first = 0;
      }
    }
    return part;
  }
}
