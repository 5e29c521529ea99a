/** Writes the files of a revision as they are in the object store: no filters but that of Git LFS when asked for, no line-end conversion. */

import { disk, type TreeWriter } from "@firn/store";
import { closeSync } from "@firn/store/files";
import { attributeOfRevision } from "./git-attributes.ts";
import { exportedOfRevision } from "./git-export.ts";
import { type LfsObjects, type LfsPointer, parseLfsPointer } from "./git-lfs.ts";
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
  /** The contents of files that the revision's attributes hand to Git LFS; undefined to keep the pointers to them. */
  readonly lfs: LfsObjects | undefined;
  /** Place of the revision's root in the tree: `""`, or `/a/b` for a submodule. */
  readonly place: string;
}

/** Writes a revision into a tree. Error `git`, and those of the tree. */
export async function writeRevision(repository: GitRepository, files: RevisionFiles, tree: TreeWriter): Promise<void> {
  const listing = await git({ ...repository.call, args: ["ls-tree", "-r", "-z", "--full-tree", files.rev] });
  const all = parseTreeListing(listing);
  const kept = files.exportIgnore ? await exportedOfRevision(repository, files.rev, all) : undefined;
  const entries = kept === undefined ? all : all.filter(({ path }) => kept.has(path));
  const large =
    files.lfs === undefined
      ? undefined
      : await attributeOfRevision(repository, { rev: files.rev, entries: all, attribute: "filter" });
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
    const contents = parseObjects(output, batch.length);
    const pointers = batch.map(({ mode, path }, i) =>
      large?.get(path) === "lfs" && mode !== "120000" ? pointerIn(contents[i]!, path, files.lfs) : undefined,
    );
    await files.lfs?.obtain(pointers.filter((pointer) => pointer !== undefined));
    for (const [i, content] of contents.entries()) {
      const pointer = pointers[i];
      const write: Write = pointer === undefined ? (use) => use(content) : (use) => files.lfs?.read(pointer, use);
      writeEntry(tree, `${files.place}/${batch[i]!.path}`, { entry: batch[i]!, content, write });
    }
  }
}

/** Passes the contents of a file on. */
type Write = (use: (chunk: Uint8Array) => void) => void;

function pointerIn(content: Buffer, path: string, lfs: LfsObjects | undefined): LfsPointer | undefined {
  const pointer = parseLfsPointer(content);
  if (typeof pointer !== "string") return pointer;
  lfs?.warn(path, pointer);
  return undefined;
}

function writeEntry(
  tree: TreeWriter,
  path: string,
  { entry, content, write }: { readonly entry: ListedEntry; readonly content: Buffer; readonly write: Write },
): void {
  if (entry.mode === "120000") {
    tree.symlink(content.toString("latin1"), path);
    return;
  }
  const fd = tree.create(path, entry.mode === "100755" ? 0o755 : 0o644);
  try {
    write((chunk) => disk.write(fd, chunk));
  } finally {
    closeSync(fd);
  }
}
