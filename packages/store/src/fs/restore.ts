/** Writes the tree of a NAR to disk, already with the store's metadata: modes 0444 and 0555, modification time 1. */
import fs from "node:fs";
import { FirnError, type NarSink } from "@firn/formats";
import { disk } from "./disk.ts";
import { TreeWriter } from "./tree-writer.ts";

const SMALL = 1 << 16;

/** A sink for the NAR parser that builds `root`, which must not exist. Call `close` at the end, also after an error. */
export class RestoreSink implements NarSink {
  readonly #sync: boolean;
  readonly #tree: TreeWriter;
  #fd = -1;
  #mode = 0o444;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;

  constructor(root: string, options: { sync?: boolean } = {}) {
    this.#sync = options.sync ?? false;
    this.#tree = new TreeWriter(root, {
      sealed: true,
      sync: this.#sync,
      fault: (what) => new FirnError("bad-nar", `bad archive: ${what}`),
    });
  }

  directory(path: string): void {
    this.#tree.directory(path);
  }

  regular(path: string, file: { executable: boolean; size: number }): void {
    this.#fd = this.#tree.create(path, 0o600);
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
    disk.seal(this.#fd, this.#mode);
    if (this.#sync) disk.fsyncFd(this.#fd);
    this.#closeFile();
  }

  symlink(path: string, target: string): void {
    this.#tree.symlink(target, path);
  }

  /** Closes the tree and gives the directories that are still open their final metadata. */
  close(): void {
    this.#closeFile();
    this.#tree.close();
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
