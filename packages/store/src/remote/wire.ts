/** Moves the bytes of a connection to and from the codecs of `@firn/formats`. */
import { FirnError, wire } from "@firn/formats";

/** The two directions of a connection. */
export interface Connection {
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes bytes; resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
}

/** Size limit of one piece of input, in bytes. */
const PIECE = 1 << 16;

/** A connection that values are read from and written to. It keeps its input and the values agreed on with the peer. */
export class WireConnection {
  /** Bytes that have arrived and are not read yet. */
  readonly input = new wire.WireInput();
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly connection: Connection;

  /** Takes over a connection, whose input no other code reads. */
  constructor(connection: Connection) {
    this.connection = connection;
    this.chunks = connection.input[Symbol.asyncIterator]();
  }

  /** Tells whether the peer has closed the connection and all input is read. */
  async atEnd(): Promise<boolean> {
    while (this.input.available === 0) if (!(await this.more())) return true;
    return false;
  }

  /** Runs this end's part of an exchange and returns its result. Errors of the part, and `connection-closed`. */
  async converse<Value>(part: wire.Conversation<Value>): Promise<Value> {
    this.input.startMessage();
    for (;;) {
      const step = part.next();
      if (step.done === true) return step.value;
      if (typeof step.value !== "number") await this.write(step.value);
      else if (!(await this.more())) throw closed();
    }
  }

  /** Reads a value. Errors of the codec, and `connection-closed`. */
  read<Value>(codec: wire.WireCodec<Value>, peer: wire.WirePeer): Promise<Value> {
    return this.converse(codec.read(this.input, peer));
  }

  /** Sends bytes; resolves when more may be sent. */
  write(bytes: Uint8Array): Promise<void> {
    return this.connection.write(bytes);
  }

  /** Yields so many bytes of the input, in chunks; error `connection-closed` when it ends before. */
  async *bytes(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0; ) {
      if (await this.atEnd()) throw closed();
      const chunk = this.input.takeSome(left);
      left -= chunk.length;
      yield chunk;
    }
  }

  /** Returns the next bytes of the input, at least one; error `connection-closed` at its end. */
  async piece(): Promise<Uint8Array> {
    if (await this.atEnd()) throw closed();
    return this.input.takeSome(PIECE);
  }

  private async more(): Promise<boolean> {
    const next = await this.chunks.next();
    if (next.done !== true) this.input.push(next.value);
    return next.done !== true;
  }
}

function closed(): FirnError {
  return new FirnError("connection-closed", "unexpected end-of-file");
}
