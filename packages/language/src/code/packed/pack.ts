/**
 * Packed code: the lowered code of many sources as one block of bytes. Integers, little endian:
 *   magic, strings, string bytes, constants, segments, code length;
 *   where each string ends; constants (kind, string); the index of segments; their code; then the bytes of the strings.
 * Symbols and constants are numbers of strings; positions and offsets are relative to their source.
 */
const magic = 0x324e5246;
const headerLength = 6;
const indexLength = 8;

export const constantKinds = { string: 0, integer: 1, float: 2, path: 3 } as const;

/** One source's code. */
export interface Segment {
  /** Content hash of the source, 16 bytes. */
  readonly hash: string;
  /** The code, followed by notes and scopes. */
  readonly cells: Int32Array;
  readonly codeLength: number;
  /** Length of the source's text. */
  readonly textLength: number;
}

function hashCells(hash: string): [number, number, number, number] {
  const word = (at: number) =>
    hash.charCodeAt(at) |
    (hash.charCodeAt(at + 1) << 8) |
    (hash.charCodeAt(at + 2) << 16) |
    (hash.charCodeAt(at + 3) << 24);
  return [word(0), word(4), word(8), word(12)];
}

type Decode = (bytes: Uint8Array) => string;

/** A loaded pack. */
export class Pack {
  readonly stringCount: number;
  readonly constantCount: number;
  private readonly ends: Int32Array;
  readonly constantCells: Int32Array;
  private readonly index: Int32Array;
  readonly code: Int32Array;
  readonly bytes: Uint8Array;
  private readonly decode: Decode;
  private readonly byHash = new Map<string, number>();

  private constructor(cells: Int32Array, bytes: Uint8Array, decode: Decode) {
    this.stringCount = cells[1]!;
    this.constantCount = cells[3]!;
    let at = headerLength;
    const take = (length: number) => cells.subarray(at, (at += length));
    this.ends = take(this.stringCount);
    this.constantCells = take(2 * this.constantCount);
    this.index = take(indexLength * cells[4]!);
    this.code = take(cells[5]!);
    this.bytes = bytes;
    this.decode = decode;
    const { buffer, byteOffset, byteLength } = this.index;
    const hashes = decode(new Uint8Array(buffer, byteOffset, byteLength));
    for (let i = 0, at = 0; i < cells[4]!; i++, at += 4 * indexLength) this.byHash.set(hashes.slice(at, at + 16), i);
  }

  /** Reads a pack, decoding strings with `decode`; undefined when the bytes are not a pack. */
  static read(data: Uint8Array, decode: Decode): Pack | undefined {
    const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
    const words = aligned.length >> 2;
    const cells = new Int32Array(aligned.buffer, aligned.byteOffset, words);
    if (words < headerLength || cells[0] !== magic) return undefined;
    for (let i = 1; i < headerLength; i++) if (cells[i]! < 0) return undefined;
    const length = headerLength + cells[1]! + 2 * cells[3]! + indexLength * cells[4]! + cells[5]!;
    if (4 * length + cells[2]! !== aligned.length) return undefined;
    return new Pack(cells, aligned.subarray(4 * length), decode);
  }

  /** Returns where the bytes of a string start. */
  startOf(number: number): number {
    return number === 0 ? 0 : this.ends[number - 1]!;
  }

  /** Returns where the bytes of a string end. */
  endOf(number: number): number {
    return this.ends[number]!;
  }

  string(number: number): string {
    return this.decode(this.bytes.subarray(this.startOf(number), this.ends[number]!));
  }

  stringEnds(): Int32Array {
    return this.ends;
  }

  /** Returns the segment of a source with this content, or undefined. */
  find(hash: string): Segment | undefined {
    const i = this.byHash.get(hash);
    return i === undefined ? undefined : this.segmentAt(i, hash);
  }

  segments(): Segment[] {
    return [...this.byHash].map(([hash, i]) => this.segmentAt(i, hash));
  }

  private segmentAt(i: number, hash: string): Segment {
    const at = i * indexLength;
    const start = this.index[at + 4]!;
    return {
      hash,
      cells: this.code.subarray(start, start + this.index[at + 6]!),
      codeLength: this.index[at + 5]!,
      textLength: this.index[at + 7]!,
    };
  }
}

/** Collects segments for a new pack; with a `base`, its strings keep their numbers, so that its segments can be taken over. */
export class PackBuilder {
  private readonly base: Pack | undefined;
  private readonly strings: string[] = [];
  private readonly stringNumbers = new Map<string, number>();
  private readonly constants: number[] = [];
  private readonly constantNumbers = new Map<string, number>();
  private readonly segments: Segment[] = [];
  private codeLength = 0;
  private textBytes = 0;

  constructor(base?: Pack) {
    this.base = base;
  }

  string(text: string): number {
    let number = this.stringNumbers.get(text);
    if (number === undefined) {
      number = (this.base?.stringCount ?? 0) + this.strings.length;
      this.strings.push(text);
      this.stringNumbers.set(text, number);
      this.textBytes += text.length;
    }
    return number;
  }

  constant(kind: number, text: string): number {
    const key = String.fromCharCode(kind) + text;
    let number = this.constantNumbers.get(key);
    if (number === undefined) {
      number = (this.base?.constantCount ?? 0) + this.constants.length / 2;
      this.constants.push(kind, this.string(text));
      this.constantNumbers.set(key, number);
    }
    return number;
  }

  add(segment: Segment): void {
    this.segments.push(segment);
    this.codeLength += segment.cells.length;
  }

  /** Returns the approximate size of the pack in bytes. */
  size(): number {
    return 4 * this.codeLength + this.textBytes + (this.base?.bytes.length ?? 0);
  }

  /** Returns the pack in pieces, to be written one after the other. */
  pieces(): Uint8Array[] {
    const { base, strings, constants, segments } = this;
    const stringCount = (base?.stringCount ?? 0) + strings.length;
    const constantCount = (base?.constantCount ?? 0) + constants.length / 2;
    const head = new Int32Array(headerLength + stringCount + 2 * constantCount + indexLength * segments.length);
    let end = base?.bytes.length ?? 0;
    const bytes = new Uint8Array(this.textBytes);
    let at = headerLength;
    if (base !== undefined) {
      head.set(base.stringEnds(), at);
      at += base.stringCount;
    }
    let filled = 0;
    for (let i = 0; i < strings.length; i++) {
      const text = strings[i]!;
      for (let k = 0; k < text.length; k++) bytes[filled++] = text.charCodeAt(k);
      end += text.length;
      head[at++] = end;
    }
    if (base !== undefined) {
      head.set(base.constantCells, at);
      at += 2 * base.constantCount;
    }
    head.set(constants, at);
    at += constants.length;
    let start = 0;
    for (const segment of segments) {
      head.set(hashCells(segment.hash), at);
      head.set([start, segment.codeLength, segment.cells.length, segment.textLength], at + 4);
      start += segment.cells.length;
      at += indexLength;
    }
    head.set([magic, stringCount, end, constantCount, segments.length, start]);
    const asBytes = (cells: Int32Array) => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
    return [
      asBytes(head),
      ...segments.map((segment) => asBytes(segment.cells)),
      ...(base === undefined ? [] : [base.bytes]),
      bytes,
    ];
  }
}
