/**
 * Copies of the cases in a directory of their own, whose path has 6 bytes plus a multiple of 8, like the "/cases" it is shown
 * as: where tabs go depends on the columns before them, and these are counted over paths too. Recorder and test use it alike.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export interface CaseDirectory {
  /** Absolute path of the copy of a topic. */
  copy(topic: string): string;
  remove(): void;
}

export function makeCaseDirectory(): CaseDirectory {
  const copies = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "cases-"));
  return {
    copy(topic) {
      const padding = 8 + ((6 - Buffer.byteLength(copies) - 1 - topic.length) % 8);
      const target = path.join(copies, `${topic}${"-".repeat(padding)}`);
      fs.cpSync(path.join(import.meta.dirname, topic), target, { recursive: true, verbatimSymlinks: true });
      return target;
    },
    remove() {
      fs.rmSync(copies, { recursive: true });
    },
  };
}
