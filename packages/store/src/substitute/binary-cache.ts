/** Binary caches: a directory or a web server with `.narinfo` files and compressed NARs. Also written, byte for byte as the reference. */

import path from "node:path";
import {
  bytesOf,
  type CacheInfo,
  createHasher,
  equalHashes,
  FirnError,
  type Hash,
  type NarInfo,
  NarLister,
  type NarListing,
  type PathInfo,
  parseCacheInfo,
  parseNarInfo,
  printHash,
  printJson,
  printListing,
  printNarInfo,
  type SigningKey,
  signPathInfo,
  sortSignatures,
  storePathBaseName,
  storePathHashPart,
  wire,
} from "@firn/formats";
import { disk } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { removePath } from "../fs/remove.ts";
import { makeTemporaryDirectory } from "../fs/temporary-directory.ts";
import { addWithFacts } from "../local/content-hash.ts";
import type { LogReader, LogWriter } from "../store/logs.ts";
import type { HashPartIndex, NarChunks, PathListing } from "../store/paths.ts";
import type { RealisationRegistry } from "../store/realisations.ts";
import type { Offers, Store } from "../store/store.ts";
import type { AddOptions, ContentOptions, ContentWriter, PathWriter, SignatureWriter } from "../store/writing.ts";
import type { CacheFiles } from "./cache-files.ts";
import { compress, compressionSuffix, decompress } from "./compression.ts";
import type { NarInfoCache } from "./narinfo-cache.ts";

const MAX_NARINFO = 16 * 1024 * 1024;

/** Yields the compressed bytes of an archive; error when there are more than the cache announces. */
async function* atMost(body: NarChunks, info: NarInfo): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (info.fileSize !== undefined && info.fileSize > 0 && size > info.fileSize) {
      throw new FirnError(
        "too-large",
        `the archive of '${info.path}' is larger than the announced ${info.fileSize} bytes`,
      );
    }
    yield chunk;
  }
}

/** Options of a cache. */
export interface BinaryCacheOptions {
  readonly files: CacheFiles;
  readonly storeDir?: string;
  /** Compression of written archives; default `xz`. */
  readonly compression?: string;
  /** The method's level for written archives. */
  readonly compressionLevel?: number;
  /** True to compress with all processors, which xz can; by default one. */
  readonly parallelCompression?: boolean;
  readonly secretKeys?: readonly SigningKey[];
  readonly writeNarListing?: boolean;
  /** A directory that is to keep archives whose files are looked at. */
  readonly localNarCache?: string;
  /** True to keep, for each file of debug information, a file that is named by the program's build id and says where it is. */
  readonly indexDebugInfo?: boolean;
  /** Priority that overrides the cache's own; lower ones are queried first. */
  readonly priority?: number;
  readonly wantMassQuery?: boolean;
  /** The facts that are kept on disk between uses. */
  readonly known?: NarInfoCache;
}

/** A binary cache as a store. Facts about paths, including their absence, are remembered for its life. */
export class BinaryCacheStore
  implements Store, HashPartIndex, PathWriter, ContentWriter, SignatureWriter, RealisationRegistry, LogReader, LogWriter
{
  readonly uri: string;
  readonly storeDir: string;
  readonly offers: Partial<Offers>;
  readonly #options: BinaryCacheOptions;
  readonly #files: CacheFiles;
  readonly #infos = new Map<string, Promise<NarInfo | undefined>>();
  /** Its number among the facts on disk. */
  readonly #number: number | undefined;
  #prepared = false;
  /** Priority of the cache; lower ones are queried first. */
  readonly priority: number;
  readonly wantMassQuery: boolean;
  /** The directory that keeps archives whose files were looked at. */
  readonly localNarCache: string | undefined;

  private constructor(
    options: BinaryCacheOptions,
    facts: { storeDir: string; priority: number; wantMassQuery: boolean; number: number | undefined },
  ) {
    this.#options = options;
    this.#files = options.files;
    this.uri = options.files.uri;
    this.storeDir = facts.storeDir;
    this.priority = facts.priority;
    this.wantMassQuery = facts.wantMassQuery;
    this.#number = facts.number;
    this.localNarCache = options.localNarCache;
    const names = options.files.names?.bind(options.files);
    this.offers = {
      hashParts: this,
      writing: this,
      content: this,
      signatures: this,
      realisations: this,
      logs: this,
      logWriting: this,
      ...(names === undefined ? {} : { listing: this.#listing(names) }),
    };
  }

  /** Opens a cache, reading its `nix-cache-info`. Errors `not-a-cache`, `wrong-store-dir`, those of transfers. */
  static async open(options: BinaryCacheOptions): Promise<BinaryCacheStore> {
    const { files } = options;
    const url = files.uri;
    const storeDir = options.storeDir ?? "/nix/store";
    const known = options.known?.cache(url);
    const info: CacheInfo | undefined = known ?? (await BinaryCacheStore.#cacheInfo(files));
    if (info !== undefined && info.storeDir !== storeDir) {
      throw new FirnError(
        "wrong-store-dir",
        `binary cache '${url}' is for Nix stores with prefix '${info.storeDir}', not '${storeDir}'`,
      );
    }
    const priority = info?.priority ?? 50;
    const number = known?.id ?? (info === undefined ? undefined : options.known?.keepCache(url, { ...info, priority }));
    return new BinaryCacheStore(options, {
      storeDir,
      priority: options.priority ?? priority,
      wantMassQuery: options.wantMassQuery ?? info?.wantMassQuery ?? false,
      number,
    });
  }

  /** Asks a cache about itself. */
  static async #cacheInfo(files: CacheFiles): Promise<CacheInfo | undefined> {
    const text = await files.text("nix-cache-info");
    if (text !== undefined) return parseCacheInfo(text);
    if (files.mayBeEmpty) return undefined;
    throw new FirnError(
      "not-a-cache",
      files.uri.startsWith("file:")
        ? `uploading to '${files.uri}/nix-cache-info' is not supported`
        : `'${files.uri}' does not appear to be a binary cache`,
    );
  }

  async isValidPath(storePath: string): Promise<boolean> {
    return (await this.queryPathInfo(storePath)) !== undefined;
  }

  async queryValidPaths(paths: Iterable<string>): Promise<Set<string>> {
    const list = [...paths];
    const valid = await Promise.all(list.map((item) => this.isValidPath(item)));
    return new Set(list.filter((_, index) => valid[index]));
  }

  async queryPathInfo(storePath: string): Promise<NarInfo | undefined> {
    const info = await this.#info(storePathHashPart(storePath));
    return info?.path === storePath ? info : undefined;
  }

  async queryPathFromHashPart(hashPart: string): Promise<string | undefined> {
    return (await this.#info(hashPart))?.path;
  }

  async *narFromPath(storePath: string): AsyncGenerator<Uint8Array, void, undefined> {
    const info = await this.queryPathInfo(storePath);
    if (info === undefined) throw new FirnError("invalid-path", `path '${storePath}' is not valid`);
    const body = await this.#archive(info);
    yield* decompress(atMost(body, info), info.compression, info.narSize);
  }

  /** Opens the archive of a path. Errors `not-found`, those of transfers. */
  async #archive(info: NarInfo): Promise<NarChunks> {
    try {
      return await this.#openArchive(info);
    } catch (error) {
      if (!(error instanceof FirnError) || error.code !== "not-found") throw error;
      throw new FirnError("not-found", `file '${info.url}' does not exist in binary cache`);
    }
  }

  async addToStore(info: PathInfo, nar: NarChunks, options: AddOptions = {}): Promise<void> {
    if (options.repair !== true && (await this.isValidPath(info.path))) return;
    await this.#prepare();
    for (const reference of info.references) {
      if (reference === info.path || (await this.isValidPath(reference))) continue;
      throw new FirnError(
        "invalid-path",
        `cannot add '${info.path}' to the binary cache because the reference '${reference}' is not valid`,
      );
    }
    const method = this.#options.compression ?? "xz";
    const plain = method === "none" || method === "";
    const narHasher = createHasher("sha256");
    const { writeNarListing, indexDebugInfo } = this.#options;
    const lister = writeNarListing === true || indexDebugInfo === true ? new NarLister() : undefined;
    let narSize = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of nar) {
        if (!plain) narHasher.update(chunk);
        lister?.push(chunk);
        narSize += chunk.length;
        yield chunk;
      }
    }
    const effort = {
      level: this.#options.compressionLevel ?? -1,
      parallel: this.#options.parallelCompression ?? false,
    };
    const file = await this.#storeFile(compress(counted(), method, effort), {
      suffix: compressionSuffix(method),
      again: options.repair === true,
    });
    const narHash: Hash = plain ? file.hash : { algorithm: "sha256", bytes: narHasher.digest() };
    if (!equalHashes(narHash, info.narHash) || narSize !== info.narSize) {
      throw new FirnError("hash-mismatch", `refusing to copy corrupted path '${info.path}' to '${this.uri}'`);
    }
    const own = (this.#options.secretKeys ?? []).map((key) => signPathInfo(info, key));
    const narInfo: NarInfo = {
      path: info.path,
      url: file.url,
      compression: method,
      fileHash: file.hash,
      fileSize: file.size,
      narHash,
      narSize,
      references: info.references,
      signatures: sortSignatures([...info.signatures, ...own]),
      ...(info.deriver === undefined ? {} : { deriver: info.deriver }),
      ...(info.ca === undefined ? {} : { ca: info.ca }),
    };
    const hashPart = storePathHashPart(info.path);
    const listing = lister?.result();
    if (listing !== undefined && writeNarListing === true) {
      await this.#files.put(`${hashPart}.ls`, Buffer.from(printListing(listing), "latin1"));
    }
    if (listing !== undefined && indexDebugInfo === true) await this.#indexDebugInfo(listing, file.url);
    await this.#files.put(`${hashPart}.narinfo`, Buffer.from(printNarInfo(narInfo), "latin1"));
    this.#infos.set(hashPart, Promise.resolve(narInfo));
    this.#keep(hashPart, narInfo);
  }

  addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    return addWithFacts(this, nar, options);
  }

  async addSignatures(storePath: string, signatures: readonly string[]): Promise<void> {
    const info = await this.queryPathInfo(storePath);
    if (info === undefined) throw new FirnError("invalid-path", `path '${storePath}' is not valid`);
    const next = { ...info, signatures: sortSignatures([...info.signatures, ...signatures]) };
    await this.#files.put(`${storePathHashPart(storePath)}.narinfo`, Buffer.from(printNarInfo(next), "latin1"));
    this.#infos.set(storePathHashPart(storePath), Promise.resolve(next));
    this.#keep(storePathHashPart(storePath), next);
  }

  async addTempRoot(): Promise<void> {}

  async queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    const { known } = this.#options;
    const name = wire.printDrvOutput(id);
    const found = this.#number === undefined ? undefined : known?.realisation(this.#number, name);
    if (found === undefined) return this.#storedRealisation(id);
    return found === null ? undefined : this.#parseRealisation(id, found);
  }

  /** Reads a realisation from the cache itself, and keeps on disk what it says. */
  async #storedRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    const text = await this.#files.text(realisationFile(id), MAX_NARINFO);
    const realisation = text === undefined ? undefined : this.#parseRealisation(id, text);
    this.#keepRealisation(wire.printDrvOutput(id), text);
    return realisation;
  }

  #parseRealisation(id: wire.DrvOutput, text: string): wire.Realisation {
    const name = wire.printDrvOutput(id);
    const realisation = wire.parseRealisation(text, this.storeDir);
    if (wire.printDrvOutput(realisation.id) !== name) {
      throw new FirnError("corrupt-realisation", `the realisation '${name}' of '${this.uri}' is of another output`);
    }
    return realisation;
  }

  async registerRealisation(realisation: wire.Realisation): Promise<void> {
    await this.#prepare();
    const old = await this.#storedRealisation(realisation.id);
    const kept = old?.outPath === realisation.outPath ? old.signatures : [];
    const signatures = sortSignatures([...kept, ...realisation.signatures]);
    // One that says nothing new is left as it lies there: another may have written it with more.
    if (old?.outPath === realisation.outPath && signatures.length === old.signatures.length) return;
    const text = wire.printRealisation({ ...realisation, signatures });
    await this.#files.put(realisationFile(realisation.id), Buffer.from(text, "latin1"));
    this.#keepRealisation(wire.printDrvOutput(realisation.id), text);
  }

  async buildLog(drvPath: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const text = await this.#files.text(`log/${storePathBaseName(drvPath)}`);
    return text === undefined ? undefined : oneChunk(bytesOf(text));
  }

  async addBuildLog(drvPath: string, log: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#prepare();
    const parts: Uint8Array[] = [];
    for await (const chunk of log) parts.push(chunk);
    await this.#files.put(`log/${storePathBaseName(drvPath)}`, Buffer.concat(parts));
  }

  async close(): Promise<void> {
    this.#options.known?.close();
    await this.#files.close();
  }

  #info(hashPart: string): Promise<NarInfo | undefined> {
    let info = this.#infos.get(hashPart);
    if (info === undefined) {
      info = this.#fetchInfo(hashPart);
      info.catch(() => this.#infos.delete(hashPart));
      this.#infos.set(hashPart, info);
    }
    return info;
  }

  async #fetchInfo(hashPart: string): Promise<NarInfo | undefined> {
    const { known } = this.#options;
    const found = this.#number === undefined ? undefined : known?.narInfo(this.#number, hashPart, this.storeDir);
    if (found !== undefined) return found ?? undefined;
    const name = `${hashPart}.narinfo`;
    const text = await this.#files.text(name, MAX_NARINFO);
    const info = text === undefined ? undefined : parseNarInfo(text, `${this.uri}/${name}`, this.storeDir);
    // One cache can describe a path under the hash of another, which the path itself does not confirm.
    if (info === undefined || storePathHashPart(info.path) === hashPart) this.#keep(hashPart, info);
    return info;
  }

  /** Keeps on disk what is known of a path. */
  #keep(hashPart: string, info: NarInfo | undefined): void {
    if (this.#number !== undefined) this.#options.known?.keepNarInfo(this.#number, hashPart, info);
  }

  /** Keeps on disk what is known of a realisation. */
  #keepRealisation(id: string, text: string | undefined): void {
    if (this.#number !== undefined) this.#options.known?.keepRealisation(this.#number, id, text);
  }

  /** Opens an archive: a file of the cache, or of another web address; never one outside of it on this machine. */
  #openArchive(info: NarInfo): Promise<AsyncIterable<Uint8Array>> {
    const { openAddress } = this.#files;
    if (/^https?:\/\//.test(info.url) && openAddress !== undefined) return openAddress.call(this.#files, info.url);
    const segments = info.url
      .replace(/%2e/gi, ".")
      .replace(/%2f|\\/gi, "/")
      .split("/");
    if (/^[a-z][a-z0-9+.-]*:/i.test(info.url) || info.url.startsWith("/") || segments.includes("..")) {
      throw new FirnError("corrupt-narinfo", `NAR info file of '${info.path}' has the forbidden URL '${info.url}'`);
    }
    return this.#files.open(info.url);
  }

  /** Returns the listing of a cache whose files can be listed. */
  #listing(files: () => string[]): PathListing {
    return {
      queryAllValidPaths: async () => {
        const names = files().filter((name) => /^[0-9a-z]{32}\.narinfo$/.test(name));
        const infos = await Promise.all(names.map((name) => this.#info(name.slice(0, 32))));
        return infos.flatMap((info) => (info === undefined ? [] : [info.path])).sort();
      },
    };
  }

  /** Writes, for each file of debug information in an archive, the file `debuginfo/BUILD-ID` that says where it is; one that is there stays. */
  async #indexDebugInfo(listing: NarListing, url: string): Promise<void> {
    for (const [buildId, member] of debugFiles(listing)) {
      const name = `debuginfo/${buildId}.debug`;
      if (await this.#files.has(name)) continue;
      const place = new Map([
        ["archive", `../${url}`],
        ["member", member],
      ]);
      await this.#files.put(name, Buffer.from(printJson(place), "latin1"));
    }
  }

  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    this.#prepared = true;
    const { workDirectory } = this.#files;
    if (workDirectory !== undefined) {
      // As the reference does, so that other programs can count on them.
      for (const name of ["nar", "realisations", "log"]) disk.mkdirs(path.join(path.dirname(workDirectory), name));
    }
    if ((await this.#files.text("nix-cache-info")) === undefined) {
      await this.#files.put("nix-cache-info", Buffer.from(`StoreDir: ${this.storeDir}\n`, "latin1"));
    }
  }

  /** Stores a stream under the hash of its bytes, unless a file of that name is there and need not be written again. */
  async #storeFile(
    chunks: AsyncIterable<Uint8Array>,
    { suffix, again }: { readonly suffix: string; readonly again: boolean },
  ): Promise<{ url: string; hash: Hash; size: number }> {
    const { workDirectory } = this.#files;
    const temporary =
      workDirectory === undefined
        ? makeTemporaryDirectory("firn-upload-")
        : path.join(workDirectory, `.tmp-${process.pid}-${Math.random().toString(36).slice(2)}`);
    const file = workDirectory === undefined ? path.join(temporary, "archive") : temporary;
    const hasher = createHasher("sha256");
    let size = 0;
    try {
      const fd = disk.create(file);
      try {
        for await (const chunk of chunks) {
          hasher.update(chunk);
          size += chunk.length;
          disk.write(fd, chunk);
        }
      } finally {
        fs.closeSync(fd);
      }
      const hash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
      const url = `nar/${printHash(hash, "nix32", false)}.nar${suffix}`;
      if (again || !(await this.#files.has(url, size))) await this.#files.putFile(url, file, size);
      return { url, hash, size };
    } finally {
      removePath(temporary);
    }
  }
}

const debugDirectory = "lib/debug/.build-id";

/** Returns the files of debug information in an archive: the build ids of their programs, and their paths. */
function debugFiles(listing: NarListing): [buildId: string, member: string][] {
  let directory: NarListing | undefined = listing;
  for (const name of debugDirectory.split("/")) directory = entriesOf(directory).get(name);
  return [...entriesOf(directory)].flatMap(([first, inner]) =>
    [...entriesOf(inner)].flatMap(([rest, file]): [string, string][] => {
      const named = /^[0-9a-f]{2}$/.test(first) && /^[0-9a-f]{38}\.debug$/.test(rest);
      if (!named || file.kind !== "regular") return [];
      return [[`${first}${rest.slice(0, -".debug".length)}`, `${debugDirectory}/${first}/${rest}`]];
    }),
  );
}

function entriesOf(listing: NarListing | undefined): ReadonlyMap<string, NarListing> {
  return listing?.kind === "directory" ? listing.entries : new Map();
}

function realisationFile(id: wire.DrvOutput): string {
  return `realisations/${wire.printDrvOutput(id)}.doi`;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
