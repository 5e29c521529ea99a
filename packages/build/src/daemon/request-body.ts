/** Data after a request, in each form that versions of the protocol have. */
import { FirnError, ignoringNarSink, NarParser, wire } from "@firn/formats";
import type { WireConnection } from "@firn/store";

/** The data of one request. */
export interface RequestBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Reads what is left of the data, so that the next request can be read. Fails when the client is gone. */
  skip(): Promise<void>;
}

/** Returns the data after a request. `ask` sends a message that asks for more, in versions that have that. */
export function requestBody(
  ends: WireConnection,
  form: wire.WireBody | undefined,
  { peer, size, ask }: { readonly peer: wire.WirePeer; readonly size: number; ask(length: number): Promise<void> },
): RequestBody {
  switch (form) {
    case "framed":
      return bodyOf(frames(ends, peer));
    case "archive":
      return bodyOf(archive(ends));
    case "pulled":
      // What is not asked for is not sent.
      return { chunks: pulled(ends, { peer, size, ask }), skip: async () => undefined };
    case "sized":
    case "export":
    case undefined:
      throw new FirnError("internal", `no operation of a daemon has data of the form '${form}'`);
  }
}

function bodyOf(source: AsyncGenerator<Uint8Array, void, undefined>): RequestBody {
  // A loop that is left early must not end the source, which is read to its end by `skip`.
  const chunks: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => source.next() }),
  };
  return {
    chunks,
    async skip() {
      for await (const _ of chunks);
    },
  };
}

async function* frames(ends: WireConnection, peer: wire.WirePeer): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const length = await ends.read(wire.frameLength, peer);
    if (length === 0) return;
    yield* ends.bytes(length);
  }
}

async function* archive(ends: WireConnection): AsyncGenerator<Uint8Array, void, undefined> {
  const parser = new NarParser(ignoringNarSink);
  while (!parser.done) {
    const chunk = await ends.piece();
    const taken = parser.pushSome(chunk);
    if (parser.done) ends.input.putBack(chunk.subarray(taken));
    yield parser.done ? chunk.subarray(0, taken) : chunk;
  }
}

const PULL = 1 << 16;

async function* pulled(
  ends: WireConnection,
  { peer, size, ask }: { readonly peer: wire.WirePeer; readonly size: number; ask(length: number): Promise<void> },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = size; left > 0; ) {
    await ask(Math.min(left, PULL));
    const text = await ends.read(wire.string, peer);
    if (text.length === 0 || text.length > left) throw wire.protocolError("unexpected end-of-file");
    left -= text.length;
    yield Buffer.from(text, "latin1");
  }
}
