/** Writes a tree to disk as a NAR announces it, already with the store's metadata: modes 0444 and 0555, modification time 1. */

import { FirnError, NarParser, type NarSink } from "@firn/formats";
import type { NarChunks } from "../store/paths.ts";
import { UnpackedNames, usesCaseHack } from "./case-hack.ts";
import { disk } from "./disk.ts";
import * as fs from "./files.ts";
import { TreeWriter } from "./tree-writer.ts";

const SMALL = 1 << 16;

/** Options of restoring. */
export interface RestoreOptions {
  /** True to write files to disk before going on. */
  readonly sync?: boolean;
  /** False to leave modes and times as for any new file (default true). */
  readonly sealed?: boolean;
}

/** Unpacks an archive to `target`, with modes and times of new files. Errors `exists`, `bad-nar`. */
export async function restorePath(target: string, nar: NarChunks): Promise<void> {
  const sink = new RestoreSink(target, { sealed: false });
  const free = (path: string, what: "directory" | "file" | "symlink"): void => {
    if (path !== "" || fs.lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
    const directory = what === "directory" && fs.statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
    throw new FirnError(
      "exists",
      directory ? `path '${target}' already exists` : `creating ${what} "${target}": File exists`,
    );
  };
  const parser = new NarParser({
    directory(path) {
      free(path, "directory");
      sink.directory(path);
    },
    regular(path, file) {
      free(path, "file");
      sink.regular(path, file);
    },
    data: (chunk) => sink.data(chunk),
    endRegular: () => sink.endRegular(),
    symlink(path, link) {
      free(path, "symlink");
      sink.symlink(path, link);
    },
  });
  try {
    for await (const chunk of nar) parser.push(chunk);
    parser.finish();
  } finally {
    sink.close();
  }
}

/** A sink for the NAR parser that builds `root`, which must not exist. Call `close` at the end, also after an error. */
export class RestoreSink implements NarSink {
  readonly #sync: boolean;
  readonly #sealed: boolean;
  readonly #tree: TreeWriter;
  readonly #names = usesCaseHack() ? new UnpackedNames() : undefined;
  #fd = -1;
  #mode = 0o444;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;

  constructor(root: string, options: RestoreOptions = {}) {
    this.#sync = options.sync ?? false;
    this.#sealed = options.sealed ?? true;
    this.#tree = new TreeWriter(root, {
      sealed: this.#sealed,
      sync: this.#sync,
      fault: (what) => new FirnError("bad-nar", `bad archive: ${what}`),
    });
  }

  directory(path: string): void {
    const place = this.#placeOf(path);
    this.#names?.enter(path, place);
    this.#tree.directory(place);
  }

  regular(path: string, file: { executable: boolean; size: number }): void {
    const plain = file.executable ? 0o777 : 0o666;
    this.#fd = this.#tree.create(this.#placeOf(path), this.#sealed ? 0o600 : plain);
    this.#mode = file.executable ? 0o555 : 0o444;
  }

  data(chunk: Uint8Array): void {
    if (chunk.length >= SMALL && this.#pendingSize === 0) {
      disk.write(this.#fd, chunk);
      return;
    }
    this.#pending.push(chunk.slice());
    this.#pendingSize += chunk.length;
    if (this.#pendingSize >= SMALL) this.#flush();
  }

  endRegular(): void {
    this.#flush();
    if (this.#sealed) disk.seal(this.#fd, this.#mode);
    if (this.#sync) disk.fsyncFd(this.#fd);
    this.#closeFile();
  }

  symlink(path: string, target: string): void {
    this.#tree.symlink(target, this.#placeOf(path));
  }

  /** Closes the tree and gives the directories that are still open their final metadata. */
  close(): void {
    this.#closeFile();
    this.#tree.close();
  }

  #placeOf(path: string): string {
    return this.#names?.placeOf(path) ?? path;
  }

  #closeFile(): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }

  #flush(): void {
    if (this.#pendingSize === 0) return;
    disk.write(this.#fd, this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending));
    this.#pending = [];
    this.#pendingSize = 0;
  }
}
