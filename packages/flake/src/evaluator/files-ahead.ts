/**
 * Contents of files hashed in advance: an evaluation that begins with the same file as an earlier one reads mostly the same
 * files. While the evaluator's thread works, the mostly idle main thread hashes them (read-ahead.ts) and puts the digests
 * into a table that both share. A digest is valid while the file has the inode, size and time of change that it had when it
 * was read.
 */
import type { Stats } from "node:fs";
import type { KeptFiles } from "./kept-files.ts";

/** The hashed form of a regular file: its bytes, or its NAR. */
export type Hashed = "flat" | "nar";

/** The files that the main thread is to hash, and the table for the digests. */
export interface ReadAheadRequest {
  /** Method and place on disk (`flat /a/b`, a byte string) of each file, with zero bytes between them. */
  readonly wanted: string;
  /** A record for each of the files, initially zeros. */
  readonly table: SharedArrayBuffer;
}

/** The properties that distinguish one state of a file from another. */
export type FileStatus = Pick<Stats, "ino" | "size" | "ctimeMs">;

const RECORD = 64;
const DIGEST_AT = 32;
const DIGEST_SIZE = 32;

/** States of a record: empty, a valid digest, or a file that was already requested. */
const EMPTY = 0;
const READY = 1;
const PASSED = 2;

/** The records: state, inode, size and time of change, and the SHA-256. Written by one thread, read by another. */
export class DigestTable {
  readonly #states: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Buffer;

  constructor(table: SharedArrayBuffer) {
    this.#states = new Int32Array(table);
    this.#numbers = new Float64Array(table);
    this.#bytes = Buffer.from(table);
  }

  /** Returns a zeroed buffer for so many records. */
  static room(records: number): SharedArrayBuffer {
    return new SharedArrayBuffer(records * RECORD);
  }

  isWanted(record: number): boolean {
    return Atomics.load(this.#states, (record * RECORD) / 4) === EMPTY;
  }

  put(record: number, status: FileStatus, digest: Uint8Array): void {
    const at = (record * RECORD) / 8;
    this.#numbers[at + 1] = status.ino;
    this.#numbers[at + 2] = status.size;
    this.#numbers[at + 3] = status.ctimeMs;
    this.#bytes.set(digest, record * RECORD + DIGEST_AT);
    Atomics.compareExchange(this.#states, (record * RECORD) / 4, EMPTY, READY);
  }

  /**
   * Returns the digest of a file that has this status now. No record returns one twice: a session may outlive the validity of
   * its digests.
   */
  take(record: number, status: FileStatus): Buffer | undefined {
    if (Atomics.exchange(this.#states, (record * RECORD) / 4, PASSED) !== READY) return undefined;
    const at = (record * RECORD) / 8;
    const [ino, size, ctimeMs] = [this.#numbers[at + 1], this.#numbers[at + 2], this.#numbers[at + 3]];
    if (ino !== status.ino || size !== status.size || ctimeMs !== status.ctimeMs) return undefined;
    const start = record * RECORD + DIGEST_AT;
    return this.#bytes.subarray(start, start + DIGEST_SIZE);
  }
}

/** Number of files from which an evaluation is recorded; those with fewer are over before it would help. */
const worthKeeping = 100;
const mostKept = 20000;

/** The evaluator's side: the files that an evaluation reads, in order, and their known digests. */
export class FilesAhead {
  readonly #kept: KeptFiles;
  readonly #begin: (request: ReadAheadRequest) => void;
  readonly #wanted: string[] = [];
  readonly #records = new Map<string, number>();
  #table: DigestTable | undefined;

  /** Takes the kept files and `begin`, which hands a request to the thread that reads ahead. */
  constructor(kept: KeptFiles, begin: (request: ReadAheadRequest) => void) {
    this.#kept = kept;
    this.#begin = begin;
  }

  /** Returns the SHA-256 and size of a regular file, if known already; `status` is called only when they may be. */
  digest(
    method: Hashed,
    place: string,
    status: () => FileStatus | undefined,
  ): { readonly digest: Buffer; readonly size: number } | undefined {
    const wanted = `${method} ${place}`;
    if (this.#wanted.length < mostKept) this.#wanted.push(wanted);
    if (this.#wanted.length === 1) this.#open(wanted);
    const record = this.#records.get(wanted);
    if (record === undefined) return undefined;
    const now = status();
    const digest = now === undefined ? undefined : this.#table?.take(record, now);
    return digest === undefined || now === undefined ? undefined : { digest, size: now.size };
  }

  #open(first: string): void {
    const text = this.#kept.load("sources", first)?.toString("latin1");
    if (text === undefined) return;
    const wanted = text.split("\0");
    for (let i = 0; i < wanted.length; i++) this.#records.set(wanted[i]!, i);
    const table = DigestTable.room(wanted.length);
    this.#table = new DigestTable(table);
    this.#begin({ wanted: text, table });
  }

  /** Keeps the list of files for the next evaluation, unless the existing one is good enough. */
  finish(): void {
    const wanted = this.#wanted;
    if (wanted.length < worthKeeping) return;
    const unknown = wanted.filter((file) => !this.#records.has(file)).length;
    if (unknown * 20 < wanted.length) return;
    this.#kept.store("sources", wanted[0]!, [Buffer.from([...new Set(wanted)].join("\0"), "latin1")]);
  }
}
