/** Store paths, content addresses, hashes and signatures on the wire: strings that are checked when they are read. */

import { parseHash, parsePrefixedHash, printHash } from "../hash/hash.ts";
import { parseSignature } from "../narinfo/keys.ts";
import { sortSignatures } from "../narinfo/path-info.ts";
import { type ContentAddress, parseContentAddress, printContentAddress } from "../store-path/content-address.ts";
import { checkStorePathBaseName, parseStorePath, storePathBaseName } from "../store-path/name.ts";
import { convert, list, setOf, string, type WireCodec, type WirePeer } from "./codec.ts";
import { protocolError } from "./input.ts";

function checkedStorePath(text: string, peer: WirePeer): string {
  if (parseStorePath(text, peer.storeDir) !== text) {
    throw protocolError(`the peer named '${text}', which is no store path`);
  }
  return text;
}

/** A full store path; error `bad-store-path` for another string. */
export const storePath: WireCodec<string> = convert(string, checkedStorePath, (path) => path);

/** A store path, or undefined, which is the empty string. */
export const optionalStorePath: WireCodec<string | undefined> = convert(
  string,
  (text, peer) => (text === "" ? undefined : checkedStorePath(text, peer)),
  (path) => path ?? "",
);

/** A set of store paths. */
export const storePaths = setOf(storePath);

/** A store path of which only the base name is sent. */
export const storePathByName: WireCodec<string> = convert(
  string,
  (text, peer) => {
    checkStorePathBaseName(text);
    return `${peer.storeDir}/${text}`;
  },
  storePathBaseName,
);

/** A content address, or undefined, which is the empty string. */
export const optionalContentAddress: WireCodec<ContentAddress | undefined> = convert(
  string,
  (text) => (text === "" ? undefined : parseContentAddress(text)),
  (address) => (address === undefined ? "" : printContentAddress(address)),
);

/** A SHA-256 hash as base 16 without its algorithm. */
export const bareHash = convert(
  string,
  (text) => parseHash(text, "sha256"),
  (hash) => printHash(hash, "base16", false),
);

/** A hash in Nix's base 32 after its algorithm. */
export const prefixedHash = convert(string, parsePrefixedHash, (hash) => printHash(hash, "nix32"));

const signature: WireCodec<string> = convert(
  string,
  (text) => {
    parseSignature(text);
    return text;
  },
  (text) => text,
);

/** Signatures `key:base64`, sorted by key; error `bad-key` for other strings. */
export const signatures: WireCodec<readonly string[]> = convert(list(signature), sortSignatures, sortSignatures);
