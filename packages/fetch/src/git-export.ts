/** The attribute `export-ignore` of files in a repository: what it names is no part of exported trees. */
import { attributeOf, withAttributesOfRevision } from "./git-attributes.ts";
import type { ListedEntry } from "./git-listing.ts";
import type { GitCall } from "./git-program.ts";
import type { GitRepository } from "./git-repository.ts";

type Tree = Pick<GitCall, "gitDirectory" | "workTree">;

/** Returns the directories above a file of a tree, from the inside out. */
function directoriesAbove(file: string): string[] {
  const above: string[] = [];
  for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1)) {
    above.push(file.slice(0, slash));
  }
  return above;
}

/**
 * Takes the files of a work tree and returns those that are exported, with the directories above files. Fails with `git`. `cached` reads
 * attributes from the index alone.
 */
export async function exportedFiles(call: Tree, files: ReadonlySet<string>, cached = false): Promise<Set<string>> {
  const all = new Set(files);
  for (const file of files) for (const directory of directoriesAbove(file)) all.add(directory);
  const values = await attributeOf(call, { paths: all, attribute: "export-ignore", cached });
  const ignored = new Set([...values].filter(([, value]) => value === "set").map(([path]) => path));
  if (ignored.size === 0) return all;
  return new Set([...all].filter((path) => ![path, ...directoriesAbove(path)].some((place) => ignored.has(place))));
}

/** Takes the entries of a revision and returns the paths of those that are exported, with the directories above entries. Fails with `git`. */
export async function exportedOfRevision(
  repository: GitRepository,
  rev: string,
  entries: readonly ListedEntry[],
): Promise<Set<string>> {
  const paths = entries.map(({ path }) => path);
  const exported = await withAttributesOfRevision(repository, { rev, entries }, (call) =>
    exportedFiles(call, new Set(paths), true),
  );
  return exported ?? new Set(paths.flatMap((path) => [path, ...directoriesAbove(path)]));
}
