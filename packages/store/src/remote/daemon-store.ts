/** The store of a daemon, on this machine or on another one, by the worker protocol. */
import {
  bytesOf,
  type ContentAddress,
  createHasher,
  type DerivedPath,
  derivationOutputPath,
  FirnError,
  type Hash,
  hashData,
  ignoringNarSink,
  interrupted,
  makeFixedOutputPath,
  NarParser,
  narOfFile,
  type PathInfo,
  printDerivedPath,
  wire,
} from "@firn/formats";
import type { EventSink } from "../events.ts";
import { dumpPath, type PathFilter } from "../fs/dump.ts";
import { contentInfo, hashContent } from "../local/content-hash.ts";
import type {
  BuildMode,
  BuildRequestOptions,
  BuildResult,
  Missing,
  PathBuilder,
  ServedStore,
} from "../store/building.ts";
import { requirePathInfo } from "../store/closure.ts";
import type { LogWriter } from "../store/logs.ts";
import type { HashPartIndex, NarChunks, PathGraph, PathListing } from "../store/paths.ts";
import type { RealisationRegistry } from "../store/realisations.ts";
import type { GcAction, GcOptions, GcResult, Roots } from "../store/roots.ts";
import type { Offers, Store } from "../store/store.ts";
import type {
  AddedPath,
  AddOptions,
  ContentOptions,
  ContentWriter,
  PathWriter,
  SignatureWriter,
  StoreText,
} from "../store/writing.ts";
import { readBuildResult } from "./build-results.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { DaemonConnection, type DaemonConnectionOptions } from "./daemon-connection.ts";
import type { Transport } from "./transport.ts";

const { workerOperations: operations } = wire;

/** Options of a daemon's store. */
export interface DaemonStoreOptions extends DaemonConnectionOptions {
  readonly uri: string;
  /** Opens a connection. */
  readonly connect: () => Promise<Transport>;
  readonly maxConnections: number;
  /** Age in seconds from which on a connection is not used again. */
  readonly maxConnectionAge?: number;
}

/** Number of requests that are sent before their answers are read. */
const BATCH = 256;

const actions: { readonly [Action in GcAction]: wire.WireValue<typeof wire.gcOptions>["action"] } = {
  live: "return-live",
  dead: "return-dead",
  "delete-dead": "delete-dead",
  "delete-specific": "delete-specific",
};

/** A store behind a daemon, with the capabilities that need no files of it. */
export class DaemonStore
  implements
    Store,
    PathListing,
    PathGraph,
    HashPartIndex,
    PathWriter,
    ContentWriter,
    SignatureWriter,
    RealisationRegistry,
    LogWriter,
    PathBuilder,
    ServedStore
{
  readonly uri: string;
  readonly storeDir: string;
  readonly offers: Partial<Offers>;
  readonly events: EventSink;
  /** Opens a connection to the daemon that nothing has been said on yet. */
  readonly connect: () => Promise<Transport>;
  readonly #pool: ConnectionPool;
  /** Paths that the daemon protects for this process. */
  readonly #protected = new Set<string>();

  constructor(options: DaemonStoreOptions) {
    this.uri = options.uri;
    this.storeDir = options.storeDir;
    this.events = options.events;
    this.connect = options.connect;
    this.offers = {
      listing: this,
      graph: this,
      hashParts: this,
      writing: this,
      content: this,
      signatures: this,
      realisations: this,
      logWriting: this,
      building: this,
      server: this,
    };
    this.#pool = new ConnectionPool({
      open: () => this.#open(options),
      maxConnections: Math.max(1, options.maxConnections),
      maxAge: (options.maxConnectionAge ?? Number.POSITIVE_INFINITY) * 1000,
      onLoss: () => this.#protected.clear(),
    });
  }

  async queryServer(): Promise<wire.DaemonFacts> {
    return this.#pool.use(async ({ peer: { nixVersion, trusted } }) => ({ nixVersion, trusted }));
  }

  isValidPath(path: string): Promise<boolean> {
    return this.call(operations.IsValidPath, { path });
  }

  async queryValidPaths(
    paths: Iterable<string>,
    { substitute = false }: { readonly substitute?: boolean } = {},
  ): Promise<Set<string>> {
    return new Set(await this.call(operations.QueryValidPaths, { paths: [...paths], substitute }));
  }

  async queryAllValidPaths(): Promise<string[]> {
    return [...(await this.call(operations.QueryAllValidPaths, undefined))];
  }

  async queryPathInfo(path: string): Promise<PathInfo | undefined> {
    const info = await this.call(operations.QueryPathInfo, { path });
    return info === undefined ? undefined : { path, ...info };
  }

  async queryReferrers(path: string): Promise<string[]> {
    return [...(await this.call(operations.QueryReferrers, { path }))];
  }

  async queryValidDerivers(path: string): Promise<string[]> {
    return [...(await this.call(operations.QueryValidDerivers, { path }))];
  }

  async queryDerivationOutputs(drvPath: string): Promise<Map<string, string>> {
    return this.#pool.use(async (connection) => {
      const outputs = new Map<string, string>();
      if (connection.peer.version < operations.QueryDerivationOutputMap.since) return outputs;
      const found = await connection.call(operations.QueryDerivationOutputMap, { path: drvPath });
      for (const [name, path] of found) if (path !== undefined) outputs.set(name, path);
      return outputs;
    });
  }

  async queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    if (hashPart.length !== 32) throw new FirnError("bad-hash-part", "invalid hash part");
    return this.call(operations.QueryPathFromHashPart, { hashPart });
  }

  async *narFromPath(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { narSize } = await requirePathInfo(this, path);
    const connection = await this.#pool.take();
    try {
      await connection.call(operations.NarFromPath, { path });
      yield* connection.rest(narSize);
    } finally {
      this.#pool.giveBack(connection);
    }
  }

  async addTempRoot(path: string): Promise<void> {
    if (this.#protected.has(path)) return;
    await this.call(operations.AddTempRoot, { path });
    this.#protected.add(path);
  }

  async addToStore(info: PathInfo, nar: NarChunks, options: AddOptions = {}): Promise<void> {
    const { repair = false, checkSignatures = false } = options;
    await this.call(operations.AddToStoreNar, { info, repair, dontCheckSignatures: !checkSignatures }, nar);
  }

  /** Adds paths with their archives, references first, with one request where the daemon knows it. */
  async addManyToStore(paths: readonly AddedPath[], options: AddOptions = {}): Promise<void> {
    const { repair = false, checkSignatures = false } = options;
    const sent = await this.#pool.use(async (connection) => {
      const { peer } = connection;
      if (peer.version < operations.AddMultipleToStore.since) return false;
      const body = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield wire.encodeWire(wire.number, paths.length, peer);
        for (const { info, nar } of paths) {
          yield wire.encodeWire(wire.pathInfoOfMany, info, peer);
          yield* nar();
        }
      };
      await connection.call(
        operations.AddMultipleToStore,
        { repair, dontCheckSignatures: !checkSignatures },
        gathered(body()),
      );
      return true;
    });
    if (!sent) for (const { info, nar } of paths) await this.addToStore(info, nar(), options);
  }

  async addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    const { name, method = "nar", algorithm = "sha256", references = [], repair = false } = options;
    // What is there already, as most sources are, is not sent again.
    const { hash } = await hashContent(nar(), { method, algorithm });
    const target = { name, storeDir: this.storeDir, references: { others: [...references].sort(), self: false } };
    const path = makeFixedOutputPath({ method, hash }, target);
    await this.addTempRoot(path);
    const known = repair ? undefined : await this.queryPathInfo(path);
    if (known !== undefined) return known;
    const added = await this.#pool.use((connection) => {
      const form = wire.requestBody(operations.AddToStore, connection.peer.version);
      const plain = form === "framed" && (method === "flat" || method === "text");
      const body = plain ? contentsOf(nar()) : nar();
      return connection.call(operations.AddToStore, { name, method, algorithm, references, repair }, body);
    });
    return added.info ?? requirePathInfo(this, added.path);
  }

  addPath(source: string, options: ContentOptions & { readonly filter?: PathFilter | undefined }): Promise<PathInfo> {
    return this.addContent(() => dumpPath(source, { filter: options.filter }), options);
  }

  async addTextToStore(name: string, contents: string | Uint8Array, references: readonly string[]): Promise<string> {
    const [path] = await this.addTextsToStore([{ name, contents, references }]);
    return path!;
  }

  async addTextsToStore(texts: readonly StoreText[]): Promise<string[]> {
    const made = texts.map((text) => textObject(text, this.storeDir));
    const paths = made.map(({ info }) => info.path);
    await this.#protect(paths);
    const valid = await this.queryValidPaths(paths);
    const missing = new Map(made.filter(({ info }) => !valid.has(info.path)).map((one) => [one.info.path, one]));
    if (missing.size > 0) await this.addManyToStore([...missing.values()]);
    return paths;
  }

  async addSignatures(path: string, signatures: readonly string[]): Promise<void> {
    await this.call(operations.AddSignatures, { path, signatures });
  }

  async queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    return this.#pool.use(async (connection) => {
      if (connection.peer.version < operations.QueryRealisation.since) return undefined;
      const [found] = await connection.call(operations.QueryRealisation, { id });
      return found === undefined ? undefined : (found.realisation ?? { id, outPath: found.outPath, signatures: [] });
    });
  }

  async registerRealisation(realisation: wire.Realisation): Promise<void> {
    await this.call(operations.RegisterDrvOutput, realisation);
  }

  async addBuildLog(drvPath: string, log: AsyncIterable<Uint8Array>): Promise<void> {
    await this.call(operations.AddBuildLog, { drvPath }, log);
  }

  async buildPaths(
    paths: readonly DerivedPath[],
    { mode = "normal", signal }: BuildRequestOptions = {},
  ): Promise<readonly BuildResult[]> {
    return this.#untilAborted(signal, async (connection) => {
      if (connection.peer.version >= operations.BuildPathsWithResults.since) {
        const results = await connection.call(operations.BuildPathsWithResults, { paths, mode });
        const told = new Map(results.map(({ path, result }) => [printDerivedPath(path), readBuildResult(result)]));
        return paths.map((path) => ({ path, ...(told.get(printDerivedPath(path)) ?? { outputs: new Map() }) }));
      }
      return this.#buildAsOldDaemons(connection, paths, mode);
    });
  }

  async buildDerivation(
    target: { readonly drvPath: string; readonly derivation: wire.BasicDerivation },
    { mode = "normal", signal }: BuildRequestOptions = {},
  ): Promise<Omit<BuildResult, "path">> {
    const result = await this.#untilAborted(signal, (connection) =>
      connection.call(operations.BuildDerivation, { target, mode }),
    );
    const built = readBuildResult(result);
    if (built.error !== undefined || built.outputs.size > 0) return built;
    // Before version 1.28 the outputs were not told.
    const { derivation } = target;
    const outputs = new Map<string, string>();
    for (const name of derivation.outputs.keys()) {
      const path = derivationOutputPath(derivation, name, this.storeDir);
      if (path !== undefined) outputs.set(name, path);
    }
    return { outputs };
  }

  async queryMissing(paths: readonly DerivedPath[]): Promise<Missing> {
    const missing = await this.call(operations.QueryMissing, { paths });
    return { ...missing, downloadSize: Number(missing.downloadSize), narSize: Number(missing.narSize) };
  }

  /** Returns all roots whose paths are valid. */
  async findRoots(): Promise<Roots> {
    const roots: Roots = new Map();
    for (const { link, target } of await this.call(operations.FindRoots, undefined)) {
      roots.set(target, (roots.get(target) ?? new Set()).add(link));
    }
    return roots;
  }

  /** Collects garbage. */
  async collectGarbage({ action, paths = [], signal, ...options }: GcOptions): Promise<GcResult> {
    const { maxFreed } = options;
    const request = {
      action: actions[action],
      pathsToDelete: paths,
      ignoreLiveness: options.ignoreLiveness ?? false,
      maxFreed: maxFreed === undefined || !Number.isSafeInteger(maxFreed) ? 2n ** 64n - 1n : BigInt(maxFreed),
    };
    const result = await this.#untilAborted(signal, (connection) =>
      connection.call(operations.CollectGarbage, request),
    );
    return { paths: result.paths, bytesFreed: Number(result.bytesFreed), failures: [] };
  }

  /** Tells the daemon of a link outside its state directory that keeps a path alive. */
  async addIndirectRoot(link: string): Promise<void> {
    await this.call(operations.AddIndirectRoot, { link });
  }

  /** Compares paths with what is registered of them; returns true when errors remain. */
  verify(options: { readonly checkContents: boolean; readonly repair: boolean }): Promise<boolean> {
    return this.call(operations.VerifyStore, options);
  }

  /** Replaces equal files by hard links. */
  async optimise(): Promise<void> {
    await this.call(operations.OptimiseStore, undefined);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Does one operation of the protocol. Errors of the connection and of the daemon. */
  protected call<Request, Answer>(
    operation: wire.WireOperation<Request, Answer>,
    request: Request,
    body?: NarChunks,
  ): Promise<Answer> {
    return this.#pool.use((connection) => connection.call(operation, request, body));
  }

  /** Protects paths from garbage collection, many with one message. */
  async #protect(paths: readonly string[]): Promise<void> {
    const missing = [...new Set(paths)].filter((path) => !this.#protected.has(path));
    for (let at = 0; at < missing.length; at += BATCH) {
      const batch = missing.slice(at, at + BATCH);
      await this.#pool.use((connection) =>
        connection.callMany(
          operations.AddTempRoot,
          batch.map((path) => ({ path })),
        ),
      );
      for (const path of batch) this.#protected.add(path);
    }
  }

  /** Runs `work` with a connection that ends when `signal` aborts, and with it the daemon's work. */
  #untilAborted<Result>(
    signal: AbortSignal | undefined,
    work: (connection: DaemonConnection) => Promise<Result>,
  ): Promise<Result> {
    return this.#pool.use(async (connection) => {
      const abort = (): void => connection.abort();
      signal?.addEventListener("abort", abort, { once: true });
      try {
        if (signal?.aborted === true) throw interrupted();
        return await work(connection);
      } catch (error) {
        throw signal?.aborted === true ? interrupted() : error;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    });
  }

  /** Builds by the operation of daemons before version 1.34, which tells of no outputs and of one failure. */
  async #buildAsOldDaemons(
    connection: DaemonConnection,
    paths: readonly DerivedPath[],
    mode: BuildMode,
  ): Promise<readonly BuildResult[]> {
    let failure: FirnError | undefined;
    try {
      await connection.call(operations.BuildPaths, { paths, mode });
    } catch (error) {
      if (!(error instanceof FirnError) || error.code !== "daemon-error") throw error;
      // From version 1.26 on no exit status is told.
      const exitStatus = Math.max(100, error.exitStatus);
      failure = new FirnError("build-failed", error.message, { exitStatus, trace: error.trace });
    }
    const results: BuildResult[] = [];
    for (const path of paths) {
      if (path.kind === "opaque" || connection.peer.version < operations.QueryDerivationOutputMap.since) {
        results.push({ path, outputs: new Map(), ...(failure === undefined ? {} : { error: failure }) });
        continue;
      }
      const outputs = new Map<string, string>();
      const found =
        failure === undefined
          ? await connection.call(operations.QueryDerivationOutputMap, { path: path.drvPath })
          : new Map<string, string>();
      for (const [name, output] of found) {
        if (output !== undefined && (path.outputs === "*" || path.outputs.includes(name))) outputs.set(name, output);
      }
      results.push({ path, outputs, ...(failure === undefined ? {} : { error: failure }) });
    }
    return results;
  }

  async #open(options: DaemonStoreOptions): Promise<DaemonConnection> {
    try {
      return await DaemonConnection.open(await options.connect(), options);
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      const reason = error.code === "connection-closed" ? "the other end closed it" : error.message;
      throw new FirnError(error.code, `cannot open connection to remote store '${this.uri}': ${reason}`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
  }
}

/** Yields the contents of the plain file that an archive is of. Error `not-a-file`. */
async function* contentsOf(nar: NarChunks): AsyncGenerator<Uint8Array, void, undefined> {
  const parts: Uint8Array[] = [];
  const parser = new NarParser({ ...ignoringNarSink, data: (chunk) => void parts.push(chunk.slice()) });
  for await (const chunk of nar) {
    parser.push(chunk);
    yield* parts.splice(0);
  }
  parser.finish();
}

/** A text as a store object. */
function textObject({ name, contents, references }: StoreText, storeDir: string): AddedPath {
  const bytes = typeof contents === "string" ? bytesOf(contents) : contents;
  const ca: ContentAddress = { method: "text", hash: hashData("sha256", bytes) };
  const nar = [...narOfFile(bytes)];
  const hasher = createHasher("sha256");
  for (const chunk of nar) hasher.update(chunk);
  const narHash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
  const narSize = nar.reduce((sum, chunk) => sum + chunk.length, 0);
  return { info: contentInfo(ca, { narHash, narSize }, { name, storeDir, references }), nar: () => nar };
}

/** Joins small chunks, of which many would be many messages. */
async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size < 1 << 16) continue;
    yield parts.length === 1 ? chunk : Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}
