/** `firn __dump-language`: what is known of every builtin, as JSON on one line. */
import { dumpLanguage } from "@firn/language/docs";
import type { Io } from "../io.ts";

/** Prints the table; takes no arguments. */
export function runDumpLanguage(_words: readonly string[], io: Io): Promise<number> {
  io.out(`${JSON.stringify(dumpLanguage())}\n`);
  return Promise.resolve(0);
}
