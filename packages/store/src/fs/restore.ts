/** Writes a tree to disk as a NAR announces it, already with the store's metadata: modes 0444 and 0555, modification time 1. */
import fs from "node:fs";
import type { NarSink } from "@firn/formats";
import { disk } from "./disk.ts";

const SMALL = 1 << 16;

/** A sink for the NAR parser that builds `root`, which must not exist. Call `seal` when the archive is complete. */
export class RestoreSink implements NarSink {
  readonly #root: string;
  readonly #sync: boolean;
  readonly #directories: string[] = [];
  #fd = -1;
  #mode = 0o444;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;

  constructor(root: string, options: { sync?: boolean } = {}) {
    this.#root = root;
    this.#sync = options.sync ?? false;
  }

  directory(path: string): void {
    disk.mkdir(this.#root + path, 0o755);
    this.#directories.push(this.#root + path);
  }

  regular(path: string, file: { executable: boolean; size: number }): void {
    this.#fd = disk.create(this.#root + path, 0o600);
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
    this.close();
  }

  symlink(path: string, target: string): void {
    disk.symlink(target, this.#root + path);
    disk.setMtime(this.#root + path, 1);
  }

  /** Gives the directories their final metadata. */
  seal(): void {
    for (const path of this.#directories.reverse()) {
      disk.chmod(path, 0o555);
      disk.setMtime(path, 1);
      if (this.#sync) disk.fsync(path);
    }
  }

  /** Closes a file left open by a broken archive. */
  close(): void {
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
