/** `tarball+http://…`, `file+https://…` and plain URLs: an archive that is unpacked, or one file as it is. */
import { FirnError } from "@firn/formats";
import type { FetchContext } from "../context.ts";
import {
  type FetchedTree,
  type Input,
  integerAttribute,
  requireString,
  type Scheme,
  stringAttribute,
  withAttributes,
} from "../input.ts";
import { fetchArchive, fetchFile } from "../tarball.ts";
import { parseUrl, printUrl, type Url } from "../url.ts";

const transports = new Set(["http", "https", "file"]);
const archiveName = /\.(zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/;
/** Query parameters that are attributes of the input and not part of its URL. */
const attributeParameters = ["narHash", "rev", "revCount", "lastModified"];
const integers = new Set(["revCount", "lastModified"]);

/** Archives, unpacked with their top directory stripped. */
export const tarballScheme = makeScheme("tarball");
/** Single files. */
export const fileScheme = makeScheme("file");

function makeScheme(type: "tarball" | "file"): Scheme {
  const scheme: Scheme = {
    type,
    attributes: ["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"],

    fromUrl(url, requireTree) {
      const [first = "", second] = url.scheme.split("+");
      const transport = second ?? first;
      if (!transports.has(transport)) return undefined;
      if (second !== undefined && first !== type) return undefined;
      if (second === undefined) {
        const archive = requireTree || archiveName.test(url.path);
        if (archive !== (type === "tarball")) return undefined;
      }
      const input = new Map<string, string | bigint | boolean>([["type", type]]);
      const query = new Map(url.query);
      for (const name of attributeParameters) {
        const value = query.get(name);
        if (value === undefined) continue;
        query.delete(name);
        if (integers.has(name) && !/^\d{1,18}$/.test(value)) continue;
        input.set(name, integers.has(name) ? BigInt(value) : value);
      }
      input.set("url", printUrl({ ...url, scheme: transport, query, fragment: "" }));
      return input;
    },

    check(input) {
      requireString(input, "url");
      integerAttribute(input, "revCount");
      integerAttribute(input, "lastModified");
    },

    toUrl(input): Url {
      const url = parseUrl(requireString(input, "url"));
      const query = new Map(url.query);
      for (const name of attributeParameters) {
        const value = input.get(name);
        if (value !== undefined) query.set(name, String(value));
      }
      // A URL that would be read as the other kind says which one it is.
      const plain = archiveName.test(url.path) === (type === "tarball");
      return { ...url, scheme: plain ? url.scheme : `${type}+${url.scheme}`, query };
    },

    isLocked: (input) => input.has("narHash"),

    fetch: (input, context) => (type === "tarball" ? fetchTree(input, context) : fetchOne(input, context)),
  };
  return scheme;
}

async function fetchTree(input: Input, context: FetchContext): Promise<FetchedTree> {
  const archive = await fetchArchive(context, { url: requireString(input, "url"), headers: {}, immutable: false });
  let locked = input;
  if (archive.immutableUrl !== undefined) {
    const immutable = tarballScheme.fromUrl(parseUrl(archive.immutableUrl), true);
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

async function fetchOne(input: Input, context: FetchContext): Promise<FetchedTree> {
  const url = requireString(input, "url");
  const { storePath, narHash } = await fetchFile(context, { url, name: stringAttribute(input, "name") ?? "source" });
  return { storePath, locked: withAttributes(input, { narHash }) };
}
