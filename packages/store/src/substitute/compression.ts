/** Compression of NARs and logs. xz comes from lzma-native, byte-equal to the xz program at preset 6 with CRC64. */
import { createRequire } from "node:module";
import { type Duplex, Readable } from "node:stream";
import zlib from "node:zlib";
import { FirnError } from "@firn/formats";
import { startProgram } from "../program/start.ts";
import type { NarChunks } from "../store/paths.ts";

/** Compression methods that a narinfo may name. */
export const compressions = [
  "none",
  "xz",
  "zstd",
  "gzip",
  "bzip2",
  "br",
  "lzip",
  "lz4",
  "compress",
  "grzip",
  "lrzip",
  "lzma",
  "lzop",
] as const;

/** The name of a compression method. */
export type Compression = (typeof compressions)[number];

/** Returns the compression that the first bytes of a file indicate. */
export function compressionOf(bytes: Uint8Array): Compression {
  const starts = (...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (starts(0x1f, 0x8b)) return "gzip";
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return "xz";
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if (starts(0x42, 0x5a, 0x68)) return "bzip2";
  return "none";
}

interface Codecs {
  readonly compress: (() => Duplex) | undefined;
  readonly decompress: (() => Duplex) | undefined;
  /** Program for a method without a library, and the words that say how to compress. */
  readonly program?: readonly [string, ...string[]];
}

/** The level and the threads of a compression. */
export interface CompressionEffort {
  /** The method's own level; -1 or nothing for its default. */
  readonly level?: number;
  /** True to use all processors where the method can: xz. Node's zstd loses data when it has workers. */
  readonly parallel?: boolean;
}

interface Lzma {
  createStream(coder: string, options: { preset: number; check?: number; threads?: number }): Duplex;
  createCompressor(options: { preset: number; check: number; threads?: number }): Duplex;
  createDecompressor(options?: { memlimit?: number }): Duplex;
  CHECK_CRC64: number;
}

/**
 * The size of pieces that zlib gives: each costs a change between threads, and by default they have 16 KB. What waits before and behind it
 * lets its thread work while this one reads, hashes and writes.
 */
const pieces = { chunkSize: 1 << 17, writableHighWaterMark: 1 << 20, readableHighWaterMark: 1 << 20 };
const CHUNKS_AHEAD = 4;

/** Levels of a method: the first, the last, and the one that is meant when none is given. */
const levels: Readonly<Record<string, readonly [first: number, last: number, usual: number]>> = {
  gzip: [0, 9, 6],
  zstd: [-131_072, 22, 3],
  br: [0, 11, 6],
  xz: [0, 9, 6],
  lzma: [0, 9, 6],
  bzip2: [0, 9, 9],
};
/** Preset 0 for the library, which takes 0 for none given and keeps the low 32 bits of others. */
const XZ_PRESET_0 = 2 ** 32;
const XZ_MEMORY = 2 ** 30;

function lzma(): Lzma | undefined {
  try {
    return createRequire(import.meta.url)("lzma-native") as Lzma;
  } catch {
    return undefined;
  }
}

/** Returns the level to compress with. Error `bad-setting` for one that the method lacks. */
function levelOf(method: string, level: number | undefined): number {
  const [first, last, usual] = levels[method] ?? [-1, -1, -1];
  if (level === undefined || level === -1) return usual;
  if (level >= first && level <= last) return level;
  throw new FirnError("bad-setting", "failed to compress (compression-level invalid)", {
    hint: usual === -1 ? `'${method}' has no levels` : `the levels of ${method} are ${first} to ${last}`,
  });
}

function codecs(method: string, effort: CompressionEffort = {}): Codecs {
  const level = levelOf(method, effort.level);
  switch (method) {
    case "gzip":
      return {
        compress: () => zlib.createGzip({ level, ...pieces }),
        decompress: () => zlib.createGunzip(pieces),
      };
    case "zstd":
      return {
        compress: () =>
          zlib.createZstdCompress({
            ...pieces,
            params: {
              [zlib.constants.ZSTD_c_compressionLevel]: level,
            },
          }),
        decompress: () => zlib.createZstdDecompress(pieces),
      };
    case "br":
      return {
        compress: () =>
          zlib.createBrotliCompress({ ...pieces, params: { [zlib.constants.BROTLI_PARAM_QUALITY]: level } }),
        decompress: () => zlib.createBrotliDecompress(pieces),
      };
    case "xz":
    case "lzma": {
      const library = lzma();
      if (library === undefined) {
        return { compress: undefined, decompress: undefined, program: ["xz", `--format=${method}`, `-${level}`] };
      }
      const threads = effort.parallel === true ? { threads: 0 } : {};
      return {
        compress: () =>
          method === "lzma"
            ? library.createStream("aloneEncoder", { preset: level })
            : library.createCompressor({
                preset: level === 0 ? XZ_PRESET_0 : level,
                check: library.CHECK_CRC64,
                ...threads,
              }),
        decompress: () => library.createDecompressor({ memlimit: XZ_MEMORY }),
      };
    }
    case "bzip2":
      return { compress: undefined, decompress: undefined, program: ["bzip2", `-${Math.max(level, 1)}`] };
    case "lzip":
    case "lz4":
    case "lzop":
      return { compress: undefined, decompress: undefined, program: [method] };
    default:
      throw new FirnError("unknown-compression", `unknown compression method '${method}'`);
  }
}

async function* through(input: NarChunks, stream: Duplex): AsyncGenerator<Uint8Array, void, undefined> {
  const source = Readable.from(input, { highWaterMark: CHUNKS_AHEAD });
  source.on("error", (error) => stream.destroy(error));
  source.pipe(stream, { end: false });
  // A chunk that still waits when the end comes would be compressed together with it, to other bytes.
  source.on("end", () => stream.write(new Uint8Array(), () => stream.end()));
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    stream.destroy();
  }
}

async function* throughProgram(
  input: NarChunks,
  command: readonly [string, ...string[]],
): AsyncGenerator<Uint8Array, void, undefined> {
  const [program, ...args] = command;
  const child = startProgram(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve, reject) => {
    let errors = "";
    child.stderr.on("data", (data: Buffer) => {
      errors += data.toString("latin1").slice(0, 1000);
    });
    child.on("error", (error) =>
      reject(new FirnError("missing-program", `the program '${program}' cannot be run: ${error.message}`)),
    );
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new FirnError("bad-compressed-data", `${program} failed: ${errors.trim()}`)),
    );
  });
  ended.catch(() => {});
  const source = Readable.from(input, { objectMode: false });
  child.stdin.on("error", () => source.destroy());
  source.on("error", () => child.kill());
  source.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    await ended;
  } finally {
    source.destroy();
    child.kill();
  }
}

/** Compresses a stream. Errors `bad-setting` for a level that the method lacks, `unknown-compression`. */
export async function* compress(
  input: NarChunks,
  method: string,
  effort: CompressionEffort = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  if (method === "none" || method === "") {
    yield* input;
    return;
  }
  const { compress: make, program } = codecs(method, effort);
  if (make !== undefined) yield* through(input, make());
  else yield* throughProgram(input, [...program!, "-c"]);
}

/** Decompresses a stream, yielding at most `limit` bytes (errors `bad-compressed-data`, `too-large`, `unknown-compression`). */
export async function* decompress(
  input: NarChunks,
  method: string,
  limit = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  let output: NarChunks = input;
  if (method !== "none" && method !== "") {
    const { decompress: make, program } = codecs(method);
    output = make !== undefined ? through(input, make()) : throughProgram(input, [program![0], "-dc"]);
  }
  try {
    for await (const chunk of output) {
      size += chunk.length;
      if (size > limit)
        throw new FirnError("too-large", `decompressed data is larger than the expected ${limit} bytes`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof FirnError) throw error;
    throw new FirnError(
      "bad-compressed-data",
      `failed to decompress (${method}): ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Returns the file name suffix of a method, with its dot. */
export function compressionSuffix(method: string): string {
  // The reference gives gzip, lzma and lzop no suffix.
  const suffixes: Readonly<Record<string, string>> = {
    xz: ".xz",
    bzip2: ".bz2",
    zstd: ".zst",
    lzip: ".lzip",
    lz4: ".lz4",
    br: ".br",
  };
  return suffixes[method] ?? "";
}
