/** Numbers and strings as the reference's protocols have them on a connection: little-endian 64 bits, strings padded to 8 bytes. */
import { bytesOf, FirnError } from "@firn/formats";

/** Longer strings and lists than these are no part of any protocol. */
const maxString = 1 << 20;
const maxItems = 1 << 20;

/** Reads a connection piece by piece. */
export class WireReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether the peer has nothing more to say. */
  async atEnd(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done === true) return true;
      this.rest = next.value;
    }
    return false;
  }

  /** A number below 2⁵³. Errors `protocol`, `connection-closed`. */
  async number(): Promise<number> {
    const bytes = await this.exactly(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FirnError("protocol", `the peer sent the number ${value}`);
    return Number(value);
  }

  /** A string as bytes. */
  async string(): Promise<string> {
    const length = await this.number();
    if (length > maxString) throw new FirnError("protocol", `the peer sent a string of ${length} bytes`);
    const padded = await this.exactly(Math.ceil(length / 8) * 8);
    if (padded.subarray(length).some((byte) => byte !== 0)) throw new FirnError("protocol", "non-zero padding");
    return Buffer.from(padded.buffer, padded.byteOffset, length).toString("latin1");
  }

  async strings(): Promise<string[]> {
    const count = await this.number();
    if (count > maxItems) throw new FirnError("protocol", `the peer sent a list of ${count} strings`);
    const result: string[] = [];
    for (let i = 0; i < count; i++) result.push(await this.string());
    return result;
  }

  /** So many bytes, in chunks. */
  async *bytes(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0; ) {
      if (await this.atEnd()) throw closed();
      const chunk = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  private async exactly(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.bytes(length)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }
}

function closed(): FirnError {
  return new FirnError("connection-closed", "unexpected end-of-file");
}

/** The bytes of a number. */
export function wireNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** The bytes of a string. */
export function wireString(text: string): Uint8Array {
  const bytes = new Uint8Array(8 + Math.ceil(text.length / 8) * 8);
  bytes.set(wireNumber(text.length));
  bytes.set(bytesOf(text), 8);
  return bytes;
}

/** The bytes of a list of strings. */
export function wireStrings(list: readonly string[]): Uint8Array {
  return Buffer.concat([wireNumber(list.length), ...list.map(wireString)]);
}
