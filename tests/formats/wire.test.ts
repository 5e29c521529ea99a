import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { ignoringNarSink, NarParser, wire } from "@firn/formats";
import { expect, test } from "vitest";

/** What real programs said to each other; `scripts/record-wire.ts` writes it. */
const directory = fileURLToPath(new URL("wire", import.meta.url));
const storeDir = "/nix/store";

interface Recording {
  readonly protocol: "worker" | "serve";
  readonly version: number;
  /** Whether the requests were written by our codecs. */
  readonly asked: boolean;
  readonly connections: readonly { readonly client: Buffer; readonly server: Buffer }[];
}

const recordings: readonly Recording[] = readdirSync(directory).map((name) => {
  const [, protocol, major, minor, asked] = /^(worker|serve)-(\d)\.(\d+)(-asked)?\.json\.gz$/.exec(name) ?? [];
  const { connections } = JSON.parse(gunzipSync(readFileSync(join(directory, name))).toString()) as {
    connections: { client: string; server: string }[];
  };
  return {
    protocol: protocol as Recording["protocol"],
    version: wire.wireVersion(Number(major), Number(minor)),
    asked: asked !== undefined,
    connections: connections.map(({ client, server }) => ({
      client: Buffer.from(client, "base64"),
      server: Buffer.from(server, "base64"),
    })),
  };
});

/** One side's bytes, read in order; whatever is read must be written as the same bytes. */
class Side {
  readonly input = new wire.WireInput();
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.input.push(bytes);
  }

  get atEnd(): boolean {
    return this.input.available === 0;
  }

  get #position(): number {
    return this.#bytes.length - this.input.available;
  }

  /** Lets a generator read; fails when bytes are missing. */
  finish<Value>(decoding: wire.Decoding<Value>): Value {
    this.input.startMessage();
    const step = decoding.next();
    if (step.done !== true) throw new Error(`${step.value} bytes are missing at ${this.#position}`);
    return step.value;
  }

  read<Value>(codec: wire.WireCodec<Value>, peer: wire.WirePeer): Value {
    const start = this.#position;
    const value = this.finish(codec.read(this.input, peer));
    const written = Buffer.from(wire.encodeWire(codec, value, peer));
    expect([value, written.toString("latin1")]).toEqual([value, this.#bytes.toString("latin1", start, this.#position)]);
    return value;
  }

  skip(length: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      const part = this.input.takeSome(left);
      expect(part.length).toBeGreaterThan(0);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  archive(): void {
    const parser = new NarParser(ignoringNarSink);
    const used = parser.pushSome(this.#bytes.subarray(this.#position));
    expect(parser.done).toBe(true);
    this.skip(used);
  }

  frames(peer: wire.WirePeer): Buffer {
    const parts: Uint8Array[] = [];
    this.finish(wire.readFrames(this.input, peer, (part) => parts.push(part)));
    return Buffer.concat(parts);
  }
}

/** Runs one end of a greeting on the bytes of the other end; what it sends must be what was sent there. */
function greet<Value>(conversation: wire.Conversation<Value>, sent: Side): Value {
  for (;;) {
    const step = conversation.next();
    if (step.done === true) return step.value;
    if (typeof step.value === "number") throw new Error("bytes are missing in a greeting");
    expect(sent.skip(step.value.length)).toEqual(Buffer.from(step.value));
  }
}

type Operation = wire.WireOperation<unknown, unknown>;

/** Reads the messages before an answer; returns whether there is one. */
function messages(client: Side, server: Side, peer: wire.WirePeer): boolean {
  for (;;) {
    const message = server.read(wire.stderrMessage, peer);
    if (message.kind === "last") return true;
    if (message.kind === "error") return false;
    if (message.kind === "read") expect(client.read(wire.string, peer).length).toBeLessThanOrEqual(message.length);
  }
}

function manyPaths(bytes: Buffer, peer: wire.WirePeer): void {
  const side = new Side(bytes);
  for (let count = side.read(wire.number, peer); count > 0; count--) {
    side.read(wire.pathInfoOfMany, peer);
    side.archive();
  }
  expect(side.atEnd).toBe(true);
}

/** Archives with facts behind them, in the form of `nix-store --export`. */
function exported(side: Side, peer: wire.WirePeer): void {
  while (side.read(wire.number, peer) === 1) {
    side.archive();
    expect(side.read(wire.number, peer)).toBe(0x4558494e);
    side.read(wire.storePath, peer);
    side.read(wire.storePaths, peer);
    side.read(wire.optionalStorePath, peer);
    expect(side.read(wire.number, peer)).toBe(0);
  }
}

/** Reads a connection from its first byte to its last; returns the names of its operations. */
function readConnection(recording: Recording, { client, server }: { client: Side; server: Side }): string[] {
  const { protocol, version } = recording;
  const worker = protocol === "worker";
  const protocols = worker ? wire.workerProtocol : wire.serveProtocol;
  const spoken = { ...protocols, newest: version };
  const greeting = worker
    ? wire.greetDaemon(server.input, { storeDir, protocol: spoken })
    : wire.greetServer(server.input, { storeDir, protocol: spoken });
  const peer = greet<wire.WirePeer>(greeting, client);
  expect(peer).toMatchObject({ storeDir, version });
  if (worker) expect(messages(client, server, peer)).toBe(true);
  const table: Readonly<Record<string, unknown>> = worker ? wire.workerOperations : wire.serveOperations;
  const operations = table as Readonly<Record<string, Operation>>;
  const names: string[] = [];
  while (!client.atEnd) {
    const number = client.read(wire.number, peer);
    const name = wire.operationName(operations, number, version);
    expect([...names, number, name]).toEqual([...names, number, expect.any(String)]);
    const operation = operations[name as string] as Operation;
    names.push(name as string);
    const request = client.read(operation.request, peer);
    switch (wire.requestBody(operation, version)) {
      case "archive":
        client.archive();
        break;
      case "sized":
        client.skip((request as { info: { narSize: number } }).info.narSize);
        break;
      case "framed": {
        const data = client.frames(peer);
        if (name === "AddMultipleToStore") manyPaths(data, peer);
        break;
      }
      case "export":
        exported(client, peer);
        break;
      case "pulled":
      case undefined:
        break;
    }
    if (worker && !messages(client, server, peer)) continue;
    server.read(operation.answer, peer);
    if (operation.answerBody === "archive") server.archive();
  }
  expect(server.atEnd).toBe(true);
  return names;
}

/** The server's part of a greeting, on the bytes of the client. */
function answerGreeting(recording: Recording, client: Side, server: Side): void {
  const spoken = { ...wire.workerProtocol, newest: recording.version };
  const facts = { nixVersion: "2.34.8", trusted: true };
  greet(wire.answerDaemonClient(client.input, { storeDir, protocol: spoken, facts }), server);
}

const seen = { worker: new Set<string>(), serve: new Set<string>() };

test.each(
  recordings.map((recording) => [recording.protocol, wire.showWireVersion(recording.version), recording] as const),
)("what the reference's programs say in the %s protocol %s is read and written", (protocol, _version, recording) => {
  for (const { client, server } of recording.connections) {
    for (const name of readConnection(recording, { client: new Side(client), server: new Side(server) }))
      seen[protocol].add(name);
    if (protocol === "worker" && !recording.asked) answerGreeting(recording, new Side(client), new Side(server));
  }
});

test("every operation was recorded", () => {
  expect([...seen.worker].sort()).toEqual(Object.keys(wire.workerOperations).sort());
  expect([...seen.serve].sort()).toEqual(Object.keys(wire.serveOperations).sort());
});
