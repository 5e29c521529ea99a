/** File trees: in memory, or behind an interface whose reading is asynchronous; both become NARs. */
import { compareByteStrings } from "../base/bytes.ts";
import { NarEncoder } from "./encoder.ts";

/** A file system object in memory; names and targets are byte strings. */
export type MemoryNode =
  | { readonly kind: "regular"; readonly executable: boolean; readonly contents: Uint8Array }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly entries: ReadonlyMap<string, MemoryNode> };

/** The type of one path in a tree source, with a file's size or a link's target. */
export type TreeStat =
  | { readonly kind: "regular"; readonly executable: boolean; readonly size: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory" };

/** A tree that can be walked; paths are `""` for the root and `/a/b` below it. */
export interface TreeSource {
  stat(path: string): Promise<TreeStat>;
  /** Returns the names in a directory, in any order. */
  list(path: string): Promise<readonly string[]>;
  /** Returns the contents of a regular file, as many bytes as `stat` gave. */
  read(path: string): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

function encodeNode(encoder: NarEncoder, node: MemoryNode): void {
  switch (node.kind) {
    case "regular":
      encoder.file(node.contents.length, node.executable);
      encoder.data(node.contents);
      return;
    case "symlink":
      encoder.symlink(node.target);
      return;
    case "directory":
      encoder.directory();
      for (const name of [...node.entries.keys()].sort(compareByteStrings)) {
        encoder.entry(name);
        encodeNode(encoder, node.entries.get(name)!);
        encoder.endEntry();
      }
      encoder.endDirectory();
  }
}

/** The NAR of a tree in memory, in chunks. */
export function narOfMemory(node: MemoryNode): Uint8Array[] {
  const encoder = new NarEncoder();
  encodeNode(encoder, node);
  return encoder.take(true);
}

/** The NAR of one non-executable file with these contents. */
export function narOfFile(contents: Uint8Array): Uint8Array[] {
  return narOfMemory({ kind: "regular", executable: false, contents });
}

/** The NAR of a tree source, streamed. */
export async function* narOfTree(source: TreeSource, root = ""): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new NarEncoder();
  async function* node(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const stat = await source.stat(path);
    switch (stat.kind) {
      case "regular":
        encoder.file(stat.size, stat.executable);
        for await (const chunk of source.read(path)) {
          encoder.data(chunk);
          yield* encoder.take();
        }
        return;
      case "symlink":
        encoder.symlink(stat.target);
        return;
      case "directory":
        encoder.directory();
        for (const name of [...(await source.list(path))].sort(compareByteStrings)) {
          encoder.entry(name);
          yield* node(`${path}/${name}`);
          encoder.endEntry();
        }
        encoder.endDirectory();
        yield* encoder.take();
    }
  }
  yield* node(root);
  yield* encoder.take(true);
}
