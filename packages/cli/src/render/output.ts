/** Printing results: byte strings as they are, JSON as the reference prints it. */
import { type JsonLayout, type JsonValue, printJson } from "@firn/formats";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";

/** Prints a byte string and a newline. */
export function printLine(io: Io, byteText: string): void {
  io.out(Buffer.from(`${byteText}\n`, "latin1"));
}

/** Prints JSON: on several lines on a terminal or with `--pretty`, else on one. */
export function printJsonResult(io: Io, value: JsonValue, invocation: Invocation): void {
  printLine(io, printJson(value, jsonLayout(invocation)));
}

/** Returns the layout of JSON results: in lines on a terminal or when it is asked for. */
export function jsonLayout({ flags }: Invocation): JsonLayout {
  return { indent: flags.has("pretty") || (process.stdout.isTTY === true && !flags.has("no-pretty")) ? 2 : 0 };
}

/** Prints bytes as they come, no faster than standard output takes them. */
export async function printChunks(io: Io, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    io.out(chunk);
    await io.drained?.();
  }
}
