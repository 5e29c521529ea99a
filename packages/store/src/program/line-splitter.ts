/** Cuts output into lines in constant memory and linear time, for lines of any length. */

const MAX_LINE = 1 << 20;

/** Takes bytes in pieces; passes on each line without its end, of very long ones the last MiB. */
export class LineSplitter {
  readonly #give: (line: string) => void;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(give: (line: string) => void) {
    this.#give = give;
  }

  write(data: Buffer): void {
    let from = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, from)) {
      if (this.#length === 0) this.#give(data.toString("latin1", Math.max(from, end - MAX_LINE), end));
      else {
        this.#keep(data.subarray(from, end));
        this.end();
      }
      from = end + 1;
    }
    this.#keep(data.subarray(from));
  }

  /** Passes on the rest, which has no line end. */
  end(): void {
    if (this.#length === 0) return;
    const line = this.#buffer.toString("latin1", Math.max(0, this.#length - MAX_LINE), this.#length);
    this.#length = 0;
    this.#give(line);
  }

  /** Moves the line's tail to the front when the buffer is full: each byte is moved once on average. */
  #keep(data: Buffer): void {
    const tail = data.subarray(Math.max(0, data.length - MAX_LINE));
    if (this.#length + tail.length > 2 * MAX_LINE) {
      this.#buffer.copyWithin(0, this.#length - MAX_LINE, this.#length);
      this.#length = MAX_LINE;
    }
    if (this.#length + tail.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(2 * MAX_LINE, 2 * (this.#length + tail.length)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    tail.copy(this.#buffer, this.#length);
    this.#length += tail.length;
  }
}
