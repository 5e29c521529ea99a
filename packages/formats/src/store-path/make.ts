/** Computes store paths from their contents (manual: "Complete Store Path Calculation"). */
import { sortedUnique } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { digestOf, hexDigestOf } from "../hash/algorithm.ts";
import { toNix32 } from "../hash/encoding.ts";
import { compressHash, type Hash, printHash } from "../hash/hash.ts";
import { type ContentAddress, contentAddressPrefix } from "./content-address.ts";
import { checkStorePathBaseName, defaultStoreDir } from "./name.ts";

/** The references of a store object: other store paths, and perhaps itself. */
export interface StoreReferences {
  readonly others: readonly string[];
  readonly self: boolean;
}

const none: StoreReferences = { others: [], self: false };

/** The parts of a store path's digest: a type such as `source`, the inner hash, the name and the store directory. */
export interface StorePathParts {
  readonly type: string;
  readonly hash: Hash | string;
  readonly name: string;
  readonly storeDir?: string;
}

/** The full store path of these parts; error `bad-store-path` for a bad name. */
export function makeStorePath(parts: StorePathParts): string {
  const storeDir = parts.storeDir ?? defaultStoreDir;
  const inner = typeof parts.hash === "string" ? parts.hash : printHash(parts.hash, "base16");
  const digest = digestOf("sha256", `${parts.type}:${inner}:${storeDir}:${parts.name}`);
  const baseName = `${toNix32(compressHash(digest, 20))}-${parts.name}`;
  checkStorePathBaseName(baseName);
  return `${storeDir}/${baseName}`;
}

/** `name`, or `name-output` for outputs other than `out`. */
export function outputPathName(name: string, output: string): string {
  return output === "out" ? name : `${name}-${output}`;
}

/** The path of an input-addressed output of the derivation `name` whose hash modulo is `hash` (SHA-256, base16). */
export function makeOutputPath(output: string, hash: string, target: { name: string; storeDir?: string }): string {
  const name = outputPathName(target.name, output);
  return makeStorePath({ ...target, type: `output:${output}`, hash: `sha256:${hash}`, name });
}

function typeWithReferences(type: string, references: StoreReferences): string {
  const { others, self } = references;
  const listed = others.length === 0 ? type : `${type}:${sortedUnique(others).join(":")}`;
  return self ? `${listed}:self` : listed;
}

/** Name, store directory and references of a content-addressed object. */
export interface FixedOutputTarget {
  readonly name: string;
  readonly storeDir?: string;
  readonly references?: StoreReferences;
}

/** The path of a content-addressed object; error when references are not allowed with this method. */
export function makeFixedOutputPath(address: ContentAddress, target: FixedOutputTarget): string {
  const references = target.references ?? none;
  const { name } = target;
  const storeDir = target.storeDir ?? defaultStoreDir;
  const { method, hash } = address;
  if (method === "text") return textPath(hash, target);
  if (method === "git" && hash.algorithm !== "sha1" && hash.algorithm !== "sha256") {
    throw new FirnError(
      "bad-hash",
      `Git file ingestion must use SHA-1 or SHA-256 hash, but instead using: ${hash.algorithm}`,
    );
  }
  if (method === "nar" && hash.algorithm === "sha256") {
    return makeStorePath({ type: typeWithReferences("source", references), hash, name, storeDir });
  }
  if (references.others.length > 0 || references.self) {
    throw new FirnError(
      "bad-references",
      `fixed output derivation '${name}' is not allowed to refer to other store paths.\nYou may need to use the 'unsafeDiscardReferences' derivation attribute, see the manual for more details.`,
    );
  }
  const payload = `fixed:out:${contentAddressPrefix(method)}${printHash(hash, "base16")}:`;
  return makeStorePath({ type: "output:out", hash: `sha256:${hexDigestOf("sha256", payload)}`, name, storeDir });
}

/** The path of a text object (a `.drv`, `builtins.toFile`) with these contents. */
export function makeTextPath(contents: Uint8Array | string, target: FixedOutputTarget): string {
  return textPath(`sha256:${hexDigestOf("sha256", contents)}`, target);
}

function textPath(hash: Hash | string, target: FixedOutputTarget): string {
  const { name, references = none, storeDir = defaultStoreDir } = target;
  if (references.self) throw new FirnError("bad-references", "self-reference not allowed with text hashing");
  if (typeof hash !== "string" && hash.algorithm !== "sha256") {
    throw new FirnError("bad-hash", "text hashing needs sha256");
  }
  return makeStorePath({ type: typeWithReferences("text", references), hash, name, storeDir });
}
