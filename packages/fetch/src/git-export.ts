/** The attribute `export-ignore` of files in a repository: what it names is no part of exported trees. */
import { join } from "node:path";
import { withTemporaryDirectory } from "@firn/store";
import type { ListedEntry } from "./git-listing.ts";
import { type GitCall, git } from "./git-program.ts";
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
  const input = [...all].map((path) => `${path}\0`).join("");
  const args = ["check-attr", ...(cached ? ["--cached"] : []), "--stdin", "-z", "export-ignore"];
  const answers = (await git({ ...call, args, input })).toString("latin1").split("\0");
  const ignored = new Set<string>();
  for (let i = 0; i + 2 < answers.length; i += 3) if (answers[i + 2] === "set") ignored.add(answers[i]!);
  if (ignored.size === 0) return all;
  return new Set([...all].filter((path) => ![path, ...directoriesAbove(path)].some((place) => ignored.has(place))));
}

/** Takes the entries of a revision and returns the paths of those that are exported, with the directories above entries. Fails with `git`. */
export function exportedOfRevision(
  repository: GitRepository,
  rev: string,
  entries: readonly ListedEntry[],
): Promise<Set<string>> {
  const paths = entries.map(({ path }) => path);
  if (!paths.some((path) => /(?:^|\/)\.gitattributes$/.test(path))) {
    return Promise.resolve(new Set(paths.flatMap((path) => [path, ...directoriesAbove(path)])));
  }
  return withTemporaryDirectory("firn-index-", async (directory) => {
    const { gitDirectory } = repository.call;
    const call = { gitDirectory, workTree: { directory, index: join(directory, "index") } };
    await git({ ...call, args: ["read-tree", rev] });
    return exportedFiles(call, new Set(paths), true);
  });
}
