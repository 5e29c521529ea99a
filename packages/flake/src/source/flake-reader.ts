/** Reads flake.nix with the evaluator. */
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { FlakeReader } from "./flake-file.ts";
import { readFlakeValue } from "./flake-value.ts";

/** Makes a reader over an evaluator session. */
export function makeFlakeReader(evaluator: Evaluator): FlakeReader {
  return {
    async readFlakeFile(file, shown, workTree) {
      await evaluator.allowPath(treeOf(file), workTree);
      return readFlakeValue(await evaluator.evaluate({ kind: "file", path: file }, { literalSet: true }), shown);
    },
  };
}

/** Returns the store path that contains a file of a fetched tree. */
function treeOf(file: string): string {
  return /^.*?\/[0-9a-z]{32}-[^/]+/.exec(file)?.[0] ?? file;
}
