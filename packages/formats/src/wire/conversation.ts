/** The greetings of both ends of a connection, without the connection between them. */

import { choice, number, obsolete, optional, record, since, string, stringSet, type WirePeer } from "./codec.ts";
import { type Decoding, protocolError, type WireInput } from "./input.ts";
import { WireOutput } from "./output.ts";
import { agreedVersion, serveProtocol, type WireProtocol, wireVersion, workerProtocol } from "./version.ts";

/**
 * One end's part of an exchange: yields bytes to send, or the least number of input bytes that are missing. The caller sends,
 * or waits and pushes what arrives.
 */
export type Conversation<Value> = Generator<number | Uint8Array, Value, undefined>;

/** The facts that a daemon tells about itself. */
export interface DaemonFacts {
  /** The version of the program; told from version 1.33 on. */
  readonly nixVersion: string | undefined;
  /** True when the client is trusted, that is, may use restricted operations; told from version 1.35 on, and undefined when unknown. */
  readonly trusted: boolean | undefined;
}

const trust = choice("trusted status", [undefined, "trusted", "not-trusted"]);

const daemonFacts = record({
  nixVersion: since(wireVersion(1, 33), string, undefined),
  trust: since(wireVersion(1, 35), trust, undefined),
});

/** Fields that clients send after the versions, all without meaning today. */
const clientFacts = record({ processor: optional(obsolete(0)), reserveSpace: obsolete(0) });

function bytesFor(write: (output: WireOutput) => void): Uint8Array {
  const output = new WireOutput();
  write(output);
  return output.finish();
}

const peerOf = (storeDir: string, version: number, features: ReadonlySet<string> = new Set()): WirePeer => ({
  storeDir,
  version,
  features,
});

function* readMagic(input: WireInput, protocol: WireProtocol, expected: number): Decoding<undefined> {
  if ((yield* number.read(input, peerOf("", 0))) !== expected)
    throw protocolError(`${protocol.name} protocol mismatch`);
  return undefined;
}

function* clientVersion(input: WireInput, protocol: WireProtocol): Conversation<number> {
  yield bytesFor((output) => {
    output.number(protocol.clientMagic);
    output.number(protocol.newest);
  });
  yield* readMagic(input, protocol, protocol.serverMagic);
  return agreedVersion(protocol, "server", yield* number.read(input, peerOf("", 0)));
}

function* serverVersion(input: WireInput, protocol: WireProtocol): Conversation<number> {
  yield* readMagic(input, protocol, protocol.clientMagic);
  yield bytesFor((output) => {
    output.number(protocol.serverMagic);
    output.number(protocol.newest);
  });
  return agreedVersion(protocol, "client", yield* number.read(input, peerOf("", 0)));
}

/** The properties of one end of a conversation. */
export interface WireEnd {
  readonly storeDir: string;
  /** The protocol; one with an older version makes this end speak as an older program does. */
  readonly protocol?: WireProtocol;
}

/** The properties of one end of the worker protocol. */
export interface WorkerEnd extends WireEnd {
  /** Features of this end. There are none in version 1.38 of the reference. */
  readonly features?: ReadonlySet<string>;
}

/** Greets a server of the serve protocol; returns the values agreed on. Error `protocol`. */
export function* greetServer(
  input: WireInput,
  { storeDir, protocol = serveProtocol }: WireEnd,
): Conversation<WirePeer> {
  return peerOf(storeDir, yield* clientVersion(input, protocol));
}

/** Answers the greeting of a client of the serve protocol. Error `protocol`. */
export function* answerClient(
  input: WireInput,
  { storeDir, protocol = serveProtocol }: WireEnd,
): Conversation<WirePeer> {
  return peerOf(storeDir, yield* serverVersion(input, protocol));
}

const featuresSince = wireVersion(1, 38);

/** Greets a daemon. The messages that it starts with, to `last` or `error`, are left for the caller to read. Error `protocol`. */
export function* greetDaemon(input: WireInput, end: WorkerEnd): Conversation<WirePeer & DaemonFacts> {
  const { storeDir, protocol = workerProtocol, features = new Set<string>() } = end;
  const version = yield* clientVersion(input, protocol);
  let shared: ReadonlySet<string> = new Set();
  if (version >= featuresSince) {
    yield bytesFor((output) => stringSet.write(output, [...features], peerOf(storeDir, version)));
    shared = features.intersection(new Set(yield* stringSet.read(input, peerOf(storeDir, version))));
  }
  const peer = peerOf(storeDir, version, shared);
  yield bytesFor((output) => clientFacts.write(output, {}, peer));
  const facts = yield* daemonFacts.read(input, peer);
  return {
    ...peer,
    nixVersion: facts.nixVersion,
    trusted: facts.trust === undefined ? undefined : facts.trust === "trusted",
  };
}

/** Answers the greeting of a daemon's client. The messages to start with, at least `last`, are left for the caller to write. Error `protocol`. */
export function* answerDaemonClient(
  input: WireInput,
  end: WorkerEnd & { readonly facts: DaemonFacts },
): Conversation<WirePeer> {
  const { storeDir, protocol = workerProtocol, features = new Set<string>(), facts } = end;
  const version = yield* serverVersion(input, protocol);
  let shared: ReadonlySet<string> = new Set();
  if (version >= featuresSince) {
    shared = features.intersection(new Set(yield* stringSet.read(input, peerOf(storeDir, version))));
    yield bytesFor((output) => stringSet.write(output, [...features], peerOf(storeDir, version)));
  }
  const peer = peerOf(storeDir, version, shared);
  yield* clientFacts.read(input, peer);
  const { nixVersion, trusted } = facts;
  const trust = trusted === undefined ? undefined : trusted ? "trusted" : "not-trusted";
  yield bytesFor((output) => daemonFacts.write(output, { nixVersion: nixVersion ?? "", trust }, peer));
  return peer;
}
