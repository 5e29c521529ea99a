/** The store on this machine's disk. A path is valid when, and only when, it is registered in the database. */

import { randomBytes } from "node:crypto";
import {
  bytesOf,
  type ContentAddress,
  canonicalPath,
  countGoodSignatures,
  createHasher,
  type Derivation,
  derivationOutputPath,
  equalHashes,
  FirnError,
  type Hash,
  hashData,
  isContentAddressed,
  isDerivationPath,
  makeFixedOutputPath,
  NarParser,
  narOfFile,
  type PathInfo,
  printHash,
  type SigningKey,
  sortSignatures,
  storePathBaseName,
  storePathHashPart,
  toNix32,
  verifyText,
  wire,
} from "@firn/formats";
import { type EventSink, noEvents } from "../events.ts";
import { disk, hasErrorCode } from "../fs/disk.ts";
import { dumpPath, type PathFilter } from "../fs/dump.ts";
import * as fs from "../fs/files.ts";
import { machineError } from "../fs/machine-error.ts";
import { removePath } from "../fs/remove.ts";
import { RestoreSink } from "../fs/restore.ts";
import { lock, openLockFile } from "../locks/flock.ts";
import { PathLocks } from "../locks/path-lock.ts";
import { sortTopologically } from "../store/closure.ts";
import { builtPath, DerivationHashes } from "../store/derivation-hashes.ts";
import type { StoreLocation } from "../store/location.ts";
import type { NarChunks } from "../store/paths.ts";
import type { OutputRegistry, PlacingOptions } from "../store/registering.ts";
import type { GcOptions, GcResult, Roots } from "../store/roots.ts";
import type { MachineStore, Offers } from "../store/store.ts";
import type { OptimiseResult, VerifyOptions } from "../store/upkeep.ts";
import type { AddOptions, ContentOptions, StoreText } from "../store/writing.ts";
import { AutoGc, type AutoGcOptions } from "./auto-gc.ts";
import { contentInfo, hashContent, hashNarContent } from "./content-hash.ts";
import { needsMigration, StoreDatabase } from "./database.ts";
import { readDerivationFile } from "./derivation-file.ts";
import { collectGarbage } from "./gc.ts";
import { hashTree } from "./hash-tree.ts";
import type { LocalInternals } from "./internals.ts";
import { readBuildLog, writeBuildLog } from "./logs.ts";
import { optimiseTrees } from "./optimise.ts";
import { addIndirectRoot, addPermRoot, findRoots } from "./roots.ts";
import { openTempRoots, type TempRootsHandle } from "./temp-roots.ts";
import { verifyStore } from "./verify.ts";

/** Options of a local store; defaults as the reference's settings. */
export interface LocalStoreOptions {
  readonly location: StoreLocation;
  readonly uri?: string;
  readonly readOnly?: boolean;
  readonly requireSigs?: boolean;
  readonly trustedKeys?: readonly SigningKey[];
  readonly fsyncMetadata?: boolean;
  readonly fsyncStorePaths?: boolean;
  readonly useWal?: boolean;
  readonly keepOutputs?: boolean;
  readonly keepDerivations?: boolean;
  /** True to ask the daemon of `nix store roots-daemon` for what running programs use, instead of looking into all processes. */
  readonly useRootsDaemon?: boolean;
  readonly reservedSpace?: number;
  /**
   * True to delete the reserved space before opening the database, which cannot be opened on a full disk; for commands that
   * free space.
   */
  readonly releaseReserve?: boolean;
  readonly autoOptimise?: boolean;
  readonly autoGc?: AutoGcOptions;
  /** The features of builders whose outputs it takes; by default those of the settings. */
  readonly systemFeatures?: readonly string[];
  readonly events?: EventSink;
}

const RESERVED = 8 * 1024 * 1024;

/** A local store; make one with `LocalStore.open`. */
export class LocalStore implements MachineStore, OutputRegistry, LocalInternals {
  readonly uri: string;
  readonly location: StoreLocation;
  readonly storeDir: string;
  readonly options: LocalStoreOptions;
  readonly events: EventSink;
  readonly database: StoreDatabase;
  readonly offers: Partial<Offers>;
  readonly systemFeatures: readonly string[] | undefined;
  readonly #tempRoots: TempRootsHandle | undefined;
  readonly #bigLock: number;
  readonly #autoGc: AutoGc | undefined;
  /** The hashes of derivations that were checked, kept because checking one needs those of its inputs. */
  readonly #hashes: DerivationHashes;

  private constructor(options: LocalStoreOptions, database: StoreDatabase, bigLock: number) {
    this.options = options;
    this.location = options.location;
    this.systemFeatures = options.systemFeatures;
    this.storeDir = options.location.storeDir;
    this.uri = options.uri ?? "local";
    this.events = options.events ?? noEvents;
    this.database = database;
    this.#bigLock = bigLock;
    this.#hashes = new DerivationHashes(this);
    this.#autoGc = options.autoGc === undefined ? undefined : new AutoGc(options.autoGc);
    this.offers = {
      listing: this,
      graph: this,
      hashParts: this,
      writing: this,
      content: this,
      sources: this,
      signatures: this,
      files: this,
      roots: this,
      registry: this,
      realisations: this,
      logs: this,
      logWriting: this,
      upkeep: this,
    };
    this.#tempRoots = options.readOnly === true ? undefined : openTempRoots(options.location.stateDir);
  }

  /** Opens a store, making its directories and database when they are missing. Errors `not-writable`, `new-schema`, … */
  static async open(options: LocalStoreOptions): Promise<LocalStore> {
    const { location } = options;
    const directory = `${location.stateDir}/db`;
    if (options.readOnly === true) return new LocalStore(options, new StoreDatabase(directory, { readOnly: true }), -1);
    try {
      makeDirectories(location);
      if (options.releaseReserve === true) removePath(`${directory}/reserved`);
      else reserveSpace(`${directory}/reserved`, options.reservedSpace ?? RESERVED);
      const bigLock = openLockFile(`${directory}/big-lock`);
      const say = (text: string) => () => (options.events ?? noEvents)({ kind: "message", level: "info", text });
      // Who has the store open counts on its tables.
      const alone = needsMigration(directory);
      if (alone) await lock(bigLock, "write", say("waiting for exclusive access to the Nix store..."));
      else await lock(bigLock, "read", say("waiting for the big Nix store lock..."));
      const database = new StoreDatabase(directory, {
        wal: options.useWal ?? true,
        fsync: options.fsyncMetadata ?? true,
      });
      if (alone) await lock(bigLock, "read");
      return new LocalStore(options, database, bigLock);
    } catch (error) {
      if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS")) throw error;
      const reason = machineError(error)?.message ?? String(error);
      throw new FirnError("not-writable", reason, {
        cause: error,
        trace: [
          {
            message:
              "This command may have been run as non-root in a single-user Nix installation,\nor the Nix daemon may have crashed.",
          },
        ],
        hint: ownStore,
      });
    }
  }

  /** Returns the place of a store path on disk. */
  realPath(path: string): string {
    return `${this.location.realStoreDir}/${storePathBaseName(path)}`;
  }

  async isValidPath(path: string): Promise<boolean> {
    return this.database.isValid(path);
  }

  async queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    return new Set([...paths].filter((path) => this.database.isValid(path)));
  }

  async queryAllValidPaths(): Promise<string[]> {
    return this.database.allValidPaths();
  }

  async queryPathInfo(path: string): Promise<PathInfo | undefined> {
    return this.database.pathInfo(path);
  }

  async queryReferrers(path: string): Promise<string[]> {
    return this.database.referrers(path);
  }

  async queryValidDerivers(path: string): Promise<string[]> {
    return this.database.validDerivers(path);
  }

  async queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    if (hashPart.length !== 32) throw new FirnError("bad-hash-part", "invalid hash part");
    return this.database.pathFromPrefix(`${this.storeDir}/${hashPart}`);
  }

  /** Returns known output paths of a valid derivation, by output name. */
  async queryDerivationOutputs(drvPath: string): Promise<Map<string, string>> {
    const outputs = this.database.derivationOutputs(drvPath);
    if (!isDerivationPath(drvPath) || !this.database.hasRealisations()) return outputs;
    const derivation = this.readDerivation(drvPath);
    const hashes = this.#hashes;
    for (const name of derivation.outputs.keys()) {
      const path = outputs.get(name) ?? (await builtPath(this, derivation, { output: name, hashes }));
      if (path !== undefined) outputs.set(name, path);
    }
    return outputs;
  }

  async addTempRoot(path: string): Promise<void> {
    await this.#tempRoots?.add(path);
  }

  async addToStore(info: PathInfo, nar: NarChunks, options: AddOptions = {}): Promise<void> {
    this.#requireWritable(info.path);
    if (options.checkSignatures === true && !this.isTrusted(info)) {
      throw new FirnError(
        "untrusted-path",
        `cannot add path '${info.path}' because it lacks a signature by a trusted key`,
      );
    }
    await this.addTempRoot(info.path);
    const wanted = (): boolean => options.repair === true || !this.database.isValid(info.path);
    if (!wanted()) return;
    await this.makeRoom();
    const locks = await this.lockPaths(options.locked === true ? [] : [info.path]);
    try {
      if (!wanted()) return;
      const temporary = this.temporaryPath(info.path);
      try {
        const got = await this.#restore(nar, temporary);
        checkNar(info, got);
        if (info.ca !== undefined) checkContent(info, info.ca, { real: temporary, narHash: got.hash });
        this.replaceReal(temporary, info.path, { repair: options.repair ?? false });
      } finally {
        removePath(temporary);
      }
      this.registerValidPaths([info]);
    } finally {
      locks.release();
    }
  }

  async addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    const method = options.method ?? "nar";
    const algorithm = options.algorithm ?? "sha256";
    const isPlain = method === "nar" && algorithm === "sha256" && options.repair !== true;
    if (options.isNew === true && isPlain && this.options.readOnly !== true) {
      return this.#addNew(nar(), options);
    }
    const first = await hashContent(nar(), { method, algorithm });
    const info = contentInfo({ method, hash: first.hash }, first, { ...options, storeDir: this.storeDir });
    await this.addTempRoot(info.path);
    const known = this.database.pathInfo(info.path);
    if (known !== undefined && options.repair !== true) return known;
    await this.addToStore(info, nar(), options.repair === true ? { repair: true } : {});
    return this.database.pathInfo(info.path) ?? info;
  }

  /** Adds an object by writing it to a place from which it is moved once its path is known. */
  async #addNew(nar: NarChunks, options: ContentOptions): Promise<PathInfo> {
    await this.makeRoom();
    // A root that no store path has keeps the collector from the place.
    const place = `${this.storeDir}/${toNix32(randomBytes(20))}-x`;
    await this.addTempRoot(place);
    const temporary = this.temporaryPath(place);
    try {
      const { hash, size } = await this.#restore(nar, temporary);
      const info = contentInfo(
        { method: "nar", hash },
        { narHash: hash, narSize: size },
        { ...options, storeDir: this.storeDir },
      );
      await this.addTempRoot(info.path);
      const locks = await this.lockPaths([info.path]);
      try {
        const known = this.database.pathInfo(info.path);
        if (known !== undefined) return known;
        this.replaceReal(temporary, info.path);
        this.registerValidPaths([info]);
        return this.database.pathInfo(info.path) ?? info;
      } finally {
        locks.release();
      }
    } finally {
      removePath(temporary);
    }
  }

  /** Adds a file or tree from disk; `filter` chooses the files that belong to it. */
  async addPath(
    source: string,
    options: ContentOptions & { readonly filter?: PathFilter | undefined },
  ): Promise<PathInfo> {
    return this.addContent(() => dumpPath(source, { filter: options.filter, transient: true }), options);
  }

  async addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string> {
    const [path] = await this.addTextsToStore([{ name, contents, references }]);
    return path!;
  }

  /**
   * Adds many texts with one transaction; one may refer to those before it. Takes no path locks: every writer of a text
   * writes the same bytes, and puts them in place by a rename.
   */
  async addTextsToStore(texts: readonly StoreText[]): Promise<string[]> {
    this.#requireWritable();
    const paths: string[] = [];
    const infos = new Map<string, PathInfo>();
    const computed = new Set<string>();
    for (const { name, contents, references, ...text } of texts) {
      const bytes = typeof contents === "string" ? bytesOf(contents) : contents;
      const sorted = [...new Set(references)].sort();
      const ca: ContentAddress = { method: "text", hash: hashData("sha256", bytes) };
      const path = makeFixedOutputPath(ca, {
        name,
        storeDir: this.storeDir,
        references: { others: sorted, self: false },
      });
      paths.push(path);
      if (text.computed === true) computed.add(path);
      await this.addTempRoot(path);
      if (infos.has(path) || this.database.isValid(path)) continue;
      const hasher = createHasher("sha256");
      let narSize = 0;
      for (const chunk of narOfFile(bytes)) {
        hasher.update(chunk);
        narSize += chunk.length;
      }
      const narHash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
      this.#writeText(path, bytes);
      infos.set(path, { path, narHash, narSize, references: sorted, signatures: [], ca });
    }
    if (infos.size > 0) this.#registerAll([...infos.values()], computed);
    return paths;
  }

  #writeText(path: string, bytes: Uint8Array): void {
    const temporary = this.temporaryPath(path);
    const sink = new RestoreSink(temporary, { sync: this.options.fsyncStorePaths ?? false });
    try {
      try {
        sink.regular("", { executable: false, size: bytes.length });
        sink.data(bytes);
        sink.endRegular();
      } finally {
        sink.close();
      }
      this.replaceReal(temporary, path);
    } catch (error) {
      removePath(temporary);
      throw error;
    }
  }

  *narFromPath(path: string): Generator<Uint8Array, void, undefined> {
    if (!this.database.isValid(path)) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    yield* dumpPath(this.realPath(path));
  }

  async addSignatures(path: string, signatures: readonly string[]): Promise<void> {
    this.#requireWritable();
    this.database.transaction(() => {
      const info = this.database.pathInfo(path);
      if (info === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
      this.database.putPath({ ...info, signatures: sortSignatures([...info.signatures, ...signatures]) });
    });
  }

  /** Tells whether a path may be added: no signatures demanded, content-addressed, or signed by a trusted key. */
  isTrusted(info: PathInfo): boolean {
    if (this.options.requireSigs === false || isContentAddressed(info)) return true;
    return countGoodSignatures(info, this.options.trustedKeys ?? []) > 0;
  }

  readDerivation(path: string): Derivation {
    return readDerivationFile(path, { file: this.realPath(path), storeDir: this.storeDir });
  }

  async makeRoom(): Promise<void> {
    await this.#autoGc?.makeRoom(this);
  }

  /** Takes the locks of store paths; reports when it has to wait. */
  lockPaths(paths: Iterable<string>): Promise<PathLocks> {
    return PathLocks.acquire(
      [...paths].map((path) => this.realPath(path)),
      (waiting) =>
        this.events({ kind: "message", level: "notice", text: `waiting for lock on "${waiting.join('", "')}"` }),
    );
  }

  /**
   * Returns a neighbour of the path on disk, protected with it from garbage collection because the collector goes by the hash
   * part. The name is left out because one of 211 characters has no room for more.
   */
  temporaryPath(path: string): string {
    const name = `${storePathHashPart(path)}-x.tmp-${process.pid}-${temporaryCounter++}`;
    return `${this.location.realStoreDir}/${name}`;
  }

  /** Moves a finished, canonical tree to its place (deleting unregistered files there). */
  replaceReal(temporary: string, path: string, options: PlacingOptions = {}): void {
    const real = this.realPath(path);
    if (this.options.autoOptimise === true) this.#optimise([temporary], options);
    if (this.options.fsyncStorePaths === true) disk.fsync(temporary);
    // What is replaced stays whole until the other is there; the collector deletes what is left after a kill.
    const replaced = options.repair === true && fs.lstatSync(real, { throwIfNoEntry: false }) !== undefined;
    const aside = this.temporaryPath(path);
    if (replaced) disk.rename(real, aside);
    else removePath(real);
    disk.rename(temporary, real);
    if (replaced) removePath(aside);
    if (this.options.fsyncStorePaths === true) disk.fsync(this.location.realStoreDir);
  }

  shareFiles(path: string, options: PlacingOptions = {}): void {
    if (this.options.autoOptimise === true) this.#optimise([this.realPath(path)], options);
  }

  /** Makes paths valid, all or none; their references must be valid or among them. Errors `invalid-path`, `cycle`. */
  registerValidPaths(infos: readonly PathInfo[]): void {
    this.#registerAll(infos);
  }

  /** Makes paths valid; `computed` are derivations that need no check. */
  #registerAll(infos: readonly PathInfo[], computed: ReadonlySet<string> = new Set()): void {
    this.#requireWritable();
    const byPath = new Map(infos.map((info) => [info.path, info]));
    this.database.transaction(() => {
      for (const info of infos) this.#register(info, computed.has(info.path));
      for (const info of infos) {
        const referrer = this.database.pathId(info.path);
        for (const reference of info.references) this.database.putReference(referrer, this.database.pathId(reference));
      }
      sortTopologically(byPath.keys(), (path) => byPath.get(path)?.references ?? []);
    });
  }

  async queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    const found = this.database.realisation(printHash(id.drvHash, "base16"), id.outputName);
    return found === undefined ? undefined : { id, outPath: found.path, signatures: found.signatures };
  }

  isTrustedRealisation(realisation: wire.Realisation): boolean {
    const { requireSigs, trustedKeys } = this.options;
    if (requireSigs === false) return true;
    const text = wire.realisationFingerprint(realisation);
    return realisation.signatures.some((signature) => verifyText(text, signature, trustedKeys ?? []));
  }

  async registerRealisation(
    realisation: wire.Realisation,
    options: { readonly checkSignatures?: boolean } = {},
  ): Promise<void> {
    this.#requireWritable();
    const { id, outPath } = realisation;
    if (options.checkSignatures === true && !this.isTrustedRealisation(realisation)) {
      throw new FirnError(
        "untrusted-realisation",
        `cannot register realisation '${storePathBaseName(outPath)}' because it lacks a signature by a trusted key`,
      );
    }
    const { database } = this;
    database.ensureRealisations();
    database.transaction(() => {
      const hash = printHash(id.drvHash, "base16");
      const old = database.realisation(hash, id.outputName);
      const signatures = sortSignatures([...(old?.signatures ?? []), ...realisation.signatures]);
      if (old === undefined) database.putRealisation(hash, id.outputName, { path: outPath, signatures });
      else if (old.path !== outPath) {
        throw new FirnError(
          "other-realisation",
          `Trying to register a realisation of '${wire.printDrvOutput(id)}', but we already have another one locally.\nLocal:  ${old.path}\nRemote: ${outPath}`,
        );
      } else if (signatures.length > old.signatures.length) database.signRealisation(hash, id.outputName, signatures);
    });
  }

  addPermRoot(path: string, link: string): Promise<string> {
    return addPermRoot(this, path, link);
  }

  async addIndirectRoot(link: string): Promise<void> {
    this.#requireWritable();
    addIndirectRoot(this, canonicalPath(link));
  }

  async findRoots(): Promise<Roots> {
    return findRoots(this);
  }

  collectGarbage(options: GcOptions): Promise<GcResult> {
    return collectGarbage(this, options);
  }

  async buildLog(drvPath: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return readBuildLog(this.location, drvPath);
  }

  addBuildLog(drvPath: string, log: AsyncIterable<Uint8Array>): Promise<void> {
    return writeBuildLog(this.location, drvPath, log);
  }

  async optimiseStore(): Promise<OptimiseResult> {
    this.#requireWritable();
    const paths = this.database.allValidPaths().filter((path) => fs.existsSync(this.realPath(path)));
    return this.#optimise(
      paths.map((path) => this.realPath(path)),
      { all: true },
    );
  }

  verifyStore(options: VerifyOptions): Promise<boolean> {
    return verifyStore(this, options);
  }

  async isIntact(path: string): Promise<boolean> {
    const info = this.database.pathInfo(path);
    if (info === undefined || fs.lstatSync(this.realPath(path), { throwIfNoEntry: false }) === undefined) return false;
    return equalHashes(this.currentHash(path), info.narHash);
  }

  currentHash(path: string): Hash {
    return hashTree(this.realPath(path)).hash;
  }

  invalidatePath(path: string): void {
    this.database.transaction(() => {
      const referrers = this.#invalidate(path);
      if (referrers.length === 0) return;
      const list = referrers.map((referrer) => `'${referrer}'`).join(", ");
      throw new FirnError("path-in-use", `cannot delete path '${path}' because it is in use by ${list}`);
    });
  }

  invalidatePaths(paths: readonly string[]): Set<string> {
    return this.database.transaction(() => new Set(paths.filter((path) => this.#invalidate(path).length === 0)));
  }

  /** Makes a path invalid (inside a transaction) unless others refer to it; returns those. */
  #invalidate(path: string): readonly string[] {
    if (!this.database.isValid(path)) return [];
    const referrers = this.database.referrers(path).filter((referrer) => referrer !== path);
    if (referrers.length === 0) this.database.deletePath(path);
    return referrers;
  }

  async close(): Promise<void> {
    this.#tempRoots?.close();
    this.database.close();
    if (this.#bigLock >= 0) fs.closeSync(this.#bigLock);
  }

  #optimise(trees: readonly string[], options: PlacingOptions & { readonly all?: boolean }): OptimiseResult {
    const warn = (text: string): void => this.events({ kind: "message", level: "warn", text });
    return optimiseTrees(this.location.realStoreDir, trees, { warn, ...options });
  }

  #register(info: PathInfo, isComputed: boolean): void {
    if (info.ca !== undefined && !isContentAddressed(info)) {
      throw new FirnError(
        "not-content-addressed",
        `cannot add path '${info.path}' to the Nix store because it claims to be content-addressed but isn't`,
      );
    }
    if (!this.database.putPath(info) || !isDerivationPath(info.path)) return;
    const id = this.database.pathId(info.path);
    const derivation = this.readDerivation(info.path);
    if (!isComputed) this.#hashes.check(info.path, derivation);
    for (const name of derivation.outputs.keys()) {
      const output = derivationOutputPath(derivation, name, this.storeDir);
      if (output !== undefined) this.database.putDerivationOutput(id, name, output);
    }
  }

  async #restore(nar: NarChunks, target: string): Promise<{ hash: Hash; size: number }> {
    removePath(target);
    const sink = new RestoreSink(target, { sync: this.options.fsyncStorePaths ?? false });
    const parser = new NarParser(sink);
    const hasher = createHasher("sha256");
    let size = 0;
    try {
      for await (const chunk of nar) {
        hasher.update(chunk);
        size += chunk.length;
        parser.push(chunk);
      }
      parser.finish();
    } finally {
      sink.close();
    }
    return { hash: { algorithm: "sha256", bytes: hasher.digest() }, size };
  }

  /** Error `not-writable` for a store that is opened read-only; where `path` cannot be locked, that is the reason, as in the reference. */
  #requireWritable(path?: string): void {
    if (this.options.readOnly !== true) return;
    if (path !== undefined) {
      try {
        fs.accessSync(this.location.realStoreDir, fs.constants.W_OK);
      } catch (error) {
        const reason = machineError(error)?.message.replace(/^.*: /, "");
        const message = `opening lock file "${this.realPath(path)}.lock": ${reason}`;
        throw new FirnError("not-writable", message, { cause: error, hint: ownStore });
      }
    }
    const message = `the store in "${this.location.realStoreDir}" cannot be written: attempt to write a readonly database`;
    throw new FirnError("not-writable", message, { hint: ownStore });
  }
}

const ownStore = "use a store of your own, e.g. --store ~/.local/share/nix/root";

let temporaryCounter = 0;

function checkNar(info: PathInfo, got: { hash: Hash; size: number }): void {
  if (!equalHashes(got.hash, info.narHash)) {
    throw new FirnError(
      "hash-mismatch",
      `hash mismatch importing path '${info.path}';\n  specified: ${printHash(info.narHash, "nix32")}\n  got:       ${printHash(got.hash, "nix32")}`,
    );
  }
  if (got.size !== info.narSize) {
    throw new FirnError(
      "size-mismatch",
      `size mismatch importing path '${info.path}';\n  specified: ${info.narSize}\n  got:       ${got.size}`,
    );
  }
}

function checkContent(
  info: PathInfo,
  ca: ContentAddress,
  { real, narHash }: { readonly real: string; readonly narHash: Hash },
): void {
  // The archive as it came is the content.
  if (ca.method === "nar" && equalHashes(narHash, ca.hash)) return;
  const actual = hashNarContent(dumpPath(real, { transient: true }), {
    method: ca.method,
    algorithm: ca.hash.algorithm,
    ...(info.references.includes(info.path) ? { self: storePathBaseName(info.path).slice(0, 32) } : {}),
  });
  if (equalHashes(actual, ca.hash)) return;
  throw new FirnError(
    "hash-mismatch",
    `ca hash mismatch importing path '${info.path}';\n  specified: ${printHash(ca.hash, "nix32")}\n  got:       ${printHash(actual, "nix32")}`,
  );
}

function makeDirectories(location: StoreLocation): void {
  const { stateDir } = location;
  for (const directory of [
    `${location.realStoreDir}/.links`,
    `${stateDir}/profiles/per-user`,
    `${stateDir}/gcroots/per-user`,
    `${stateDir}/temproots`,
    `${stateDir}/db`,
  ]) {
    disk.mkdirs(directory);
  }
}

function reserveSpace(file: string, size: number): void {
  try {
    if (fs.statSync(file).size === size) return;
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
  try {
    fs.writeFileSync(file, Buffer.alloc(size, "X"), { mode: 0o600 });
  } catch (error) {
    // A full disk must not keep the store from opening: the space is only wanted for the garbage collector. What could be
    // had of it is given back, since the database needs it.
    if (!hasErrorCode(error, "ENOSPC", "EDQUOT")) throw error;
    removePath(file);
  }
}
