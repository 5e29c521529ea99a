/**
 * Command lines that did not need the evaluator's thread when they ran last, because their answers were kept: it is not started ahead for
 * them. Each is an empty file named by a digest.
 */
import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "@firn/store/files";

/** Number of command lines above which all are forgotten. */
const LARGEST = 1000;

/** Returns the file that stands for a command line in a working directory, below the directory of what evaluations keep. */
export function threadMark(codeDirectory: string, words: readonly string[], cwd: string): string {
  return join(codeDirectory, "without-thread", hash("sha256", JSON.stringify([cwd, ...words]), "hex").slice(0, 32));
}

/** Tells whether the last run of a command line did without the thread. */
export function ranWithoutThread(mark: string): boolean {
  return existsSync(mark);
}

/** Remembers whether a command line needed the thread. Where that cannot be written, it is not remembered. */
export function rememberThread(mark: string, needed: boolean): void {
  if (existsSync(mark) === !needed) return;
  try {
    if (needed) {
      rmSync(mark, { force: true });
      return;
    }
    const directory = dirname(mark);
    if (existsSync(directory) && readdirSync(directory).length >= LARGEST)
      rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(mark, "");
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
  }
}
