/** Finds store path hashes in a stream of bytes, also across the borders of chunks. */

const LENGTH = 32;
const IS_DIGIT = new Uint8Array(256);
for (const character of "0123456789abcdfghijklmnpqrsvwxyz") IS_DIGIT[character.charCodeAt(0)] = 1;

/** Collects those of the given hash parts that occur in the pushed bytes. */
export class ReferenceScanner {
  readonly #wanted: Set<string>;
  readonly #found = new Set<string>();
  #tail: Uint8Array = new Uint8Array(0);

  /** Takes the hash parts: the first 32 characters of store path names. */
  constructor(hashParts: Iterable<string>) {
    this.#wanted = new Set(hashParts);
  }

  /** Takes bytes. */
  push(chunk: Uint8Array): void {
    if (this.#wanted.size === 0) return;
    if (this.#tail.length > 0) {
      const joint = new Uint8Array(this.#tail.length + Math.min(chunk.length, LENGTH));
      joint.set(this.#tail, 0);
      joint.set(chunk.subarray(0, LENGTH), this.#tail.length);
      this.#search(joint);
    }
    this.#search(chunk);
    if (chunk.length >= LENGTH) this.#tail = chunk.slice(chunk.length - LENGTH + 1);
    else {
      const joint = new Uint8Array(this.#tail.length + chunk.length);
      joint.set(this.#tail, 0);
      joint.set(chunk, this.#tail.length);
      this.#tail = joint.slice(Math.max(0, joint.length - LENGTH + 1));
    }
  }

  /** The hash parts found so far. */
  get found(): ReadonlySet<string> {
    return this.#found;
  }

  /** Searches as the reference does: examines the last byte of a window first and skips past any byte that is no digit. */
  #search(bytes: Uint8Array): void {
    for (let i = 0; i + LENGTH <= bytes.length; ) {
      let j = LENGTH - 1;
      while (j >= 0 && IS_DIGIT[bytes[i + j]!] === 1) j--;
      if (j >= 0) {
        i += j + 1;
        continue;
      }
      const candidate = String.fromCharCode.apply(null, bytes.subarray(i, i + LENGTH) as unknown as number[]);
      if (this.#wanted.delete(candidate)) this.#found.add(candidate);
      i++;
    }
  }
}
