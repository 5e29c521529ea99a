/** Attributes that a repository gives its files (gitattributes). */
import { join } from "node:path";
import { withTemporaryDirectory } from "@firn/store";
import type { ListedEntry } from "./git-listing.ts";
import { type GitCall, git } from "./git-program.ts";
import type { GitRepository } from "./git-repository.ts";

type Tree = Pick<GitCall, "gitDirectory" | "workTree">;

/**
 * Returns the values of an attribute by the paths of a work tree that were asked for; those without one are left out, `set` and `unset` are
 * values. `cached` reads attributes from the index alone. Fails with `git`.
 */
export async function attributeOf(
  call: Tree,
  {
    paths,
    attribute,
    cached,
  }: { readonly paths: Iterable<string>; readonly attribute: string; readonly cached: boolean },
): Promise<Map<string, string>> {
  const input = [...paths].map((path) => `${path}\0`).join("");
  const args = ["check-attr", ...(cached ? ["--cached"] : []), "--stdin", "-z", attribute];
  const answers = (await git({ ...call, args, input })).toString("latin1").split("\0");
  const values = new Map<string, string>();
  for (let i = 0; i + 2 < answers.length; i += 3) {
    if (answers[i + 2] !== "unspecified") values.set(answers[i]!, answers[i + 2]!);
  }
  return values;
}

/**
 * Runs `work` with an index of a revision, whose attributes are then those of the revision; returns undefined when the entries, which
 * are all of the revision, have no file of attributes. Fails with `git`.
 */
export async function withAttributesOfRevision<T>(
  repository: GitRepository,
  { rev, entries }: { readonly rev: string; readonly entries: readonly ListedEntry[] },
  work: (call: Tree) => Promise<T>,
): Promise<T | undefined> {
  if (!entries.some(({ path }) => /(?:^|\/)\.gitattributes$/.test(path))) return undefined;
  return withTemporaryDirectory("firn-index-", async (directory) => {
    const { gitDirectory } = repository.call;
    const call = { gitDirectory, workTree: { directory, index: join(directory, "index") } };
    await git({ ...call, args: ["read-tree", rev] });
    return work(call);
  });
}

/** Returns the values of an attribute by the paths of a revision, whose entries are given. Fails with `git`. */
export async function attributeOfRevision(
  repository: GitRepository,
  {
    rev,
    entries,
    attribute,
  }: { readonly rev: string; readonly entries: readonly ListedEntry[]; readonly attribute: string },
): Promise<ReadonlyMap<string, string>> {
  const paths = entries.map(({ path }) => path);
  const values = await withAttributesOfRevision(repository, { rev, entries }, (call) =>
    attributeOf(call, { paths, attribute, cached: true }),
  );
  return values ?? new Map();
}
