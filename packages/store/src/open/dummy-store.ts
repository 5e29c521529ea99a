/** A store in memory: `dummy://`. It is empty, and cannot be written unless its parameter `read-only` is false. */
import { defaultStoreDir, FirnError, type PathInfo } from "@firn/formats";
import type { NarChunks } from "../store/paths.ts";
import type { Offers, Store } from "../store/store.ts";
import type { AddOptions, PathWriter } from "../store/writing.ts";

/** A store in memory, for evaluations that only compute, or whose derivations nobody keeps. */
export class DummyStore implements Store, PathWriter {
  readonly uri = "dummy://";
  readonly storeDir: string;
  readonly offers: Partial<Offers>;
  readonly #paths = new Map<string, { readonly info: PathInfo; readonly nar: readonly Uint8Array[] }>();

  constructor(storeDir: string = defaultStoreDir, readOnly = true) {
    this.storeDir = storeDir;
    this.offers = readOnly ? {} : { writing: this };
  }

  async isValidPath(path: string): Promise<boolean> {
    return this.#paths.has(path);
  }

  async queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    return new Set([...paths].filter((path) => this.#paths.has(path)));
  }

  async queryPathInfo(path: string): Promise<PathInfo | undefined> {
    return this.#paths.get(path)?.info;
  }

  narFromPath(path: string): NarChunks {
    const found = this.#paths.get(path);
    if (found === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    return found.nar;
  }

  async addToStore(info: PathInfo, nar: NarChunks, { repair = false }: AddOptions = {}): Promise<void> {
    if (this.#paths.has(info.path) && !repair) return;
    const chunks: Uint8Array[] = [];
    for await (const chunk of nar) chunks.push(Uint8Array.from(chunk));
    this.#paths.set(info.path, { info, nar: chunks });
  }

  async addTempRoot(): Promise<void> {}

  async close(): Promise<void> {}
}
