/** Writes the files of a revision as they are in the object store: no filters but that of Git LFS when asked for, no line-end conversion. */

import { FirnError } from "@firn/formats";
import { disk, type TreeWriter } from "@firn/store";
import { closeSync } from "@firn/store/files";
import { attributeOfRevision } from "./git-attributes.ts";
import { exportedOfRevision } from "./git-export.ts";
import { LARGEST_POINTER, type LfsObjects, type LfsPointer, parseLfsPointer } from "./git-lfs.ts";
import { type ListedEntry, ObjectReader, type ObjectSink, parseTreeListing } from "./git-listing.ts";
import { git } from "./git-program.ts";
import type { GitRepository } from "./git-repository.ts";

/** Length in bytes that no target of a link can exceed. */
const LONGEST_TARGET = 65536;

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
  const writer = new BlobWriter(tree, { ...files, blobs, isLarge: (path) => large?.get(path) === "lfs" });
  const reader = new ObjectReader(blobs.length, writer);
  const input = blobs.map(({ object }) => `${object}\n`).join("");
  try {
    await git({ ...repository.call, args: ["cat-file", "--batch"], input, take: (chunk) => reader.push(chunk) });
    reader.finish();
  } finally {
    writer.close();
  }
  const pointers = writer.pointers.map(({ pointer }) => pointer);
  await files.lfs?.obtain(pointers);
  for (const { blob, pointer } of writer.pointers) {
    const fd = createFile(tree, `${files.place}/${blob.path}`, blob);
    try {
      files.lfs?.read(pointer, (chunk) => disk.write(fd, chunk));
    } finally {
      closeSync(fd);
    }
  }
}

function createFile(tree: TreeWriter, path: string, { mode }: ListedEntry): number {
  return tree.create(path, mode === "100755" ? 0o755 : 0o644);
}

/** The blobs of a revision, in the order in which they are read, and what is to become of them. */
interface Blobs extends Pick<RevisionFiles, "place" | "lfs"> {
  readonly blobs: readonly ListedEntry[];
  /** Tells whether Git LFS has the contents of a file. */
  isLarge(path: string): boolean;
}

/** Writes the blobs of a revision as they are read; pointers to objects of Git LFS are collected instead. */
class BlobWriter implements ObjectSink {
  readonly pointers: { readonly blob: ListedEntry; readonly pointer: LfsPointer }[] = [];
  readonly #tree: TreeWriter;
  readonly #files: Blobs;
  #blob: ListedEntry | undefined;
  #size = 0;
  /** The descriptor of the present file; a link or what may be a pointer has none. */
  #fd: number | undefined;
  /** The beginning of a present link or possible pointer, and the number of bytes that still belong to it. */
  #start = Buffer.alloc(0);
  #room = 0;

  constructor(tree: TreeWriter, files: Blobs) {
    this.#tree = tree;
    this.#files = files;
  }

  begin(index: number, size: number): void {
    const blob = this.#files.blobs[index]!;
    this.#blob = blob;
    this.#size = size;
    this.#start = Buffer.alloc(0);
    const isLink = blob.mode === "120000";
    if (isLink && size > LONGEST_TARGET) {
      throw new FirnError("git", `Git link '${blob.path}' has a target of ${size} bytes`);
    }
    const mayPoint = !isLink && this.#files.isLarge(blob.path);
    this.#room = isLink ? size : mayPoint ? LARGEST_POINTER : 0;
    if (!isLink && !(mayPoint && size <= LARGEST_POINTER)) this.#fd = createFile(this.#tree, this.#place(blob), blob);
  }

  write(piece: Uint8Array): void {
    if (this.#fd !== undefined) disk.write(this.#fd, piece);
    if (this.#room === 0) return;
    const part = piece.subarray(0, this.#room);
    this.#start = Buffer.concat([this.#start, part]);
    this.#room -= part.length;
  }

  end(): void {
    const blob = this.#blob!;
    if (blob.mode === "120000") this.#tree.symlink(this.#start.toString("latin1"), this.#place(blob));
    else if (this.#files.isLarge(blob.path)) this.#pointerOrFile(blob);
    this.close();
  }

  /** Keeps the pointer that a file is, or warns of it. */
  #pointerOrFile(blob: ListedEntry): void {
    const pointer = parseLfsPointer(this.#start, this.#size);
    if (typeof pointer !== "string") {
      this.pointers.push({ blob, pointer });
      return;
    }
    this.#files.lfs?.warn(blob.path, pointer);
    if (this.#fd !== undefined) return;
    this.#fd = createFile(this.#tree, this.#place(blob), blob);
    disk.write(this.#fd, this.#start);
  }

  /** Closes the present file. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #place({ path }: ListedEntry): string {
    return `${this.#files.place}/${path}`;
  }
}
