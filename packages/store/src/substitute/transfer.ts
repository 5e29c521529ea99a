/** Downloads: `http`, `https` and `file` URLs, with retries, resumption of broken transfers, proxies from the environment. */

import type { Stats } from "node:fs";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, FirnError, textOf, withoutPasswords } from "@firn/formats";
import type { Dispatcher } from "undici";
import { type EventSink, noEvents, setback, UnreachableError } from "../events.ts";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import type { Settings } from "../settings/settings.ts";
import { pathOfFileUrl } from "../surroundings.ts";
import { decompress } from "./compression.ts";
import { type Login, parseNetrc } from "./netrc.ts";

const FIRST_DELAY_MS = 250;
const MAX_REDIRECTS = 10;
/** Number of bytes that count as progress after a broken connection; a server that sends less each time is given up. */
const PROGRESS_BYTES = 64 * 1024;
/** A body slower than this, in bytes a second over the whole of `stalled-download-timeout`, has stalled. */
const SLOWEST_RATE = 64;
/** Time in milliseconds for which the end of an unread response is awaited before its connection is closed. */
const DISCARD_MS = 5000;
const RETRIED = new Set([408, 429, 500, 502, 503, 504, 520, 522, 524]);

/** A file to send, with its size in bytes. */
export interface FileBody {
  readonly file: string;
  readonly size: number;
}

/** The request of a transfer. */
export interface TransferRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** ETag of a known version; the response is `cached` when the server still has it. */
  readonly etag?: string;
  /** `HEAD` checks that the URL exists; `PUT` and `POST` send `body`. */
  readonly method?: "GET" | "HEAD" | "PUT" | "POST";
  readonly body?: Uint8Array | FileBody;
  /** True to report progress as events. */
  readonly progress?: boolean;
}

/** The response; `body` must be read or `cancel` called. */
export interface Transfer {
  readonly url: string;
  readonly status: number;
  readonly cached: boolean;
  readonly size?: number;
  readonly etag?: string;
  readonly lastModified?: string;
  /** URL from the `Link: <…>; rel="immutable"` header. */
  readonly immutableUrl?: string;
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/** Limits and credentials, from settings. */
export interface TransferOptions {
  readonly attempts: number;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly connections: number;
  readonly userAgent: string;
  readonly offline: boolean;
  readonly certificates: string | undefined;
  readonly netrc: string | undefined;
  readonly events: EventSink;
}

/** Returns the options of a {@link Transferrer} from the settings. */
export function transferOptions(
  settings: Settings,
  extra: { offline?: boolean; events?: EventSink } = {},
): TransferOptions {
  const connections = settings.get("http-connections");
  return {
    attempts: Math.max(1, settings.get("download-attempts")),
    connectTimeoutMs: settings.get("connect-timeout") * 1000,
    stallTimeoutMs: settings.get("stalled-download-timeout") * 1000,
    connections: connections === 0 ? 1000 : connections,
    userAgent: `Firn/0.1 ${settings.get("user-agent-suffix")}`.trim(),
    offline: extra.offline ?? false,
    certificates: settings.get("ssl-cert-file"),
    netrc: settings.get("netrc-file"),
    events: extra.events ?? noEvents,
  };
}

class TransferFailure extends FirnError {
  readonly transient: boolean;
  constructor(code: ErrorCode, message: string, transient: boolean) {
    super(code, message);
    this.transient = transient;
  }
}

/** Transfers data; owns the connection pool. */
export class Transferrer {
  readonly #options: TransferOptions;
  #dispatcher: Promise<Dispatcher> | undefined;
  #logins: Map<string, Login> | undefined;
  #active = 0;
  readonly #queue: (() => void)[] = [];
  #nextId = 1;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Starts a transfer. Errors `not-found` (404, 410, 403 of buckets), `transfer-failed`, `offline`. */
  async open(request: TransferRequest): Promise<Transfer> {
    if (request.url.startsWith("file:")) {
      if (request.method === "PUT") {
        throw new FirnError("unsupported", `uploading to '${request.url}' is not supported`);
      }
      return openFile(request);
    }
    if (!/^https?:/.test(request.url)) {
      throw new FirnError("bad-url", `cannot download '${withoutPasswords(request.url)}': unsupported kind of URL`);
    }
    if (this.#options.offline)
      throw new FirnError("offline", `cannot download '${withoutPasswords(request.url)}' in offline mode`);
    await this.#acquire();
    try {
      return await this.#withRetries(request, (attempt) => this.#start(request, attempt));
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Fetches a small text of at most `limit` bytes; undefined when it does not exist. */
  async text(url: string, limit = 64 * 1024 * 1024): Promise<string | undefined> {
    try {
      const transfer = await this.open({ url });
      return (await collect(transfer, limit)).toString("latin1");
    } catch (error) {
      if (error instanceof FirnError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** Closes idle connections. */
  async close(): Promise<void> {
    await (await this.#dispatcher)?.close();
  }

  async #withRetries<T>(request: TransferRequest, run: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(attempt);
      } catch (error) {
        // A mistake of ours is no fault of the network.
        if (error instanceof TypeError) throw error;
        // A name that does not exist will not exist in a moment either; a resolver that does not answer may.
        const unknownHost =
          hasErrorCode(error, "ENOTFOUND") || (error instanceof Error && hasErrorCode(error.cause, "ENOTFOUND"));
        const transient =
          error instanceof TransferFailure
            ? error.transient
            : !unknownHost && !(error instanceof FirnError) && !isAlone();
        const failure = error instanceof FirnError ? error : networkFailure(request.url, error);
        if (!transient || attempt >= this.#options.attempts) throw failure;
        const delay = FIRST_DELAY_MS * 2 ** (attempt - 1) * (1 + Math.random() / 2);
        const again = `retrying in ${Math.round(delay)} ms (attempt ${attempt}/${this.#options.attempts})`;
        this.#options.events(setback(failure, `${failure.message}; ${again}`));
        await sleep(delay);
      }
    }
  }

  async #start(request: TransferRequest, _attempt: number): Promise<Transfer> {
    const response = await this.#request(request, {});
    if (response.status === 304) {
      await response.discard();
      this.#release();
      return { ...response.facts, cached: true, body: empty(), cancel: () => {} };
    }
    if (response.status < 200 || response.status > 299) {
      await response.discard();
      throw statusFailure(request, response.status);
    }
    if (response.status === 206) {
      await response.discard();
      throw lie(request.url, "the server sent a part of it, which was not asked for");
    }
    const id = this.#nextId++;
    const { events } = this.#options;
    const { size } = response.facts;
    if (request.progress === true) {
      events({
        kind: "transfer-start",
        id,
        url: withoutPasswords(request.url),
        ...(size === undefined ? {} : { size }),
      });
    }
    let released = false;
    const end = (ok: boolean, done: number): void => {
      if (released) return;
      released = true;
      this.#release();
      if (request.progress === true) events({ kind: "transfer-end", id, ok, done });
    };
    return {
      ...response.facts,
      cached: false,
      body: this.#resuming(request, response, {
        end,
        progress: (done) => {
          if (request.progress === true) {
            events({ kind: "transfer-progress", id, done, ...(size === undefined ? {} : { size }) });
          }
        },
      }),
      cancel: () => {
        void response.discard();
        end(false, 0);
      },
    };
  }

  /** Yields the body, continued with range requests when the connection breaks. */
  async *#resuming(
    request: TransferRequest,
    first: Response,
    report: { end: (ok: boolean, done: number) => void; progress: (done: number) => void },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let done = 0;
    let response = first;
    let failures = 0;
    let brokeAt = 0;
    const { size } = first.facts;
    try {
      for (;;) {
        try {
          for await (const chunk of this.#moving(response.body, request.url)) {
            done += chunk.length;
            if (done - brokeAt >= PROGRESS_BYTES) failures = 0;
            if (size !== undefined && done > size) {
              throw lie(request.url, `the server sends more than the ${size} bytes it announced`);
            }
            report.progress(done);
            yield chunk;
          }
          if (size === undefined || done >= size) break;
          throw new Error("connection closed before the end");
        } catch (error) {
          if (error instanceof TransferFailure && !error.transient) throw error;
          failures++;
          brokeAt = done;
          if (!first.resumable || failures >= this.#options.attempts) throw networkFailure(request.url, error);
          await sleep(FIRST_DELAY_MS * 2 ** (failures - 1));
          response = await this.#withRetries(request, async () => {
            const next = await this.#request(request, {
              range: `bytes=${done}-`,
              ...(first.facts.etag === undefined ? {} : { "if-range": first.facts.etag }),
            });
            if (next.status === 206 && startsAt(next.range, done, size)) return next;
            await next.discard();
            throw lie(request.url, `the server does not go on at byte ${done} when asked to`);
          });
        }
      }
      report.end(true, done);
    } finally {
      // Whoever stops reading in between leaves nothing open.
      await response.discard();
      report.end(false, done);
    }
  }

  /** Yields the body; error when the server takes too long over it, not counting the time that the reader takes. */
  async *#moving(body: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array, void, undefined> {
    const limit = this.#options.stallTimeoutMs;
    const chunks = body[Symbol.asyncIterator]();
    let waited = 0;
    let got = 0;
    try {
      for (;;) {
        const start = performance.now();
        const next = await chunks.next();
        if (next.done === true) return;
        waited += performance.now() - start;
        got += next.value.length;
        if (limit > 0 && waited >= limit) {
          if (got < (SLOWEST_RATE * waited) / 1000) {
            throw lie(url, `the transfer has stalled: ${got} bytes in ${Math.round(waited / 1000)} seconds`);
          }
          waited = 0;
          got = 0;
        }
        yield next.value;
      }
    } finally {
      // Ends the connection when the reader stops before the end; a body that nobody reads would keep it open.
      await chunks.return?.();
    }
  }

  async #request(request: TransferRequest, more: Readonly<Record<string, string>>): Promise<Response> {
    // By its default export: a bundle knows no named ones of a CommonJS package.
    const { default: undici } = await import("undici");
    this.#dispatcher ??= this.#makeDispatcher();
    const dispatcher = await this.#dispatcher;
    const origin = urlOf(request.url).origin;
    let url = request.url;
    let wasEncrypted = false;
    let immutableUrl: string | undefined;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const encrypted = url.startsWith("https:");
      // What was asked for over an encrypted connection is not followed by a password over a plain one.
      const exposed = wasEncrypted && !encrypted;
      wasEncrypted ||= encrypted;
      const authorization = exposed ? undefined : this.#authorization(url);
      const tooLate = new AbortController();
      // An upload is answered only at its end.
      const patience = request.body === undefined ? this.#options.stallTimeoutMs : 0;
      const timer = patience > 0 ? setTimeout(() => tooLate.abort(), patience) : undefined;
      const response = await undici
        .request(textOf(url), {
          signal: tooLate.signal,
          dispatcher,
          method: request.method ?? "GET",
          headers: {
            "user-agent": this.#options.userAgent,
            ...(authorization === undefined ? {} : { authorization }),
            ...(request.etag === undefined ? {} : { "if-none-match": request.etag }),
            // They may be tokens, and are for the place that was asked for alone.
            ...(urlOf(url).origin === origin && !exposed ? request.headers : {}),
            ...more,
            ...(request.body === undefined || !("file" in request.body)
              ? {}
              : { "content-length": String(request.body.size) }),
          },
          ...(request.body === undefined
            ? {}
            : { body: "file" in request.body ? fs.createReadStream(request.body.file) : request.body }),
          headersTimeout: patience,
          bodyTimeout: this.#options.stallTimeoutMs,
        })
        .finally(() => clearTimeout(timer));
      const discard = async (): Promise<void> => {
        const options = { limit: 128 * 1024, signal: AbortSignal.timeout(DISCARD_MS) };
        await response.body.dump(options).catch(() => response.body.destroy());
      };
      const header = (name: string): string | undefined => {
        const value = response.headers[name];
        return Array.isArray(value) ? value[0] : value;
      };
      const immutable = /<([^>]*)>;[^,]*rel="immutable"/.exec(header("link") ?? "")?.[1];
      if (immutable !== undefined) immutableUrl = urlOf(immutable, url).href;
      const location = header("location");
      if (
        response.statusCode >= 300 &&
        response.statusCode < 400 &&
        response.statusCode !== 304 &&
        location !== undefined
      ) {
        await discard();
        const next = urlOf(location, url);
        if (next.protocol !== "https:" && next.protocol !== "http:") {
          throw new FirnError(
            "bad-url",
            `'${withoutPasswords(url)}' redirects to the unsupported URL '${withoutPasswords(next.href)}'`,
          );
        }
        url = next.href;
        continue;
      }
      const encoding = header("content-encoding")?.toLowerCase();
      const encoded = encoding !== undefined && encoding !== "identity";
      const size = encoded ? undefined : header("content-length");
      const etag = header("etag");
      const lastModified = header("last-modified");
      return {
        status: response.statusCode,
        resumable: header("accept-ranges") === "bytes" && !encoded,
        range: header("content-range"),
        facts: {
          url,
          status: response.statusCode,
          ...(size === undefined || request.method === "HEAD" ? {} : { size: Number(size) }),
          ...(etag === undefined ? {} : { etag }),
          ...(lastModified === undefined ? {} : { lastModified }),
          ...(immutableUrl === undefined ? {} : { immutableUrl }),
        },
        body: encoded ? withoutCoding(response.body, encoding) : response.body,
        discard,
      };
    }
    throw new FirnError("transfer-failed", `unable to download '${withoutPasswords(request.url)}': too many redirects`);
  }

  async #makeDispatcher(): Promise<Dispatcher> {
    // By its default export: a bundle knows no named ones of a CommonJS package.
    const { default: undici } = await import("undici");
    const file = this.#options.certificates;
    const ca = file !== undefined && fs.existsSync(file) ? fs.readFileSync(file, "latin1") : undefined;
    const tls = { timeout: this.#options.connectTimeoutMs, ...(ca === undefined ? {} : { ca }) };
    return new undici.EnvHttpProxyAgent({
      connections: this.#options.connections,
      connect: tls,
      ...(ca === undefined ? {} : { requestTls: { ca }, proxyTls: { ca } }),
    });
  }

  #authorization(url: string): string | undefined {
    const parsed = urlOf(url);
    if (parsed.username !== "") {
      return basic(decoded(parsed.username), decoded(parsed.password));
    }
    this.#logins ??= readNetrc(this.#options.netrc);
    const login = this.#logins.get(parsed.hostname) ?? this.#logins.get("");
    return login === undefined ? undefined : basic(login.user, login.password);
  }

  async #acquire(): Promise<void> {
    if (this.#active >= this.#options.connections) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#active++;
  }

  #release(): void {
    this.#active--;
    this.#queue.shift()?.();
  }
}

interface Response {
  readonly status: number;
  readonly resumable: boolean;
  /** The header `content-range`. */
  readonly range: string | undefined;
  readonly facts: Omit<Transfer, "body" | "cancel" | "cached">;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

async function* empty(): AsyncGenerator<Uint8Array, void, undefined> {}

function urlOf(text: string, base?: string): URL {
  const url = URL.parse(textOf(text), base === undefined ? undefined : textOf(base));
  if (url === null)
    throw new FirnError("bad-url", `unable to download '${withoutPasswords(text)}': it is not a valid URL`);
  return url;
}

/** A part of a URL that may have escapes; what only looks like one stays as it is. */
export function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("latin1"));
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, "latin1").toString("base64")}`;
}

function readNetrc(file: string | undefined): Map<string, Login> {
  return file === undefined || !fs.existsSync(file) ? new Map() : parseNetrc(fs.readFileSync(file, "latin1"));
}

/** Codings of bodies, and their compression methods. */
const codings: Readonly<Record<string, string>> = { gzip: "gzip", "x-gzip": "gzip", br: "br", zstd: "zstd" };

function withoutCoding(body: AsyncIterable<Uint8Array>, coding: string): AsyncIterable<Uint8Array> {
  return decompress(body, codings[coding] ?? coding);
}

/** Tells whether a `content-range` begins at the requested position, in a body of the known size. */
function startsAt(range: string | undefined, start: number, size: number | undefined): boolean {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? "") ?? [];
  return Number(first) === start && (total === "*" || size === undefined || Number(total) === size);
}

/** Makes the failure for a server that violates HTTP, for which retrying would not help. */
function lie(url: string, what: string): TransferFailure {
  return new TransferFailure("transfer-failed", `unable to download '${withoutPasswords(url)}': ${what}`, false);
}

function statusFailure({ url, body }: TransferRequest, status: number): TransferFailure {
  const verb = body === undefined ? "download" : "upload";
  const message = `unable to ${verb} '${withoutPasswords(url)}': HTTP error ${status}`;
  if (status === 404 || status === 410 || status === 403) return new TransferFailure("not-found", message, false);
  return new TransferFailure("transfer-failed", message, RETRIED.has(status));
}

/** Codes of the system for a name or a network that is not there. */
const unreachable: readonly string[] = ["ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"];

/** Tells whether this machine has no network but its own. */
function isAlone(): boolean {
  return Object.values(os.networkInterfaces()).every(
    (addresses) => addresses?.every(({ internal }) => internal) !== false,
  );
}

function networkFailure(url: string, error: unknown): FirnError {
  if (error instanceof TransferFailure) return error;
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const text =
    cause instanceof Error ? cause.message || String("code" in cause ? cause.code : cause.name) : String(cause);
  const message = `unable to download '${withoutPasswords(url)}': ${text}`;
  if (hasErrorCode(cause, ...unreachable)) return new UnreachableError(new URL(url).hostname, message);
  return new TransferFailure("transfer-failed", message, true);
}

function openFile(request: TransferRequest): Transfer {
  const file = pathOfFileUrl(request.url);
  let stat: Stats;
  try {
    stat = fs.statSync(file);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    throw new FirnError("not-found", `unable to download '${request.url}': file does not exist`);
  }
  if (!stat.isFile()) throw new FirnError("not-found", `unable to download '${request.url}': it is no file`);
  const stream = request.method === "HEAD" ? undefined : fs.createReadStream(file, { highWaterMark: 1 << 18 });
  return {
    url: request.url,
    status: 200,
    cached: false,
    size: stat.size,
    body: stream ?? empty(),
    cancel: () => stream?.destroy(),
  };
}

/** Returns the whole body, at most `limit` bytes (error `too-large`). */
export async function collect(transfer: Transfer, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of transfer.body) {
    size += chunk.length;
    if (size > limit) {
      transfer.cancel();
      throw new FirnError("too-large", `'${withoutPasswords(transfer.url)}' is larger than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
