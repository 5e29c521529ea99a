/** `tarball+http://…`, `file+https://…` and plain URLs: an archive that is unpacked, or one file as it is. */
import { FirnError } from "@firn/formats";
import type { FetchContext } from "../context.ts";
import { type FetchedTree, type Input, requireString, stringAttribute, withAttributes } from "../input.ts";
import { fetchArchive, fetchFile } from "../tarball.ts";
import { parseUrl } from "../url.ts";
import { tarballInputs } from "./tarball-input.ts";

/** Fetches an archive and unpacks it into the store. */
export async function fetchTarball(input: Input, context: FetchContext): Promise<FetchedTree> {
  const archive = await fetchArchive(context, { url: requireString(input, "url"), headers: {}, immutable: false });
  let locked = input;
  if (archive.immutableUrl !== undefined) {
    const immutable = tarballInputs.fromUrl(parseUrl(archive.immutableUrl), true);
    if (immutable === undefined) {
      throw new FirnError(
        "bad-input",
        `'Link' headers that redirect to or from non-tarball URLs are not supported ('${archive.immutableUrl}')`,
      );
    }
    locked = immutable;
  }
  const narHash = stringAttribute(locked, "narHash");
  if (narHash !== undefined && input !== locked && narHash !== archive.narHash) {
    throw new FirnError(
      "hash-mismatch",
      `the immutable link of '${requireString(input, "url")}' promises NAR hash '${narHash}' but its content has '${archive.narHash}'`,
    );
  }
  return {
    storePath: archive.storePath,
    locked: withAttributes(locked, {
      narHash: archive.narHash,
      lastModified: locked.get("lastModified") ?? (archive.lastModified > 0 ? BigInt(archive.lastModified) : undefined),
    }),
  };
}

/** Fetches one file into the store. */
export async function fetchSingleFile(input: Input, context: FetchContext): Promise<FetchedTree> {
  const url = requireString(input, "url");
  const { storePath, narHash } = await fetchFile(context, { url, name: stringAttribute(input, "name") ?? "source" });
  return { storePath, locked: withAttributes(input, { narHash }) };
}
