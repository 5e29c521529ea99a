/** Buffers beside the heap in which strings are put together whose length is not known before. */

const firstSize = 1 << 12;
const largestKept = 1 << 20;
const mostKept = 32;

/** The buffers of work that has ended: there are as many as work was nested. */
const spare: Uint8Array[] = [];

/** Returns a buffer of some bytes at least, whose content is anything. */
export function takeBuffer(size: number): Uint8Array {
  const kept = spare.pop();
  return kept !== undefined && kept.length >= size ? kept : new Uint8Array(Math.max(size, firstSize));
}

/** Takes back a buffer that nobody uses any more. */
export function returnBuffer(buffer: Uint8Array): void {
  if (buffer.length <= largestKept && spare.length < mostKept) spare.push(buffer);
}

/** Returns a larger buffer with the first bytes of another. */
export function largerBuffer(buffer: Uint8Array, used: number, size: number): Uint8Array {
  const larger = takeBuffer(2 * size);
  larger.set(buffer.subarray(0, used));
  returnBuffer(buffer);
  return larger;
}
