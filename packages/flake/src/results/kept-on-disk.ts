/** Answers, images and lowered code that earlier evaluations left on disk, as a whole. */
import { join } from "node:path";
import * as fs from "@firn/store/files";
import { codeDirectory } from "../evaluator/code-directory.ts";
import { AnswerDatabase } from "./answer-database.ts";
import { imageFiles, imagesDirectory } from "./kept-images.ts";
import { resultsFile } from "./kept-results.ts";

/** Number and total size in bytes of some kept things. */
export interface KeptAmount {
  readonly count: number;
  readonly size: number;
}

/** Figures about what is kept. */
export interface KeptFigures {
  readonly directory: string;
  readonly answers: KeptAmount;
  /** Files of lowered code, and the lists of sources that are read ahead. */
  readonly code: KeptAmount;
  /** Images, and the notes of which one is wanted. */
  readonly images: KeptAmount;
}

/** The kept things of a user. */
export interface KeptOnDisk {
  figures(): KeptFigures;
  /** Removes all of them. Errors are those of the machine. */
  clear(): void;
}

/** Finds what is kept for an environment; undefined when it has no place for it. */
export function keptOnDisk(environment: Readonly<Record<string, string | undefined>>): KeptOnDisk | undefined {
  const directory = codeDirectory(environment);
  if (directory === undefined) return undefined;
  const database = new AnswerDatabase(resultsFile(directory));
  const codeFiles = (): string[] =>
    fs.existsSync(directory)
      ? fs
          .readdirSync(directory)
          .filter((name) => /\.(?:code|sources|tmp)$/.test(name))
          .map((name) => join(directory, name))
      : [];
  return {
    figures() {
      const answers = database.amount();
      database.close();
      return { directory, answers, code: amountOf(codeFiles()), images: amountOf(imageFiles(directory)) };
    },
    clear() {
      database.clear();
      for (const path of codeFiles()) fs.rmSync(path, { force: true });
      fs.rmSync(imagesDirectory(directory), { recursive: true, force: true });
    },
  };
}

function amountOf(files: readonly string[]): KeptAmount {
  const sizes = files.map((path) => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return { count: files.length, size: sizes.reduce((sum, size) => sum + size, 0) };
}
