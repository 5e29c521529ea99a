/** Writes the files of a revision as they are in the object store: no filters, no line-end conversion. */

import { disk, type TreeWriter } from "@firn/store";
import { closeSync } from "@firn/store/files";
import { exportedOfRevision } from "./git-export.ts";
import { type ListedEntry, parseObjects, parseTreeListing } from "./git-listing.ts";
import { git } from "./git-program.ts";
import type { GitRepository } from "./git-repository.ts";

/** Number of objects that are read at a time, so that memory stays bounded for trees of small files. */
const BATCH = 1000;

/** A revision, and the selection and place of its files. */
export interface RevisionFiles {
  readonly rev: string;
  /** True when submodules are empty directories of the tree; else they are left out. */
  readonly links: boolean;
  /** True to leave out what the revision's attributes exclude from archives. */
  readonly exportIgnore: boolean;
  /** Place of the revision's root in the tree: `""`, or `/a/b` for a submodule. */
  readonly place: string;
}

/** Writes a revision into a tree. Error `git`, and those of the tree. */
export async function writeRevision(repository: GitRepository, files: RevisionFiles, tree: TreeWriter): Promise<void> {
  const listing = await git({ ...repository.call, args: ["ls-tree", "-r", "-z", "--full-tree", files.rev] });
  const all = parseTreeListing(listing);
  const kept = files.exportIgnore ? await exportedOfRevision(repository, files.rev, all) : undefined;
  const entries = kept === undefined ? all : all.filter(({ path }) => kept.has(path));
  const blobs = entries.filter(({ type }) => type === "blob");
  tree.directory(files.place);
  if (kept !== undefined) {
    // A directory stays when all that is in it is left out.
    const listed = new Set(all.map(({ path }) => path));
    for (const path of kept) if (!listed.has(path)) tree.directory(`${files.place}/${path}`);
  }
  for (const { type, path } of entries) {
    if (type === "commit" && files.links) tree.directory(`${files.place}/${path}`);
  }
  for (let start = 0; start < blobs.length; start += BATCH) {
    const batch = blobs.slice(start, start + BATCH);
    const input = batch.map(({ object }) => `${object}\n`).join("");
    const output = await git({ ...repository.call, args: ["cat-file", "--batch"], input });
    for (const [i, content] of parseObjects(output, batch.length).entries()) {
      writeEntry(tree, `${files.place}/${batch[i]!.path}`, { entry: batch[i]!, content });
    }
  }
}

function writeEntry(
  tree: TreeWriter,
  path: string,
  { entry, content }: { readonly entry: ListedEntry; readonly content: Buffer },
): void {
  if (entry.mode === "120000") {
    tree.symlink(content.toString("latin1"), path);
    return;
  }
  const fd = tree.create(path, entry.mode === "100755" ? 0o755 : 0o644);
  try {
    disk.write(fd, content);
  } finally {
    closeSync(fd);
  }
}
