/** The surroundings of fetching: a store for trees, downloads, a cache, settings. */
import type { FetchCache } from "./cache.ts";

/** A tree to add to the store. */
export interface AddTree {
  readonly name: string;
  /** Absolute path on this machine. */
  readonly path: string;
  /** Paths relative to `path` that belong to the tree; all when absent. Directories above an included file are included. */
  readonly only?: ReadonlySet<string>;
  /** True when the store hardly has the tree yet. */
  readonly isNew?: boolean;
}

/** A tree in the store, with the hash of its NAR. */
export interface AddedTree {
  readonly storePath: string;
  readonly narHash: string;
}

/** The part of a store that fetching uses. Hashes are SRI texts of the NAR. */
export interface SourceStore {
  readonly storeDir: string;
  addTree(request: AddTree): Promise<AddedTree>;
  /** Returns the NAR hash of a valid path, after trying to substitute it; undefined when the path cannot be made valid. */
  narHashOf(storePath: string): Promise<string | undefined>;
  /** Returns the place of a store path's files on this machine. */
  realPath(storePath: string): string;
}

/** The result of a download. */
export interface Downloaded {
  /** A temporary file with the body; the caller discards it. Absent when the server reports no change. */
  readonly file: string | undefined;
  readonly etag: string;
  /** The URL after redirects. */
  readonly finalUrl: string;
  /** The target of a `Link: <…>; rel="immutable"` header. */
  readonly immutableUrl: string | undefined;
}

/** A URL and options of its download. */
export interface DownloadRequest {
  readonly url: string;
  /** ETag of a cached copy: an unchanged body is not sent again. */
  readonly expectedEtag?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes that the server is sent before it answers. */
  readonly post?: Uint8Array;
}

/** Progress and warnings of fetching. */
export type FetchEvent =
  | { readonly kind: "fetching"; readonly what: string }
  | { readonly kind: "fetched"; readonly what: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "detail"; readonly level: "info" | "talkative" | "chatty" | "debug"; readonly text: string };

/** Everything that a scheme may use. */
export interface FetchContext {
  readonly store: SourceStore;
  readonly cache: FetchCache;
  download(request: DownloadRequest): Promise<Downloaded>;
  emit(event: FetchEvent): void;
  /** Directory for clones, e.g. `~/.cache/nix`. */
  readonly cacheDirectory: string;
  /** Seconds for which a mutable result may be reused. */
  readonly tarballTtl: number;
  readonly allowDirty: boolean;
  readonly warnDirty: boolean;
  /** `host=token` pairs of the setting `access-tokens`. */
  readonly accessTokens: ReadonlyMap<string, string>;
  /** True when the feature `verified-fetches` is on: inputs may demand signed commits. */
  readonly verifiedFetches: boolean;
  readonly trustTarballsFromForges: boolean;
  /** The home directory, for `~` and XDG directories. */
  readonly homeDirectory: string;
}
