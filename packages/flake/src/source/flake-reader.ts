/** Reads flake.nix with the evaluator. */
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { FlakeReader } from "./flake-file.ts";
import { readFlakeValue } from "./flake-value.ts";
import type { LocatedTrees } from "./located-trees.ts";

/** Makes a reader over an evaluator session; `located` are the trees that are read where they lie. */
export function makeFlakeReader(evaluator: Evaluator, located: LocatedTrees): FlakeReader {
  return {
    async readFlakeFile(file, shown, workTree) {
      const tree = treeOf(file);
      await evaluator.allowPath(tree, { workTree, tree: located.find(tree)?.placed });
      return readFlakeValue(await evaluator.evaluate({ kind: "file", path: file }, { literalSet: true }), shown);
    },
  };
}

/** Returns the store path that contains a file of a fetched tree. */
function treeOf(file: string): string {
  return /^.*?\/[0-9a-z]{32}-[^/]+/.exec(file)?.[0] ?? file;
}
