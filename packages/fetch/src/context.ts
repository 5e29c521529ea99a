/** What fetching needs of the rest: a store for trees, a way to download, a cache, settings. */
import type { FetchCache } from "./cache.ts";

/** A tree to be put into the store. */
export interface AddTree {
  readonly name: string;
  /** Absolute path on this machine. */
  readonly path: string;
  /** Paths relative to `path` that belong to the tree; all when absent. Directories above a kept file are kept. */
  readonly only?: ReadonlySet<string>;
}

/** The part of a store that fetching uses. Hashes are SRI texts of the NAR. */
export interface SourceStore {
  readonly storeDir: string;
  addTree(request: AddTree): Promise<{ readonly storePath: string; readonly narHash: string }>;
  /** The NAR hash of a valid path, after trying to substitute it; undefined when it cannot be had. */
  narHashOf(storePath: string): Promise<string | undefined>;
  /** Where a store path's files lie on this machine. */
  realPath(storePath: string): string;
}

/** What a download gave. */
export interface Downloaded {
  /** A temporary file with the body; the caller discards it. Absent when the server says nothing changed. */
  readonly file: string | undefined;
  readonly etag: string;
  /** After redirects. */
  readonly finalUrl: string;
  /** The target of a `Link: <…>; rel="immutable"` header. */
  readonly immutableUrl: string | undefined;
}

/** How a URL is fetched. */
export interface DownloadRequest {
  readonly url: string;
  /** ETag of a cached copy: an unchanged body is not sent again. */
  readonly expectedEtag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Progress and warnings of fetching. */
export type FetchEvent =
  | { readonly kind: "fetching"; readonly what: string }
  | { readonly kind: "fetched"; readonly what: string }
  | { readonly kind: "warning"; readonly text: string };

/** Everything a scheme may use. */
export interface FetchContext {
  readonly store: SourceStore;
  readonly cache: FetchCache;
  download(request: DownloadRequest): Promise<Downloaded>;
  emit(event: FetchEvent): void;
  /** Directory for clones, e.g. `~/.cache/nix`. */
  readonly cacheDirectory: string;
  /** Seconds for which a mutable answer may be used again. */
  readonly tarballTtl: number;
  readonly allowDirty: boolean;
  readonly warnDirty: boolean;
  /** `host=token` pairs of the setting `access-tokens`. */
  readonly accessTokens: ReadonlyMap<string, string>;
  /** Whether the feature `verified-fetches` is on: inputs may ask for signed commits. */
  readonly verifiedFetches: boolean;
  readonly trustTarballsFromForges: boolean;
  /** Where `~` and XDG directories lead. */
  readonly homeDirectory: string;
}
