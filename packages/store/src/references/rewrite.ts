/** Replaces store path hashes in a stream by others of the same length, also across the borders of chunks. */

/** Rewrites the bytes that are pushed and passes them on. */
export class HashRewriter {
  readonly #replacements: readonly { from: Buffer; to: Buffer }[];
  readonly #emit: (chunk: Uint8Array) => void;
  readonly #longest: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(replacements: ReadonlyMap<string, string>, emit: (chunk: Uint8Array) => void) {
    this.#replacements = [...replacements].map(([from, to]) => ({
      from: Buffer.from(from, "latin1"),
      to: Buffer.from(to, "latin1"),
    }));
    this.#emit = emit;
    this.#longest = Math.max(0, ...this.#replacements.map(({ from }) => from.length));
  }

  /** Takes bytes. */
  push(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#held, chunk]);
    for (const { from, to } of this.#replacements) {
      for (let at = all.indexOf(from); at >= 0; at = all.indexOf(from, at + from.length)) {
        to.copy(all, at);
      }
    }
    const ready = Math.max(0, all.length - Math.max(0, this.#longest - 1));
    if (ready > 0) this.#emit(all.subarray(0, ready));
    this.#held = all.subarray(ready);
  }

  /** Passes on the bytes that were held back. */
  finish(): void {
    if (this.#held.length > 0) this.#emit(this.#held);
    this.#held = Buffer.alloc(0);
  }
}
