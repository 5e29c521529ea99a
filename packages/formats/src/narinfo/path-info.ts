/** The facts that a store knows about a valid path, and the text that its signatures cover. */
import { compareByteStrings } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { fromBase64 } from "../hash/encoding.ts";
import { type Hash, printHash } from "../hash/hash.ts";
import { type ContentAddress, contentAddressPrefix } from "../store-path/content-address.ts";
import { makeFixedOutputPath } from "../store-path/make.ts";
import { storePathName } from "../store-path/name.ts";

/** Facts about a valid path. Sizes in bytes, times in seconds since 1970, references sorted full paths. */
export interface PathInfo {
  readonly path: string;
  readonly narHash: Hash;
  readonly narSize: number;
  readonly references: readonly string[];
  readonly deriver?: string;
  readonly registrationTime?: number;
  /** True for a path that was built here and is so trusted without a signature. */
  readonly ultimate?: boolean;
  /** Signatures `key:base64`, sorted. */
  readonly signatures: readonly string[];
  readonly ca?: ContentAddress;
}

/** The text that signatures cover; error when the size is unknown. */
export function pathInfoFingerprint(info: Pick<PathInfo, "path" | "narHash" | "narSize" | "references">): string {
  if (info.narSize === 0) {
    throw new FirnError(
      "unknown-size",
      `cannot calculate fingerprint of path '${info.path}' because its size is not known`,
    );
  }
  const references = [...new Set(info.references)].sort(compareByteStrings).join(",");
  return `1;${info.path};${printHash(info.narHash, "nix32")};${info.narSize};${references}`;
}

/** Sorts and dedups signatures as the reference keeps them: by key name, then by bytes. */
export function sortSignatures(signatures: Iterable<string>): string[] {
  const keyed = [...new Set(signatures)].map((text) => {
    const colon = text.indexOf(":");
    return { text, name: text.slice(0, colon), bytes: fromBase64(text.slice(colon + 1)) };
  });
  keyed.sort((a, b) => {
    if (a.name !== b.name) return compareByteStrings(a.name, b.name);
    for (let i = 0; i < Math.min(a.bytes.length, b.bytes.length); i++) {
      if (a.bytes[i] !== b.bytes[i]) return a.bytes[i]! - b.bytes[i]!;
    }
    return a.bytes.length - b.bytes.length;
  });
  return keyed.map(({ text }) => text);
}

/** Tells whether the path follows from its content address and references, so that it needs no signature. */
export function isContentAddressed(info: PathInfo): boolean {
  if (info.ca === undefined) return false;
  const self = info.references.includes(info.path);
  const storeDir = info.path.slice(0, info.path.lastIndexOf("/"));
  const references = { others: info.references.filter((path) => path !== info.path), self };
  try {
    return makeFixedOutputPath(info.ca, { name: storePathName(info.path), storeDir, references }) === info.path;
  } catch (error) {
    if (error instanceof FirnError) return false;
    throw error;
  }
}

/** `text`, `fixed` and method of a content address, for display. */
export function contentAddressKind(ca: ContentAddress): string {
  return ca.method === "text" ? "text" : `fixed:${contentAddressPrefix(ca.method)}`;
}
