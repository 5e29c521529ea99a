/** Downloads of files into the store by their contents, for `nix-prefetch-url` and `nix store prefetch-file`. */
import {
  type ContentAddress,
  equalHashes,
  FirnError,
  type Hash,
  type HashAlgorithm,
  makeFixedOutputPath,
  printHash,
} from "@firn/formats";
import {
  entriesIn,
  kindOf,
  type PathFacts,
  resolveMirrors,
  type Settings,
  type SourceWriter,
  type Transferrer,
  withPlace,
} from "@firn/store";
import { lstatSync } from "@firn/store/files";
import { discardDownload, downloadToFile } from "./download.ts";
import { unpackArchive } from "./unpack.ts";

/** A file to download, and how it is to be in the store. */
export interface PrefetchRequest {
  readonly url: string;
  /** Name in the store; by default the last part of the URL. */
  readonly name?: string;
  readonly algorithm: HashAlgorithm;
  /** The hash that the result must have; a path with it that is valid already is not downloaded. */
  readonly expected?: Hash;
  /** True to add the contents of an archive. */
  readonly unpack: boolean;
  readonly executable: boolean;
}

/** The path of a download in the store, and its hash. */
export interface Prefetched {
  readonly path: string;
  readonly hash: Hash;
}

/** The surroundings of downloads into a store. */
export interface PrefetchContext {
  readonly store: PathFacts & SourceWriter;
  readonly settings: Settings;
  readonly transferrer: Transferrer;
}

/** Returns the name of a store path for the file of a URL. Error `bad-store-path-name`. */
function nameOf(url: string): string {
  const name = url.slice(url.lastIndexOf("/") + 1);
  if (name !== "") return name;
  throw new FirnError("bad-store-path-name", `cannot figure out file name for '${url}'`);
}

/** Downloads a file into the store. Errors `hash-mismatch`, `bad-store-path-name`, those of transfers and of archives. */
export async function prefetchFile(request: PrefetchRequest, context: PrefetchContext): Promise<Prefetched> {
  const { store } = context;
  const { expected } = request;
  const name = request.name ?? nameOf(request.url);
  const method = request.unpack || request.executable ? "nar" : "flat";
  const algorithm = expected?.algorithm ?? request.algorithm;
  const pathFor = (address: ContentAddress): string => makeFixedOutputPath(address, { name, storeDir: store.storeDir });
  if (expected !== undefined) {
    const path = pathFor({ method, hash: expected });
    if (await store.isValidPath(path)) return { path, hash: expected };
  }
  const file = await downloadFirst(request.url, context);
  try {
    let source = file;
    if (request.unpack) {
      source = `${file}.tree`;
      await unpackArchive(file, source, request.url);
      if (kindOf(lstatSync(source)) === "directory" && entriesIn(source).length === 0) {
        throw new FirnError("bad-archive", `archive '${request.url}' is empty`);
      }
    } else if (request.executable) withPlace(file, (place) => place.chmod(0o755));
    const { path, ca } = await store.addPath(source, { name, method, algorithm });
    const hash = ca?.hash;
    if (hash === undefined) throw new FirnError("not-content-addressed", `path '${path}' has no content address`);
    if (expected !== undefined && !equalHashes(hash, expected)) {
      throw new FirnError(
        "hash-mismatch",
        `hash mismatch for '${request.url}':\n  specified: ${printHash(expected, "sri")}\n  got:       ${printHash(hash, "sri")}`,
      );
    }
    return { path, hash };
  } finally {
    discardDownload(file);
  }
}

/** Downloads from the first mirror that has the file; returns a temporary one. */
async function downloadFirst(url: string, { settings, transferrer }: PrefetchContext): Promise<string> {
  let failure: FirnError | undefined;
  for (const candidate of resolveMirrors(url, settings)) {
    try {
      const { file } = await downloadToFile(transferrer, { url: candidate });
      if (file !== undefined) return file;
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new FirnError("no-mirror", `there is no mirror for '${url}'`);
}
