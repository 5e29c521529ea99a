/** Downloads archives and files into the store, remembering by ETag what a URL gave. */

import { join } from "node:path";
import { byteStringOf, FirnError } from "@firn/formats";
import { makeTemporaryDirectory, removeDirectory } from "@firn/store";
import { existsSync } from "@firn/store/files";
import { pathOfFileUrl } from "@firn/store/surroundings";
import type { CacheHit } from "./cache.ts";
import type { Downloaded, FetchContext } from "./context.ts";
import { copyToStore } from "./copy-to-store.ts";
import { discardDownload } from "./download.ts";
import { unpackArchive } from "./unpack.ts";

/** An archive to fetch. */
export interface ArchiveRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** True when the URL names a revision: a cached result never expires. */
  readonly immutable: boolean;
  /** Name of the store path; default `source`. */
  readonly name?: string;
  /** The archive as messages name it; default its URL. */
  readonly shown?: string;
}

/** The unpacked archive in the store. */
export interface ArchiveTree {
  readonly storePath: string;
  readonly narHash: string;
  /** Newest modification time of a member, in seconds. */
  readonly lastModified: number;
  readonly immutableUrl: string | undefined;
}

/** Fetches and unpacks an archive whose members share one top directory, which is stripped. */
export async function fetchArchive(context: FetchContext, request: ArchiveRequest): Promise<ArchiveTree> {
  const name = request.name ?? "source";
  const key = { url: request.url, name };
  const hit = context.cache.lookup("tarball", key, context.tarballTtl);
  const cached = hit === undefined ? undefined : await stillValid(context, hit);
  if (cached !== undefined && (request.immutable || hit?.expired === false)) return cached;

  if (request.url.startsWith("file:")) checkArchive(request.url);
  context.emit({ kind: "fetching", what: request.url });
  // The reference's words: it keeps what archives hold in a repository of its own.
  const shown = request.shown ?? request.url;
  context.emit({ kind: "detail", level: "info", text: `unpacking '${shown}' into the Git cache...` });
  const got = await download(context, request, cached === undefined ? undefined : String(hit?.value.etag ?? ""));
  if (got.file === undefined) {
    if (cached === undefined) throw new FirnError("fetch-failed", `unable to download '${request.url}': no body`);
    context.cache.insert("tarball", key, hit?.value ?? {});
    return cached;
  }
  const directory = await makeTemporaryDirectory("firn-fetch-");
  try {
    const { lastModified } = await unpackArchive(got.file, join(directory, "source"), request.url);
    const { storePath, narHash } = await copyToStore(
      `${byteStringOf("«")}${request.url}${byteStringOf("»")}/`,
      context,
      () => context.store.addTree({ name, path: join(directory, "source"), isNew: true }),
    );
    const tree = { storePath, narHash, lastModified, immutableUrl: got.immutableUrl };
    context.cache.insert("tarball", key, {
      etag: got.etag,
      storePath,
      narHash,
      lastModified,
      ...(got.immutableUrl === undefined ? {} : { immutableUrl: got.immutableUrl }),
    });
    return tree;
  } finally {
    removeDirectory(directory);
    if (!request.url.startsWith("file:")) discardDownload(got.file);
    context.emit({ kind: "fetched", what: request.url });
  }
}

function checkArchive(url: string): void {
  const file = pathOfFileUrl(url);
  if (!existsSync(file)) throw new FirnError("fetch-failed", `tarball "${file}" does not exist.`);
}

async function stillValid(context: FetchContext, hit: CacheHit): Promise<ArchiveTree | undefined> {
  const { storePath, narHash, lastModified, immutableUrl } = hit.value;
  if (typeof storePath !== "string" || typeof narHash !== "string" || typeof lastModified !== "number")
    return undefined;
  if ((await context.store.narHashOf(storePath)) !== narHash) return undefined;
  return {
    storePath,
    narHash,
    lastModified,
    immutableUrl: typeof immutableUrl === "string" ? immutableUrl : undefined,
  };
}

/** Fetches one file into the store, as it is, under a name; `url` of the result is that after redirects. */
export async function fetchFile(
  context: FetchContext,
  request: { readonly url: string; readonly name: string },
): Promise<{ readonly storePath: string; readonly narHash: string; readonly url: string }> {
  const key = { url: request.url, name: request.name };
  const kept = await keptFile(context, key);
  if (kept?.expired === false) return kept;
  context.emit({ kind: "fetching", what: request.url });
  let got: Downloaded;
  try {
    got = await download(context, { url: request.url, headers: {} }, kept?.etag);
  } catch (error) {
    if (kept === undefined || !(error instanceof FirnError) || error.code !== "fetch-failed") throw error;
    context.emit({ kind: "warning", text: `${error.message}; using cached version` });
    return kept;
  }
  if (got.file === undefined) {
    if (kept === undefined) throw new FirnError("fetch-failed", `unable to download '${request.url}': no body`);
    const { storePath, narHash, url } = kept;
    context.cache.insert("file", key, { etag: got.etag, storePath, narHash, url });
    return kept;
  }
  const { storePath, narHash } = await context.store.addTree({ name: request.name, path: got.file, isNew: true });
  if (!request.url.startsWith("file:")) discardDownload(got.file);
  context.cache.insert("file", key, { etag: got.etag, storePath, narHash, url: got.finalUrl });
  context.emit({ kind: "fetched", what: request.url });
  return { storePath, narHash, url: got.finalUrl };
}

/** A file of an earlier download that the store still has. */
interface KeptFile {
  readonly storePath: string;
  readonly narHash: string;
  readonly url: string;
  readonly etag: string;
  readonly expired: boolean;
}

async function keptFile(
  context: FetchContext,
  key: { readonly url: string; readonly name: string },
): Promise<KeptFile | undefined> {
  const hit = context.cache.lookup("file", key, context.tarballTtl);
  const { storePath, narHash, url, etag } = hit?.value ?? {};
  if (hit === undefined || typeof storePath !== "string" || typeof narHash !== "string") return undefined;
  if ((await context.store.narHashOf(storePath)) !== narHash) return undefined;
  return {
    storePath,
    narHash,
    url: typeof url === "string" ? url : key.url,
    etag: typeof etag === "string" ? etag : "",
    expired: hit.expired,
  };
}

async function download(
  context: FetchContext,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  expectedEtag: string | undefined,
): Promise<Downloaded> {
  if (request.url.startsWith("file:")) {
    const file = pathOfFileUrl(request.url);
    if (!existsSync(file))
      throw new FirnError("fetch-failed", `unable to download '${request.url}': there is no such file`);
    return { file, etag: "", finalUrl: request.url, immutableUrl: undefined };
  }
  return context.download({
    ...request,
    ...(expectedEtag === undefined || expectedEtag === "" ? {} : { expectedEtag }),
  });
}
