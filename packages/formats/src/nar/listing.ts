/** NAR listings (`.ls` files of binary caches, `nix nar ls --json`) and NARs read into memory. */
import { FirnError } from "../base/error.ts";
import { type JsonValue, jsonNumber, printJson } from "../text/json.ts";
import { ignoringNarSink, NarParser } from "./parser.ts";
import type { MemoryNode } from "./tree.ts";

/** The listing of one object; `offset` is the position of a file's contents in the NAR. */
export type NarListing =
  | { readonly kind: "regular"; readonly executable: boolean; readonly size: number; readonly offset: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly entries: ReadonlyMap<string, NarListing> };

type Building<T> = { entries: Map<string, T> };

function place<T>(directories: Map<string, Building<T>>, path: string, node: T): void {
  const slash = path.lastIndexOf("/");
  directories.get(path.slice(0, slash))?.entries.set(path.slice(slash + 1), node);
}

/** Collects the listing of a NAR that is pushed to it; `result` returns it after `finish`. */
export class NarLister {
  readonly #directories = new Map<string, Building<NarListing>>();
  #root: NarListing | undefined;
  readonly #parser: NarParser;

  constructor() {
    this.#parser = new NarParser({
      ...ignoringNarSink,
      directory: (path) => {
        const node = { kind: "directory" as const, entries: new Map<string, NarListing>() };
        this.#add(path, node);
        this.#directories.set(path, node);
      },
      regular: (path, { executable, size, offset }) => this.#add(path, { kind: "regular", executable, size, offset }),
      symlink: (path, target) => this.#add(path, { kind: "symlink", target }),
    });
  }

  /** Takes bytes of the archive. */
  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** Returns the listing of the complete archive. */
  result(): NarListing {
    this.#parser.finish();
    return this.#root!;
  }

  #add(path: string, node: NarListing): void {
    if (path === "") this.#root = node;
    else place(this.#directories, path, node);
  }
}

/** Returns the text of a binary cache's `.ls` file. */
export function printListing(listing: NarListing): string {
  return printJson(
    new Map<string, JsonValue>([
      ["root", listingToJson(listing)],
      ["version", jsonNumber(1)],
    ]),
  );
}

/** The listing as the JSON of a `.ls` file's `root` member. */
export function listingToJson(listing: NarListing): JsonValue {
  switch (listing.kind) {
    case "regular": {
      const members = new Map<string, JsonValue>([
        ["type", "regular"],
        ["size", jsonNumber(listing.size)],
        ["narOffset", jsonNumber(listing.offset)],
      ]);
      if (listing.executable) members.set("executable", true);
      return members;
    }
    case "symlink":
      return new Map([
        ["type", "symlink"],
        ["target", listing.target],
      ]);
    case "directory": {
      const entries = new Map<string, JsonValue>();
      for (const [name, child] of listing.entries) entries.set(name, listingToJson(child));
      return new Map<string, JsonValue>([
        ["type", "directory"],
        ["entries", entries],
      ]);
    }
  }
}

/** Reads a whole NAR into memory; `limit` bounds the sum of file sizes in bytes. */
export function parseNar(chunks: Iterable<Uint8Array>, limit = 2 ** 31): MemoryNode {
  const directories = new Map<string, Building<MemoryNode>>();
  let root: MemoryNode | undefined;
  let total = 0;
  let file: { bytes: Uint8Array; used: number; executable: boolean } | undefined;
  const add = (path: string, node: MemoryNode): void => {
    if (path === "") root = node;
    else place(directories, path, node);
  };
  const parser = new NarParser({
    directory(path) {
      const node = { kind: "directory" as const, entries: new Map<string, MemoryNode>() };
      add(path, node);
      directories.set(path, node);
    },
    regular(_path, { executable, size }) {
      total += size;
      if (total > limit) throw new FirnError("nar-too-large", `archive holds more than ${limit} bytes`);
      file = { bytes: new Uint8Array(size), used: 0, executable };
    },
    data(chunk) {
      file!.bytes.set(chunk, file!.used);
      file!.used += chunk.length;
    },
    endRegular: (path) => add(path, { kind: "regular", executable: file!.executable, contents: file!.bytes }),
    symlink: (path, target) => add(path, { kind: "symlink", target }),
  });
  for (const chunk of chunks) parser.push(chunk);
  parser.finish();
  return root!;
}
