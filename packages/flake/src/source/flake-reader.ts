/** Reads flake.nix with the evaluator. */
import { quoteString } from "@firn/language";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { FlakeReader } from "./flake-file.ts";
import type { AttributePath } from "./flake-mistake.ts";
import { literalSections, readFlakeValue } from "./flake-value.ts";
import type { LocatedTrees } from "./located-trees.ts";

/** Makes a reader over an evaluator session; `located` are the trees that are read where they lie. */
export function makeFlakeReader(evaluator: Evaluator, located: LocatedTrees): FlakeReader {
  return {
    async readFlakeFile(file, shown, name) {
      const tree = treeOf(file);
      await evaluator.allowPath(tree, { name, tree: located.find(tree)?.placed });
      const root = await evaluator.evaluate({ kind: "file", path: file }, { literalSet: true });
      return readFlakeValue(root, shown, await evaluator.computedAttributes(file, literalSections));
    },
    async attributePositions(file, places) {
      const positions = places.map((place) => `(builtins.unsafeGetAttrPos ${nameAndSet(place)})`);
      const text = `let flake = import ${quoteString(file)}; in builtins.toJSON [ ${positions.join(" ")} ]`;
      const value = await evaluator.evaluate({ kind: "string", text, directory: "/" });
      const found: readonly ({ readonly line: number; readonly column: number } | null)[] = JSON.parse(
        (await value.string()).text,
      );
      return found.map((one) => one ?? undefined);
    },
  };
}

/** Returns the arguments of `unsafeGetAttrPos` for an attribute of `flake`. */
function nameAndSet(place: AttributePath): string {
  const names = place.map((name) => quoteString(name));
  return `${names.at(-1)} ${["flake", ...names.slice(0, -1)].join(".")}`;
}

/** Returns the store path that contains a file of a fetched tree. */
function treeOf(file: string): string {
  return /^.*?\/[0-9a-z]{32}-[^/]+/.exec(file)?.[0] ?? file;
}
