/** The main thread's side of files-ahead.ts: hashes files while the evaluator's thread works. */
import { hash } from "node:crypto";
import { createHasher, narOfMemory } from "@firn/formats";
import { machineError } from "@firn/store";
import * as fs from "@firn/store/files";
import { DigestTable, type Hashed, type ReadAheadRequest } from "./files-ahead.ts";

/** Limit of the size of files that are read, so that one buffer holds each. */
const maxBytes = 1 << 20;
/** Age in milliseconds from which a file counts as settled; a younger one may change again within the same time stamp. */
const settledAfter = 2000;
/** Durations in milliseconds: delay before the start, length of a turn of reading, and pause between turns. */
export interface Pace {
  readonly start: number;
  readonly turn: number;
  readonly pause: number;
}

/**
 * Pace beside an evaluation. At first the engine's own thread compiles most of the code that runs, and the evaluation must
 * not wait for that.
 */
const beside: Pace = { start: 400, turn: 3, pause: 9 };

const scratch = Buffer.allocUnsafeSlow(maxBytes + 1);

/** Returns the SHA-256 of a regular file that has not just changed, and its status. */
function digestOf(method: Hashed, place: string) {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const status = fs.fstatSync(descriptor);
    if (!status.isFile() || status.size > maxBytes || status.ctimeMs > Date.now() - settledAfter) return undefined;
    const size = fs.readSync(descriptor, scratch, 0, scratch.length, 0);
    if (size !== status.size) return undefined;
    const bytes = scratch.subarray(0, size);
    return { status, digest: method === "nar" ? narDigest(bytes, status.mode) : hash("sha256", bytes, "buffer") };
  } finally {
    fs.closeSync(descriptor);
  }
}

function narDigest(contents: Uint8Array, mode: number): Uint8Array {
  const hasher = createHasher("sha256");
  const executable = (mode & 0o100) !== 0;
  for (const chunk of narOfMemory({ kind: "regular", executable, contents })) hasher.update(chunk);
  return hasher.digest();
}

/** Returns the digest, or undefined on failure; the evaluation gets the error when it reads the file itself. */
function digestIfPossible(method: Hashed, place: string): ReturnType<typeof digestOf> {
  try {
    return digestOf(method, place);
  } catch (error) {
    if (machineError(error) === undefined) throw error;
    return undefined;
  }
}

/** A read-ahead in progress. */
export interface Reading {
  stop(): void;
  /** Resolves when all files are read or `stop` was called. */
  readonly over: Promise<void>;
}

/** Fills the table of a request little by little. */
export function readAhead(request: ReadAheadRequest, pace: Pace = beside): Reading {
  const wanted = request.wanted.split("\0");
  const table = new DigestTable(request.table);
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let next = 0;

  function go(): void {
    const end = performance.now() + pace.turn;
    for (; next < wanted.length && performance.now() < end; next++) {
      if (!table.isWanted(next)) continue;
      const method = wanted[next]!.startsWith("nar ") ? "nar" : "flat";
      const found = digestIfPossible(method, wanted[next]!.slice(method.length + 1));
      if (found !== undefined) table.put(next, found.status, found.digest);
    }
    if (next < wanted.length) timer = setTimeout(go, pace.pause);
    else resolve();
  }

  let timer = setTimeout(go, pace.start);
  const stop = (): void => {
    clearTimeout(timer);
    resolve();
  };
  return { stop, over };
}
