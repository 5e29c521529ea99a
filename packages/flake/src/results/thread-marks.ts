/**
 * Command lines of whose last run something is remembered: an empty file named by a digest for one that did not need the evaluator's
 * thread, for which it is not started ahead, and a file that says so for one that took long in it.
 */
import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "@firn/store/files";

/** Number of command lines above which all are forgotten. */
const LARGEST = 1000;

/** Returns the file that stands for a command line in a working directory, below the directory of what evaluations keep. */
export function threadMark(codeDirectory: string, words: readonly string[], cwd: string): string {
  return join(codeDirectory, "threads", hash("sha256", JSON.stringify([cwd, ...words]), "hex").slice(0, 32));
}

/** The last run of a command line: it did without the thread, or it took so long that nothing is tried before the thread. */
export type LastRun = "without" | "long";

/** Returns what is remembered of the last run of a command line; undefined when that is nothing. */
export function lastRun(mark: string): LastRun | undefined {
  try {
    return readFileSync(mark, "latin1") === "long" ? "long" : "without";
  } catch {
    return undefined;
  }
}

/** Remembers a run of a command line, or that nothing is known of it. Where that cannot be written, it is not remembered. */
export function rememberRun(mark: string, run: LastRun | undefined): void {
  if (lastRun(mark) === run) return;
  try {
    if (run === undefined) {
      rmSync(mark, { force: true });
      return;
    }
    const directory = dirname(mark);
    if (existsSync(directory) && readdirSync(directory).length >= LARGEST)
      rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(mark, run === "long" ? run : "");
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
  }
}
