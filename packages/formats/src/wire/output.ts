/** Collects bytes for a connection. */
import { FirnError } from "../base/error.ts";

const firstSize = 256;

/** Collects numbers, strings and bytes in the form of the protocols. */
export class WireOutput {
  #bytes = new Uint8Array(firstSize);
  #length = 0;

  /** Adds an unsigned number of 64 bits, little-endian. Throws `protocol` for one that is negative, too large or no integer. */
  number(value: number | bigint): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new FirnError("protocol", `the number ${value} cannot be sent`);
    }
    const wide = BigInt(value);
    if (BigInt.asUintN(64, wide) !== wide) throw new FirnError("protocol", `the number ${value} cannot be sent`);
    const at = this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigUint64(at, wide, true);
  }

  /** Adds a byte string: its length, its bytes, zeros up to a multiple of eight. */
  string(text: string): void {
    this.number(text.length);
    const at = this.#reserve(Math.ceil(text.length / 8) * 8);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
  }

  /** Adds bytes as they are. */
  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Returns the collected bytes and begins anew. */
  finish(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(firstSize);
    this.#length = 0;
    return bytes;
  }

  #reserve(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
