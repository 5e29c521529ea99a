/** Services without a store: paths are computed, nothing is written, built or fetched, as `--readonly-mode` with a dummy store does. */
import { checkFetchable } from "@firn/fetch";
import {
  createHasher,
  FirnError,
  type Hash,
  makeFixedOutputPath,
  makeTextPath,
  parseHash,
  storePathBaseName,
} from "@firn/formats";
import type { FetchRequest, FileType } from "@firn/language";
import { dumpPath, readFileChunks } from "@firn/store";
import { checkPure, requestedInput } from "../source/requested-input.ts";
import type { SyncServices } from "./services.ts";

function describeFetch(request: FetchRequest): string {
  switch (request.kind) {
    case "tree":
      return request.reference ?? "a tree";
    case "closure":
      return request.fromPath;
    case "url":
    case "tarball":
      return request.url;
  }
}

type Filter = (path: string, type: FileType) => boolean;

/** Returns the SHA-256 of a tree's NAR or of one file's bytes. */
export function hashTree(path: string, method: "flat" | "nar", filter?: Filter): Hash {
  const hasher = createHasher("sha256");
  const chunks =
    method === "flat"
      ? readFileChunks(path)
      : dumpPath(path, {
          filter: filter === undefined ? undefined : (relative, kind) => filter(path + relative, kind),
        });
  for (const chunk of chunks) hasher.update(chunk);
  return { algorithm: "sha256", bytes: hasher.digest() };
}

/** Makes services that compute store paths below `storeDir`; with `pure`, fetches must be locked. Calls that need a store, a builder or the network throw a `FirnError`. */
export function createOfflineServices(storeDir: string, pure: boolean): SyncServices {
  const derivations = new Map<string, string>();
  const texts = new Map<string, readonly string[]>();
  const invalid = (path: string) => new FirnError("invalid-path", `path '${path}' is not valid`);
  return {
    addPath({ path, name, method, expectedHash, filter, narHash, references = [] }) {
      const target = { name, storeDir, references: { others: references, self: false } };
      const hash: Hash =
        narHash === undefined ? hashTree(path, method, filter) : { algorithm: "sha256", bytes: narHash };
      const actual = makeFixedOutputPath({ method, hash }, target);
      if (expectedHash === undefined) return actual;
      const expected = makeFixedOutputPath({ method, hash: parseHash(expectedHash) }, target);
      if (expected === actual) return actual;
      throw new FirnError("path-mismatch", `store path mismatch in (possibly filtered) path added from '${path}'`);
    },
    addText(name, contents, references) {
      const path = makeTextPath(contents, { name, storeDir, references: { others: references, self: false } });
      texts.set(path, references);
      return path;
    },
    writeDerivation({ drvPath, contents }) {
      derivations.set(drvPath, contents);
    },
    readDerivation(drvPath) {
      const text = derivations.get(drvPath);
      if (text === undefined) throw invalid(drvPath);
      return text;
    },
    realise(elements) {
      for (const element of elements) {
        const path = element.kind === "opaque" ? element.path : element.drvPath;
        throw invalid(storePathBaseName(path));
      }
      return new Map();
    },
    ensurePath(path) {
      if (!derivations.has(path) && !texts.has(path)) throw invalid(path);
    },
    queryPath(path) {
      const references = texts.get(path);
      return references === undefined ? undefined : { narHash: "", narSize: 0, references };
    },
    fetch(request) {
      if (request.kind === "tree") {
        const input = requestedInput(request);
        if (pure) checkPure(request, input);
        checkFetchable(input);
      }
      const what = describeFetch(request);
      throw new FirnError("no-fetching", `cannot fetch '${what}': this evaluation has no store`);
    },
    resolveSearchPathUrl: () => undefined,
  };
}
