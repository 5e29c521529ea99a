/** Data of unknown length within a connection: pieces with their lengths, ended by an empty one. */
import { number, type WirePeer } from "./codec.ts";
import type { Decoding, WireInput } from "./input.ts";
import { WireOutput } from "./output.ts";

/** The length of a piece; zero is the end. The piece itself follows as it is, without padding. */
export const frameLength = number;

/**
 * Reads framed data to its end and gives each part that arrives to `sink`; parts are no pieces, and none is kept. Error `protocol`.
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

/** Returns the bytes of one piece; an empty one would be the end, so it gives no bytes. */
export function frame(piece: Uint8Array): Uint8Array {
  const output = new WireOutput();
  if (piece.length > 0) {
    output.number(piece.length);
    output.bytes(piece);
  }
  return output.finish();
}

/** Returns the bytes of the end. */
export function framesEnd(): Uint8Array {
  return new Uint8Array(8);
}
