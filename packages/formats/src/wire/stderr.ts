/** Messages of a daemon while it works: log lines, activities and their results, errors, and data of old versions. */
import {
  bigNumber,
  changedIn,
  convert,
  list,
  number,
  record,
  string,
  type WireCodec,
  type WirePeer,
  type WireValue,
} from "./codec.ts";
import { type Decoding, protocolError, type WireInput } from "./input.ts";
import type { WireOutput } from "./output.ts";
import { wireVersion } from "./version.ts";

/** Severities of messages by their numbers. */
export const verbosities = ["error", "warn", "notice", "info", "talkative", "chatty", "debug", "vomit"] as const;

/** Kinds of activities by their numbers. */
export const activityTypes = {
  unknown: 0,
  copyPath: 100,
  fileTransfer: 101,
  realise: 102,
  copyPaths: 103,
  builds: 104,
  build: 105,
  optimiseStore: 106,
  verifyPaths: 107,
  substitute: 108,
  queryPathInfo: 109,
  postBuildHook: 110,
  buildWaiting: 111,
  fetchTree: 112,
} as const;

/** Kinds of results of activities by their numbers. */
export const resultTypes = {
  fileLinked: 100,
  buildLogLine: 101,
  untrustedPath: 102,
  corruptedPath: 103,
  setPhase: 104,
  progress: 105,
  setExpected: 106,
  postBuildLogLine: 107,
  fetchStatus: 108,
} as const;

/** A field of an activity or result. */
const field: WireCodec<bigint | string> = {
  *read(input, peer) {
    const type = yield* number.read(input, peer);
    if (type === 0) return yield* bigNumber.read(input, peer);
    if (type === 1) return yield* string.read(input, peer);
    throw protocolError(`got unsupported field type ${type.toString(16)} from Nix daemon`);
  },
  write(output, value) {
    output.number(typeof value === "string" ? 1 : 0);
    if (typeof value === "string") output.string(value);
    else output.number(value);
  },
};
const fields = list(field);

/** A position in a source, which the protocol has no form for: always zero. */
const noPosition: WireCodec<undefined> = convert(
  number,
  (value) => {
    if (value !== 0) throw protocolError("the peer sent an error with a position");
    return undefined;
  },
  () => 0,
);

/** The word `Error` that stands where older programs told a name. */
const errorType: WireCodec<undefined> = convert(
  string,
  (text) => {
    if (text !== "Error") throw protocolError(`the peer sent an error of the type '${text}'`);
    return undefined;
  },
  () => "Error",
);
const obsoleteName: WireCodec<undefined> = convert(
  string,
  () => undefined,
  () => "Error",
);

/** An error of a daemon: severity, text, exit status and traces, innermost first. */
export interface WireError {
  readonly level: number;
  readonly message: string;
  /** Exit status; told before version 1.26 only, else 1. */
  readonly status: number;
  /** Traces; told from version 1.26 on. */
  readonly traces: readonly string[];
}

const oldError: WireCodec<WireError> = convert(
  record({ message: string, status: number }),
  (value) => ({ ...value, level: 0, traces: [] }),
  ({ message, status }) => ({ message, status }),
);
const newError: WireCodec<WireError> = convert(
  record({
    type: errorType,
    level: number,
    name: obsoleteName,
    message: string,
    position: noPosition,
    traces: list(record({ position: noPosition, hint: string })),
  }),
  ({ level, message, traces }) => ({ level, message, status: 1, traces: traces.map(({ hint }) => hint) }),
  ({ level, message, traces }) => ({ level, message, traces: traces.map((hint) => ({ hint })) }),
);

const error = changedIn(wireVersion(1, 26), oldError, newError);

const bodies = {
  /** A line of the log. */
  next: record({ text: string }),
  /** A request for so many bytes of the archive being added (before version 1.23). */
  read: record({ length: number }),
  /** Data of the path being exported (old versions). */
  write: record({ data: string }),
  /** The answer of the operation follows. */
  last: record({}),
  /** The operation failed; no answer follows. */
  error: record({ error }),
  "start-activity": record({
    id: bigNumber,
    level: number,
    type: number,
    text: string,
    fields,
    parent: bigNumber,
  }),
  "stop-activity": record({ id: bigNumber }),
  result: record({ id: bigNumber, type: number, fields }),
};
type Bodies = typeof bodies;

/** One message, told apart by `kind`. */
export type StderrMessage = { [Kind in keyof Bodies]: { readonly kind: Kind } & WireValue<Bodies[Kind]> }[keyof Bodies];

const tags: { readonly [Kind in keyof Bodies]: number } = {
  next: 0x6f6c6d67,
  read: 0x64617461,
  write: 0x64617416,
  last: 0x616c7473,
  error: 0x63787470,
  "start-activity": 0x53545254,
  "stop-activity": 0x53544f50,
  result: 0x52534c54,
};
const kinds = new Map(Object.entries(tags).map(([kind, tag]) => [tag, kind as keyof Bodies]));

/** One message of the stream before an answer, which `last` or `error` ends. */
export const stderrMessage: WireCodec<StderrMessage> = {
  *read(input: WireInput, peer: WirePeer): Decoding<StderrMessage> {
    const tag = yield* number.read(input, peer);
    const kind = kinds.get(tag);
    if (kind === undefined) throw protocolError(`got unknown message type ${tag.toString(16)} from Nix daemon`);
    const codec: WireCodec<object> = bodies[kind];
    return { kind, ...(yield* codec.read(input, peer)) } as StderrMessage;
  },
  write(output: WireOutput, message: StderrMessage, peer: WirePeer) {
    output.number(tags[message.kind]);
    const codec: WireCodec<object> = bodies[message.kind];
    codec.write(output, message, peer);
  },
};
