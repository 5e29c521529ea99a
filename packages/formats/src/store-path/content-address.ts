/** Content addresses: `text:sha256:…`, `fixed:sha256:…`, `fixed:r:sha256:…`, `fixed:git:sha1:…`. */
import { FirnError } from "../base/error.ts";
import { type HashAlgorithm, parseHashAlgorithm } from "../hash/algorithm.ts";
import { type Hash, parseBareHash, printHash } from "../hash/hash.ts";

/** The form in which content is hashed: as text with references, as one file, as a NAR, as a git tree. */
export type ContentAddressMethod = "text" | "flat" | "nar" | "git";

/** The method and hash that address a content-addressed store object. */
export interface ContentAddress {
  readonly method: ContentAddressMethod;
  readonly hash: Hash;
}

const methodPrefix = { text: "text:", flat: "", nar: "r:", git: "git:" };

/** `""`, `r:`, `git:` or `text:`, as it stands before the algorithm in a derivation's output. */
export function contentAddressPrefix(method: ContentAddressMethod): string {
  return methodPrefix[method];
}

/** `r:sha256` and so on, as in a derivation's output. */
export function printMethodAlgorithm(method: ContentAddressMethod, algorithm: HashAlgorithm): string {
  return methodPrefix[method] + algorithm;
}

/** Reads `r:sha256` and so on. */
export function parseMethodAlgorithm(text: string): { method: ContentAddressMethod; algorithm: HashAlgorithm } {
  for (const method of ["nar", "git", "text"] as const) {
    const prefix = methodPrefix[method];
    if (text.startsWith(prefix)) return { method, algorithm: parseHashAlgorithm(text.slice(prefix.length)) };
  }
  return { method: "flat", algorithm: parseHashAlgorithm(text) };
}

/** The method called `name` in JSON and on the command line: `text`, `flat`, `nar`, `git`. */
export function parseContentAddressMethod(name: string): ContentAddressMethod {
  if (name === "text" || name === "flat" || name === "nar" || name === "git") return name;
  throw new FirnError(
    "bad-ingestion-method",
    `unknown file ingestion method '${name}', expect 'flat', 'nar', or 'git'`,
  );
}

/** Writes a content address. */
export function printContentAddress(address: ContentAddress): string {
  const prefix = address.method === "text" ? "text:" : `fixed:${methodPrefix[address.method]}`;
  return prefix + printHash(address.hash, "nix32");
}

/** Reads a content address; error `bad-content-address` or those of hashes. */
export function parseContentAddress(text: string): ContentAddress {
  const bad = (message: string): FirnError => new FirnError("bad-content-address", message);
  const colon = text.indexOf(":");
  if (colon < 0) throw bad(`not a content address because it is not in the form '<prefix>:<rest>': ${text}`);
  const prefix = text.slice(0, colon);
  let rest = text.slice(colon + 1);
  let method: ContentAddressMethod;
  if (prefix === "text") method = "text";
  else if (prefix === "fixed") {
    method = rest.startsWith("r:") ? "nar" : rest.startsWith("git:") ? "git" : "flat";
    rest = rest.slice(methodPrefix[method].length);
  } else {
    throw bad(`content address prefix '${prefix}' is unrecognized. Recogonized prefixes are 'text' or 'fixed'`);
  }
  const split = rest.indexOf(":");
  if (split < 0) throw bad(`content address hash must be in form '<algo>:<hash>', but found: ${text}`);
  const algorithm = parseHashAlgorithm(rest.slice(0, split));
  return { method, hash: parseBareHash(rest.slice(split + 1), algorithm) };
}
