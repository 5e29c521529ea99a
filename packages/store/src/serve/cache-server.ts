/**
 * A store as a binary cache over HTTP: descriptions, archives made while they are sent, listings, logs and realisations. Nothing can be
 * written. The archive of a path is named after the path and its contents, so a name never means two things.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  FirnError,
  type NarInfo,
  NarLister,
  type PathInfo,
  printHash,
  printListing,
  printNarInfo,
  type SigningKey,
  signPathInfo,
  sortSignatures,
  storePathHashPart,
  wire,
} from "@firn/formats";
import { machineError } from "../fs/machine-error.ts";
import type { NarChunks } from "../store/paths.ts";
import { offered, type Store } from "../store/store.ts";
import { compress, compressionSuffix } from "../substitute/compression.ts";

/** Compression of archives: computed while they are sent, and therefore a fast one. */
export type ServedCompression = "none" | "zstd";

/** Options of a cache server. */
export interface CacheServerOptions {
  readonly store: Store;
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** The cache's priority among substituters; lower ones are asked first. */
  readonly priority: number;
  readonly compression: ServedCompression;
  /** Keys that sign each description. */
  readonly keys: readonly SigningKey[];
  /** The token that clients must have, as a bearer token or as the password of basic authentication; anyone may ask without one. */
  readonly token?: string;
  /** Milliseconds after which a connection ends whose client takes less of an answer than 64 bytes a second (default: a minute). */
  readonly stalledAfter?: number;
  /** Receives errors that no client caused. */
  onError?(error: unknown): void;
}

/** A server that listens. */
export interface RunningCacheServer {
  /** URL of the cache. */
  readonly url: string;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

/** Limit of connections at a time. */
const maxConnections = 512;
const usuallyStalledAfter = 60_000;
/** Bytes a second below which a client does not take an answer, but holds a connection that others want. */
const slowest = 64;
const hashPart = "[0-9abcdfghijklmnpqrsvwxyz]{32}";
const archiveName = new RegExp(`^/nar/(${hashPart})-([0-9a-z]{52})\\.nar(\\.zst)?$`);
const infoName = new RegExp(`^/(${hashPart})\\.(narinfo|ls)$`);
const logName = new RegExp(`^/log/(${hashPart}-[0-9a-zA-Z+._?=-]+\\.drv)$`);

/** An answer: a text, or chunks with their size where that is known. */
type Answer =
  | { readonly status: 200; readonly type: string; readonly text: string }
  | { readonly status: 200; readonly type: string; readonly chunks: () => NarChunks; readonly size?: number }
  | { readonly status: 404 };

const nothing: Answer = { status: 404 };

class CacheServer {
  readonly #options: CacheServerOptions;
  readonly #token: Uint8Array | undefined;

  constructor(options: CacheServerOptions) {
    this.#options = options;
    this.#token = options.token === undefined ? undefined : digest(options.token);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isAllowed(request.headers.authorization)) {
      response.setHeader("WWW-Authenticate", 'Basic realm="binary cache"');
      return end(response, 401, "a token is needed\n");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return end(response, 405, "this cache can only be read\n");
    }
    const answer = await this.#answer((request.url ?? "/").split("?", 1)[0]!);
    if (answer.status === 404) return end(response, 404, "not found\n");
    response.setHeader("Content-Type", answer.type);
    const head = request.method === "HEAD";
    if ("text" in answer) {
      const bytes = Buffer.from(answer.text, "latin1");
      response.setHeader("Content-Length", bytes.length);
      response.end(head ? undefined : bytes);
      return;
    }
    await send(response, answer, { head, range: request.headers.range });
  }

  #isAllowed(header: string | undefined): boolean {
    if (this.#token === undefined) return true;
    const [scheme = "", credentials = ""] = (header ?? "").split(" ", 2);
    let given = "";
    if (/^bearer$/i.test(scheme)) given = credentials;
    else if (/^basic$/i.test(scheme)) {
      const pair = Buffer.from(credentials, "base64").toString("utf8");
      given = pair.slice(pair.indexOf(":") + 1);
    }
    return timingSafeEqual(digest(given), this.#token);
  }

  async #answer(name: string): Promise<Answer> {
    const { store, priority } = this.#options;
    if (name === "/nix-cache-info") {
      const text = `StoreDir: ${store.storeDir}\nWantMassQuery: 1\nPriority: ${priority}\n`;
      return { status: 200, type: "text/x-nix-cache-info", text };
    }
    const [, infoPart, kind] = infoName.exec(name) ?? [];
    if (infoPart !== undefined) {
      const info = await this.#info(infoPart);
      if (info === undefined) return nothing;
      if (kind === "narinfo")
        return { status: 200, type: "text/x-nix-narinfo", text: printNarInfo(this.#described(info)) };
      return { status: 200, type: "application/json", text: await this.#listing(info) };
    }
    const [, archivePart, narHash, suffix = ""] = archiveName.exec(name) ?? [];
    if (archivePart !== undefined) return this.#archive(archivePart, `${narHash}`, suffix);
    const [, drvName] = logName.exec(name) ?? [];
    if (drvName !== undefined) return this.#log(`${store.storeDir}/${drvName}`);
    if (name.startsWith("/realisations/") && name.endsWith(".doi")) {
      return this.#realisation(name.slice("/realisations/".length, -".doi".length));
    }
    return nothing;
  }

  async #info(part: string): Promise<PathInfo | undefined> {
    const { store } = this.#options;
    const path = await offered(store, "hashParts").queryPathFromHashPart(part);
    return path === undefined ? undefined : store.queryPathInfo(path);
  }

  #described(info: PathInfo): NarInfo {
    const { compression, keys } = this.#options;
    const own = keys.map((key) => signPathInfo(info, key));
    return {
      ...info,
      url: `nar/${storePathHashPart(info.path)}-${narHashOf(info)}.nar${compressionSuffix(compression)}`,
      compression,
      signatures: sortSignatures([...new Set([...info.signatures, ...own])]),
    };
  }

  async #archive(part: string, narHash: string, suffix: string): Promise<Answer> {
    const { store } = this.#options;
    const info = await this.#info(part);
    if (info === undefined || narHashOf(info) !== narHash) return nothing;
    const type = "application/x-nix-nar";
    const nar = (): NarChunks => store.narFromPath(info.path);
    if (suffix === "") return { status: 200, type, chunks: nar, size: info.narSize };
    return { status: 200, type, chunks: () => compress(nar(), "zstd") };
  }

  async #listing(info: PathInfo): Promise<string> {
    const lister = new NarLister();
    for await (const chunk of this.#options.store.narFromPath(info.path)) lister.push(chunk);
    return printListing(lister.result());
  }

  async #log(drvPath: string): Promise<Answer> {
    const log = await this.#options.store.offers.logs?.buildLog(drvPath);
    return log === undefined ? nothing : { status: 200, type: "text/plain; charset=utf-8", chunks: () => log };
  }

  async #realisation(id: string): Promise<Answer> {
    let realisation: wire.Realisation | undefined;
    try {
      const output = wire.parseDrvOutput(decodeURIComponent(id));
      realisation = await this.#options.store.offers.realisations?.queryRealisation(output);
    } catch (error) {
      if (error instanceof FirnError || error instanceof URIError) return nothing;
      throw error;
    }
    if (realisation === undefined) return nothing;
    return { status: 200, type: "application/json", text: wire.printRealisation(realisation) };
  }
}

function narHashOf(info: PathInfo): string {
  return printHash(info.narHash, "nix32", false);
}

/** Returns a digest of a fixed size, so that comparing takes the same time for all tokens. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(text);
}

/** Returns the first and last byte of a range; null for one that cannot be satisfied, undefined for none that is understood. */
function rangeOf(header: string | undefined, size: number): readonly [first: number, last: number] | null | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last ? null : [first, last];
}

async function send(
  response: ServerResponse,
  { chunks, size }: Extract<Answer, { readonly chunks: unknown }>,
  { head, range: header }: { readonly head: boolean; readonly range: string | undefined },
): Promise<void> {
  let body: NarChunks | undefined;
  if (size !== undefined) {
    response.setHeader("Accept-Ranges", "bytes");
    const range = rangeOf(header, size);
    if (range === null) {
      response.setHeader("Content-Range", `bytes */${size}`);
      return end(response, 416, "there is no such range\n");
    }
    const [first, last] = range ?? [0, size - 1];
    if (range !== undefined) {
      response.statusCode = 206;
      response.setHeader("Content-Range", `bytes ${first}-${last}/${size}`);
    }
    response.setHeader("Content-Length", last - first + 1);
    if (!head) body = part(chunks(), first, last);
  } else if (!head) body = chunks();
  if (body === undefined) response.end();
  else await pipeline(Readable.from(body), response);
}

/** Yields the bytes from the first to the last, counted from 0. */
async function* part(chunks: NarChunks, first: number, last: number): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for await (const chunk of chunks) {
    const start = Math.max(0, first - at);
    const stop = Math.min(chunk.length, last + 1 - at);
    if (start < stop) yield chunk.subarray(start, stop);
    at += chunk.length;
    if (at > last) return;
  }
}

/** Serves a store as a binary cache. Fails with the machine's error when it cannot listen, and with `unsupported` for a store without hash parts. */
export async function serveCache(options: CacheServerOptions): Promise<RunningCacheServer> {
  offered(options.store, "hashParts");
  const cache = new CacheServer(options);
  const server: Server = createServer((request, response) => {
    cache.handle(request, response).catch((error: unknown) => {
      // The client ended, or the path cannot be read: what was announced cannot be kept.
      if (!isClosedByClient(error)) options.onError?.(error);
      if (response.headersSent) response.destroy();
      else end(response, 500, "the store cannot be read\n");
    });
  });
  server.maxConnections = maxConnections;
  const watch = endStalled(server, options.stalledAfter ?? usuallyStalledAfter);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, options.host, resolve);
  try {
    await promise;
  } catch (error) {
    watch.end();
    throw machineError(error, `cannot listen on ${options.host}:${options.port}`) ?? error;
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((done) => {
        watch.end();
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Ends connections for which bytes wait that their clients do not take. */
function endStalled(server: Server, after: number): { end(): void } {
  const sent = new Map<Socket, number>();
  server.on("connection", (socket: Socket) => {
    sent.set(socket, 0);
    socket.once("close", () => sent.delete(socket));
  });
  const least = (slowest * after) / 1000;
  const timer = setInterval(() => {
    for (const [socket, before] of sent) {
      const now = socket.bytesWritten - socket.writableLength;
      sent.set(socket, now);
      if (socket.writableLength > 0 && now - before < least) socket.destroy();
    }
  }, after);
  timer.unref();
  return { end: () => clearInterval(timer) };
}

function isClosedByClient(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    /^(?:ERR_STREAM_PREMATURE_CLOSE|ECONNRESET|EPIPE)$/.test(String(error.code))
  );
}
