/** Data of unknown length within a connection: pieces with their lengths, ended by an empty one. */
import { number, type WirePeer } from "./codec.ts";
import type { Decoding, WireInput } from "./input.ts";
import { WireOutput } from "./output.ts";

/** The length of a piece; zero is the end. The bytes of the piece follow without padding. */
export const frameLength = number;

/**
 * Reads framed data to its end and gives each part to `sink` as it arrives; parts need not be whole pieces, and none is kept.
 * Error `protocol`.
 */
export function* readFrames(input: WireInput, peer: WirePeer, sink: (part: Uint8Array) => void): Decoding<undefined> {
  for (;;) {
    input.startMessage();
    let left = yield* frameLength.read(input, peer);
    if (left === 0) return undefined;
    while (left > 0) {
      const part = input.takeSome(left);
      if (part.length === 0) yield left;
      else sink(part);
      left -= part.length;
    }
  }
}

/** Returns the bytes of one piece; for an empty piece, which would mean the end, it returns no bytes. */
export function frame(piece: Uint8Array): Uint8Array {
  const output = new WireOutput();
  if (piece.length > 0) {
    output.number(piece.length);
    output.bytes(piece);
  }
  return output.finish();
}

/** Returns the bytes that end framed data. */
export function framesEnd(): Uint8Array {
  return new Uint8Array(8);
}
