/**
 * Codecs: one value that reads and writes a form of the wire, so that both ends of a connection share it. They are data; what differs
 * between versions of a protocol is asked of the peer while reading and writing.
 */
import { byteString, sortedUnique } from "../base/bytes.ts";
import { type Decoding, protocolError, WireInput } from "./input.ts";
import { WireOutput } from "./output.ts";

/** The values that both ends of a connection have agreed on. */
export interface WirePeer {
  /** The directory of the store paths that are sent. */
  readonly storeDir: string;
  /** The version of the protocol, major in the upper byte. */
  readonly version: number;
  /** Features of the worker protocol that both ends have. */
  readonly features: ReadonlySet<string>;
}

/** Reads and writes values of one form. Errors have the code `protocol` or that of the type that a string should have had. */
export interface WireCodec<Value> {
  read(input: WireInput, peer: WirePeer): Decoding<Value>;
  write(output: WireOutput, value: Value, peer: WirePeer): void;
}

/** The values of a codec. */
export type WireValue<Codec> = Codec extends WireCodec<infer Value> ? Value : never;

/** An unsigned number of 64 bits. */
export const bigNumber: WireCodec<bigint> = {
  *read(input) {
    const bytes = yield* input.take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  },
  write: (output, value) => output.number(value),
};

/** A number below 2⁵³; larger ones are refused. */
export const number: WireCodec<number> = {
  *read(input) {
    const bytes = yield* input.take(8);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    const high = view.getUint32(4, true);
    if (high >= 0x200000) throw protocolError(`the peer sent the number ${view.getBigUint64(0, true)}`);
    return high * 2 ** 32 + view.getUint32(0, true);
  },
  write: (output, value) => output.number(value),
};

/** A boolean, written as a number: zero is false, any other number true. */
export const flag: WireCodec<boolean> = {
  *read(input) {
    return (yield* bigNumber.read(input, nobody)) !== 0n;
  },
  write: (output, value) => output.number(value ? 1 : 0),
};

/** A byte string of any length that fits into a message. */
export const string: WireCodec<string> = {
  *read(input) {
    const length = yield* number.read(input, nobody);
    input.requireRoom(length, `a string of ${length} bytes`);
    const padded = yield* input.take(Math.ceil(length / 8) * 8);
    for (let i = length; i < padded.length; i++) if (padded[i] !== 0) throw protocolError("non-zero padding");
    return byteString(padded.subarray(0, length));
  },
  write: (output, value) => output.string(value),
};

/** The peer for codecs that do not use it. */
const nobody: WirePeer = { storeDir: "", version: 0, features: new Set() };

/** Reads the number of items that follow, each of at least eight bytes. */
function* readCount(input: WireInput, wordsPerItem: number): Decoding<number> {
  const count = yield* number.read(input, nobody);
  input.requireRoom(count * 8 * wordsPerItem, `a list of ${count} items`);
  return count;
}

/** Makes the codec of a list: a count, then the items in their order. */
export function list<Item>(item: WireCodec<Item>): WireCodec<readonly Item[]> {
  return {
    *read(input, peer) {
      const count = yield* readCount(input, 1);
      const items: Item[] = [];
      for (let i = 0; i < count; i++) items.push(yield* item.read(input, peer));
      return items;
    },
    write(output, items, peer) {
      output.number(items.length);
      for (const value of items) item.write(output, value, peer);
    },
  };
}

/** Makes the codec of a set of byte strings: sorted and without duplicates, in whatever order they arrive or are given. */
export function setOf(item: WireCodec<string>): WireCodec<readonly string[]> {
  return convert(list(item), sortedUnique, sortedUnique);
}

/** Makes the codec of a map with byte strings as keys: a count, then keys and values, sorted by keys. A key that comes twice is refused. */
export function mapOf<Value>(key: WireCodec<string>, item: WireCodec<Value>): WireCodec<ReadonlyMap<string, Value>> {
  return {
    *read(input, peer) {
      const count = yield* readCount(input, 2);
      const entries = new Map<string, Value>();
      for (let i = 0; i < count; i++) {
        const name = yield* key.read(input, peer);
        if (entries.has(name)) throw protocolError(`the peer sent '${name}' twice`);
        entries.set(name, yield* item.read(input, peer));
      }
      return entries;
    },
    write(output, entries, peer) {
      output.number(entries.size);
      for (const name of [...entries.keys()].sort()) {
        key.write(output, name, peer);
        item.write(output, entries.get(name) as Value, peer);
      }
    },
  };
}

/** Strings in their order. */
export const strings = list(string);
/** A set of strings. */
export const stringSet = setOf(string);

/** Makes a codec whose values are made from those of another one. `decode` may throw. */
export function convert<From, To>(
  codec: WireCodec<From>,
  decode: (value: From, peer: WirePeer) => To,
  encode: (value: To, peer: WirePeer) => From,
): WireCodec<To> {
  return {
    *read(input, peer) {
      return decode(yield* codec.read(input, peer), peer);
    },
    write: (output, value, peer) => codec.write(output, encode(value, peer), peer),
  };
}

/** Fields of a record, in the order of the wire. */
type Fields = Readonly<Record<string, WireCodec<unknown>>>;
/** A record with the values of such fields, those without meaning left out. */
type FieldValues<F extends Fields> = {
  readonly [Name in keyof F as WireValue<F[Name]> extends undefined ? never : Name]: WireValue<F[Name]>;
};

/** A record's codec, with its fields as data. */
export interface WireRecord<F extends Fields> extends WireCodec<FieldValues<F>> {
  readonly fields: F;
}

/** Makes the codec of a record: its fields one after the other. */
export function record<const F extends Fields>(fields: F): WireRecord<F> {
  return {
    fields,
    *read(input, peer) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of Object.entries(fields)) {
        const item = yield* codec.read(input, peer);
        if (item !== undefined) value[name] = item;
      }
      return value as FieldValues<F>;
    },
    write(output, value: Readonly<Record<string, unknown>>, peer) {
      for (const [name, codec] of Object.entries(fields)) codec.write(output, value[name], peer);
    },
  };
}

/** Makes the codec of a field that exists from a version on; in older versions `absent` is its value and is not written. */
export function since<Value, Absent>(
  version: number,
  codec: WireCodec<Value>,
  absent: Absent,
): WireCodec<Value | Absent> {
  return {
    *read(input, peer) {
      return peer.version >= version ? yield* codec.read(input, peer) : absent;
    },
    write(output, value, peer) {
      if (peer.version >= version) codec.write(output, value as Value, peer);
    },
  };
}

/** Makes the codec that is `newer` from a version on, else `older`. */
export function changedIn<Value>(version: number, older: WireCodec<Value>, newer: WireCodec<Value>): WireCodec<Value> {
  const pick = (peer: WirePeer): WireCodec<Value> => (peer.version >= version ? newer : older);
  return {
    read: (input, peer) => pick(peer).read(input, peer),
    write: (output, value, peer) => pick(peer).write(output, value, peer),
  };
}

/** Makes the codec that reads and writes as a peer of a fixed version does, whatever was agreed on. */
export function asOf<Value>(version: number, codec: WireCodec<Value>): WireCodec<Value> {
  return {
    read: (input, peer) => codec.read(input, { ...peer, version }),
    write: (output, value, peer) => codec.write(output, value, { ...peer, version }),
  };
}

/** Makes the codec of a field without meaning, which is written as `value` and ignored when read. */
export function obsolete(value: number): WireCodec<undefined> {
  return convert(
    bigNumber,
    () => undefined,
    () => BigInt(value),
  );
}

/** Makes the codec of a value that may be missing: a zero, or a one and the value. */
export function optional<Value>(codec: WireCodec<Value>): WireCodec<Value | undefined> {
  return {
    *read(input, peer) {
      const tag = yield* bigNumber.read(input, peer);
      if (tag > 1n) throw protocolError(`the peer sent ${tag} where a value is or is not`);
      return tag === 0n ? undefined : yield* codec.read(input, peer);
    },
    write(output, value, peer) {
      output.number(value === undefined ? 0 : 1);
      if (value !== undefined) codec.write(output, value, peer);
    },
  };
}

/** Makes the codec of one of several values, told by its place in `values`; others are refused as an invalid `what`. */
export function choice<const Value extends string | undefined>(
  what: string,
  values: readonly Value[],
): WireCodec<Value> {
  return convert(
    number,
    (index) => {
      if (index >= values.length) throw protocolError(`the peer sent an invalid ${what}: ${index}`);
      return values[index] as Value;
    },
    (value) => {
      const index = values.indexOf(value);
      if (index < 0) throw protocolError(`'${value}' is no ${what}`);
      return index;
    },
  );
}

/** No fields at all: the request or answer of operations that have none. */
export const nothing: WireCodec<undefined> = {
  // biome-ignore lint/correctness/useYield: there is nothing to read.
  *read() {
    return undefined;
  },
  write: () => undefined,
};

/** The number one, by which a peer says that an operation is done. Another number is refused. */
export const done: WireCodec<undefined> = convert(
  number,
  (value) => {
    if (value !== 1) throw protocolError(`the peer sent ${value} where 1 means that it is done`);
    return undefined;
  },
  () => 1,
);

/** Reads a value from its bytes, which must be complete and contain nothing else; error `protocol`. */
export function decodeWire<Value>(codec: WireCodec<Value>, bytes: Uint8Array, peer: WirePeer): Value {
  const input = new WireInput(bytes.length, bytes);
  const step = codec.read(input, peer).next();
  if (step.done !== true) throw protocolError(`${step.value} bytes are missing`);
  if (input.available > 0) throw protocolError(`${input.available} bytes are too many`);
  return step.value;
}

/** Returns the bytes of a value. */
export function encodeWire<Value>(codec: WireCodec<Value>, value: Value, peer: WirePeer): Uint8Array {
  const output = new WireOutput();
  codec.write(output, value, peer);
  return output.finish();
}
