/** The store as a builder may use it (recursive Nix): the paths of its inputs, and what it adds and builds itself. */
import { type Derivation, type DerivedPath, FirnError, type Hash, type PathInfo, type wire } from "@firn/formats";
import {
  type AddOptions,
  addDerivation,
  type BuildRequestOptions,
  type BuildResult,
  type ContentOptions,
  computeClosure,
  type GcResult,
  type MachineStore,
  type Missing,
  type NarChunks,
  type Offers,
  offered,
  type PathBuilder,
  type Roots,
  type StoreText,
} from "@firn/store";

/** The paths that a builder may use, which grow. */
export interface AllowedPaths {
  readonly paths: Set<string>;
  /** Lets the builder see a path that became allowed. */
  show(path: string): Promise<void>;
}

type AddPathOptions = Parameters<MachineStore["addPath"]>[1];

/** A store that knows allowed paths only. What depends on its history is not told: that is no input of a build. */
export class AllowedStore implements MachineStore, PathBuilder {
  readonly uri: string;
  readonly storeDir: string;
  readonly location: MachineStore["location"];
  readonly offers: Partial<Offers>;
  readonly #store: MachineStore;
  readonly #building: PathBuilder;
  readonly #allowed: AllowedPaths;
  /** Derivations that use and make only what is theirs. */
  readonly #checked = new Set<string>();

  constructor(store: MachineStore, building: PathBuilder, allowed: AllowedPaths) {
    this.uri = store.uri;
    this.storeDir = store.storeDir;
    this.location = store.location;
    this.#store = store;
    this.#building = building;
    this.#allowed = allowed;
    this.offers = { files: this, building: this };
  }

  async isValidPath(path: string): Promise<boolean> {
    return this.#has(path) && (await this.#store.isValidPath(path));
  }

  queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    return this.#store.queryValidPaths([...paths].filter((path) => this.#has(path)));
  }

  queryAllValidPaths(): Promise<string[]> {
    return Promise.resolve([...this.#allowed.paths].sort());
  }

  async queryPathInfo(path: string): Promise<PathInfo | undefined> {
    const info = this.#has(path) ? await this.#store.queryPathInfo(path) : undefined;
    if (info === undefined) return undefined;
    const { narHash, narSize, references, ca } = info;
    return { path, narHash, narSize, references, signatures: [], ...(ca === undefined ? {} : { ca }) };
  }

  narFromPath(path: string): NarChunks {
    this.#require(path);
    return this.#store.narFromPath(path);
  }

  async queryReferrers(): Promise<string[]> {
    return [];
  }

  async queryValidDerivers(): Promise<string[]> {
    return [];
  }

  async queryDerivationOutputs(drvPath: string): Promise<Map<string, string>> {
    this.#require(drvPath);
    return this.#store.queryDerivationOutputs(drvPath);
  }

  async queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    const path = await this.#store.queryPathFromHashPart(hashPart);
    return path !== undefined && this.#has(path) ? path : undefined;
  }

  async addToStore(info: PathInfo, nar: NarChunks, options: AddOptions = {}): Promise<void> {
    this.#requireReferences(info.references.filter((path) => path !== info.path));
    await this.#store.addToStore(info, nar, { ...options, checkSignatures: true });
    await this.#allow([info.path]);
  }

  addTempRoot(path: string): Promise<void> {
    return this.#store.addTempRoot(path);
  }

  async addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    this.#requireReferences(options.references ?? []);
    const info = await this.#store.addContent(nar, options);
    await this.#allow([info.path]);
    return info;
  }

  async addPath(source: string, options: AddPathOptions): Promise<PathInfo> {
    this.#requireReferences(options.references ?? []);
    const info = await this.#store.addPath(source, options);
    await this.#allow([info.path]);
    return info;
  }

  async addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string> {
    const [path] = await this.addTextsToStore([{ name, contents, references }]);
    return path!;
  }

  async addTextsToStore(texts: readonly StoreText[]): Promise<string[]> {
    const paths: string[] = [];
    for (const { name, contents, references } of texts) {
      this.#requireReferences(references);
      const path = await this.#store.addTextToStore(name, contents, references);
      await this.#allow([path]);
      paths.push(path);
    }
    return paths;
  }

  addSignatures(): Promise<void> {
    return refuse("add signatures");
  }

  realPath(path: string): string {
    return this.#store.realPath(path);
  }

  readDerivation(path: string): Derivation {
    this.#require(path);
    return this.#store.readDerivation(path);
  }

  addPermRoot(): Promise<string> {
    return refuse("make roots");
  }

  /** Does nothing: what a builder keeps is what its outputs refer to. */
  async addIndirectRoot(): Promise<void> {}

  async findRoots(): Promise<Roots> {
    return new Map();
  }

  /** Collects nothing. */
  async collectGarbage(): Promise<GcResult> {
    return { paths: [], bytesFreed: 0, failures: [] };
  }

  async queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    const found = await this.#store.queryRealisation(id);
    return found !== undefined && this.#has(found.outPath) ? found : undefined;
  }

  registerRealisation(): Promise<void> {
    return refuse("register realisations");
  }

  async buildLog(): Promise<undefined> {
    return undefined;
  }

  addBuildLog(): Promise<void> {
    return refuse("add logs");
  }

  verifyStore(): Promise<boolean> {
    return refuse("check the store");
  }

  currentHash(path: string): Hash {
    this.#require(path);
    return offered(this.#store, "upkeep").currentHash(path);
  }

  isIntact(path: string): Promise<boolean> {
    this.#require(path);
    return offered(this.#store, "upkeep").isIntact(path);
  }

  optimiseStore(): Promise<undefined> {
    return refuse("optimise the store");
  }

  async buildPaths(paths: readonly DerivedPath[], options: BuildRequestOptions = {}): Promise<readonly BuildResult[]> {
    for (const path of paths) {
      if (this.#has(requested(path))) continue;
      throw new FirnError(
        "not-allowed-path",
        `cannot build '${requested(path)}' in recursive Nix because path is unknown`,
      );
    }
    await this.#requireOwn(paths);
    const results = await this.#building.buildPaths(paths, { ...options, mode: "normal" });
    await this.#allow(results.flatMap(({ outputs }) => [...outputs.values()]));
    return results;
  }

  buildDerivation(): Promise<Omit<BuildResult, "path">> {
    return refuse("build derivations that are not in the store");
  }

  async queryMissing(paths: readonly DerivedPath[]): Promise<Missing> {
    const known = paths.filter((path) => this.#has(requested(path)));
    const missing = await this.#building.queryMissing(known);
    const unknown = paths.filter((path) => !known.includes(path)).map(requested);
    return { ...missing, unknown: [...new Set([...missing.unknown, ...unknown])].sort() };
  }

  /** Does nothing: the store is the build's. */
  async close(): Promise<void> {}

  #has(path: string): boolean {
    return this.#allowed.paths.has(path);
  }

  #require(path: string): void {
    if (!this.#has(path)) throw new FirnError("invalid-path", `path '${path}' is not valid`);
  }

  /** Refuses references to paths that the builder does not know: what is added makes all that it refers to allowed. */
  #requireReferences(references: readonly string[]): void {
    for (const path of references) this.#require(path);
  }

  /**
   * Refuses derivations with other inputs than allowed ones, and those whose output paths are not theirs: a derivation that the builder
   * wrote need not refer to its inputs, and one that names another path as its output would have that path for built.
   */
  async #requireOwn(paths: readonly DerivedPath[]): Promise<void> {
    const visit = async (drvPath: string): Promise<void> => {
      if (this.#checked.has(drvPath)) return;
      const derivation = this.readDerivation(drvPath);
      for (const path of derivation.inputSrcs) this.#require(path);
      for (const path of derivation.inputDrvs.keys()) await visit(path);
      await addDerivation(this, derivation, { dryRun: true });
      this.#checked.add(drvPath);
    };
    for (const path of paths) if (path.kind === "built") await visit(path.drvPath);
  }

  /** Makes paths and all that they refer to allowed. */
  async #allow(paths: readonly string[]): Promise<void> {
    for (const path of await computeClosure(this.#store, paths)) {
      if (this.#has(path)) continue;
      await this.#allowed.show(path);
      this.#allowed.paths.add(path);
    }
  }
}

function requested(path: DerivedPath): string {
  return path.kind === "opaque" ? path.path : path.drvPath;
}

function refuse(what: string): Promise<never> {
  return Promise.reject(new FirnError("not-allowed-path", `a builder cannot ${what}`));
}
