/**
 * A store of any kind as the store of evaluations: what they add is written to a store in a temporary directory, where they read
 * it, and to the store itself.
 */
import { type Derivation, isDerivationPath, type PathInfo, type wire } from "@firn/formats";
import { type EventSink, noEvents } from "../events.ts";
import type { PathFilter } from "../fs/dump.ts";
import { makeTemporaryDirectory, removeDirectory } from "../fs/temporary-directory.ts";
import { LocalStore } from "../local/local-store.ts";
import { computeClosure, requirePathInfo } from "../store/closure.ts";
import { type StoreLocation, storeLocation } from "../store/location.ts";
import type { NarChunks } from "../store/paths.ts";
import { type MachineStore, type Offers, offered, type Store } from "../store/store.ts";
import type { AddOptions, ContentOptions, StoreText } from "../store/writing.ts";
import { copyPaths } from "../substitute/copy.ts";

/** A store that keeps its paths in `target` and has the files of those that are used in a temporary directory. */
export class StagedStore implements MachineStore {
  readonly uri: string;
  readonly storeDir: string;
  readonly location: StoreLocation;
  readonly offers: Partial<Offers>;
  readonly #target: Store;
  readonly #local: LocalStore;
  readonly #directory: string;
  /** Paths that are being fetched or have been. */
  readonly #fetched = new Map<string, Promise<void>>();
  readonly #leave: () => void;

  private constructor(target: Store, { local, directory }: { local: LocalStore; directory: string }) {
    this.#target = target;
    this.#local = local;
    this.#directory = directory;
    this.uri = target.uri;
    this.storeDir = target.storeDir;
    this.location = local.location;
    const { building, server, logs, logWriting, listing, graph, realisations, hashParts, roots } = target.offers;
    this.offers = {
      writing: this,
      content: this,
      sources: this,
      signatures: this,
      files: this,
      ...(building === undefined ? {} : { building }),
      ...(server === undefined ? {} : { server }),
      ...(logs === undefined ? {} : { logs }),
      ...(logWriting === undefined ? {} : { logWriting }),
      ...(listing === undefined ? {} : { listing }),
      ...(graph === undefined ? {} : { graph }),
      ...(hashParts === undefined ? {} : { hashParts }),
      ...(realisations === undefined ? {} : { realisations }),
      ...(roots === undefined ? {} : { roots }),
    };
    this.#leave = () => removeDirectory(directory);
    process.once("exit", this.#leave);
  }

  /** Makes the directory over a store; closing the result closes `target` too. */
  static async open(target: Store, events: EventSink = noEvents): Promise<StagedStore> {
    const directory = makeTemporaryDirectory("nix-store-");
    const location = storeLocation({ rootDir: directory, storeDir: target.storeDir });
    const local = await LocalStore.open({
      location,
      requireSigs: false,
      fsyncMetadata: false,
      reservedSpace: 0,
      events,
    });
    return new StagedStore(target, { local, directory });
  }

  async isValidPath(path: string): Promise<boolean> {
    if (await this.#local.isValidPath(path)) return true;
    if (!(await this.#target.isValidPath(path))) return false;
    // Who asks about a derivation reads it next, and cannot wait then.
    if (isDerivationPath(path)) await this.fetchFiles(path);
    return true;
  }

  async queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    return this.#target.queryValidPaths(paths);
  }

  queryPathInfo(path: string): Promise<PathInfo | undefined> {
    return this.#target.queryPathInfo(path);
  }

  narFromPath(path: string): NarChunks {
    return this.#target.narFromPath(path);
  }

  async fetchFiles(path: string): Promise<void> {
    let fetched = this.#fetched.get(path);
    if (fetched === undefined) {
      fetched = this.#fetch(path);
      this.#fetched.set(path, fetched);
    }
    await fetched;
  }

  async #fetch(path: string): Promise<void> {
    if (await this.#local.isValidPath(path)) return;
    const closure = await computeClosure(this.#target, [path]);
    await copyPaths(closure, { from: this.#target, to: this.#local, checkSignatures: false });
  }

  /** Copies paths that were added to the directory to the store. */
  async #publish(paths: readonly string[]): Promise<void> {
    const valid = await this.#target.queryValidPaths(paths);
    const writer = offered(this.#target, "writing");
    for (const path of paths) {
      if (valid.has(path)) continue;
      await writer.addToStore(await requirePathInfo(this.#local, path), this.#local.narFromPath(path));
    }
  }

  async addToStore(info: PathInfo, nar: NarChunks, options?: AddOptions): Promise<void> {
    await offered(this.#target, "writing").addToStore(info, nar, options);
  }

  async addTempRoot(path: string): Promise<void> {
    await this.#target.offers.writing?.addTempRoot(path);
  }

  async addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    for (const reference of options.references ?? []) await this.fetchFiles(reference);
    const info = await this.#local.addContent(nar, options);
    await this.#publish([info.path]);
    return info;
  }

  async addPath(
    source: string,
    options: ContentOptions & { readonly filter?: PathFilter | undefined },
  ): Promise<PathInfo> {
    for (const reference of options.references ?? []) await this.fetchFiles(reference);
    const info = await this.#local.addPath(source, options);
    await this.#publish([info.path]);
    return info;
  }

  async addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string> {
    const [path] = await this.addTextsToStore([{ name, contents, references }]);
    return path!;
  }

  async addTextsToStore(texts: readonly StoreText[]): Promise<string[]> {
    const paths: string[] = [];
    for (const text of texts) {
      for (const reference of text.references) await this.fetchFiles(reference);
      paths.push(...(await this.#local.addTextsToStore([text])));
    }
    await this.#publish([...new Set(paths)]);
    return paths;
  }

  addSignatures(path: string, signatures: readonly string[]): Promise<void> {
    return offered(this.#target, "signatures").addSignatures(path, signatures);
  }

  realPath(path: string): string {
    return this.#local.realPath(path);
  }

  readDerivation(path: string): Derivation {
    return this.#local.readDerivation(path);
  }

  queryAllValidPaths(): Promise<string[]> {
    return offered(this.#target, "listing").queryAllValidPaths();
  }

  queryReferrers(path: string): Promise<string[]> {
    return offered(this.#target, "graph").queryReferrers(path);
  }

  async queryValidDerivers(path: string): Promise<string[]> {
    return (await this.#target.offers.graph?.queryValidDerivers(path)) ?? [];
  }

  queryDerivationOutputs(drvPath: string): Promise<Map<string, string>> {
    return offered(this.#target, "graph").queryDerivationOutputs(drvPath);
  }

  queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    return offered(this.#target, "hashParts").queryPathFromHashPart(hashPart);
  }

  async queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    return this.#target.offers.realisations?.queryRealisation(id);
  }

  registerRealisation(realisation: wire.Realisation): Promise<void> {
    return offered(this.#target, "realisations").registerRealisation(realisation);
  }

  async buildLog(drvPath: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#target.offers.logs?.buildLog(drvPath);
  }

  addBuildLog(drvPath: string, log: AsyncIterable<Uint8Array>): Promise<void> {
    return offered(this.#target, "logWriting").addBuildLog(drvPath, log);
  }

  async addPermRoot(path: string): Promise<string> {
    return path;
  }

  addIndirectRoot(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    process.off("exit", this.#leave);
    await this.#local.close();
    removeDirectory(this.#directory);
    await this.#target.close();
  }
}
