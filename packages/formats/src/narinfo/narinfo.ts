/** `.narinfo` files and `nix-cache-info` of binary caches. */
import { FirnError } from "../base/error.ts";
import { type Hash, parsePrefixedHash, printHash } from "../hash/hash.ts";
import { parseContentAddress, printContentAddress } from "../store-path/content-address.ts";
import { checkStorePathBaseName, defaultStoreDir, parseStorePath, storePathBaseName } from "../store-path/name.ts";
import { parseSignature } from "./keys.ts";
import { type PathInfo, sortSignatures } from "./path-info.ts";

const MAX_SIZE = 8 * 1024 * 1024;

/** Facts about a path in a cache, and the place of its archive. */
export interface NarInfo extends PathInfo {
  /** URL of the archive, relative to the cache. */
  readonly url: string;
  readonly compression: string;
  readonly fileHash?: Hash;
  readonly fileSize?: number;
}

/** Reads a narinfo; `whence` names it in errors (`corrupt-narinfo`). Unknown fields are ignored, as in the reference. */
export function parseNarInfo(text: string, whence: string, storeDir: string = defaultStoreDir): NarInfo {
  let line = 1;
  const corrupt = (reason: string): FirnError =>
    new FirnError(
      "corrupt-narinfo",
      `NAR info file '${whence}' is corrupt: ${reason}${line > 0 ? ` at line ${line}` : ""}`,
    );
  const hash = (value: string): Hash => {
    try {
      return parsePrefixedHash(value);
    } catch (error) {
      if (error instanceof FirnError) throw corrupt("bad hash");
      throw error;
    }
  };
  const size = (value: string, field: string): number => {
    if (!/^[0-9]{1,15}$/.test(value)) throw corrupt(`invalid ${field}`);
    return Number(value);
  };
  const path = (value: string): string => {
    checkStorePathBaseName(value);
    return `${storeDir}/${value}`;
  };
  if (text.length > MAX_SIZE) throw corrupt("too long");
  const info: { -readonly [K in keyof NarInfo]?: NarInfo[K] } = {};
  const signatures: string[] = [];
  for (let at = 0; at < text.length; line++) {
    const colon = text.indexOf(":", at);
    if (colon < 0) throw corrupt("expecting ':'");
    const end = text.indexOf("\n", colon + 2);
    if (end < 0) throw corrupt("expecting '\\n'");
    const value = text.slice(colon + 2, end);
    switch (text.slice(at, colon)) {
      case "StorePath":
        info.path = parseStorePath(value, storeDir);
        break;
      case "URL":
        info.url = value;
        break;
      case "Compression":
        info.compression = value;
        break;
      case "FileHash":
        info.fileHash = hash(value);
        break;
      case "FileSize":
        info.fileSize = size(value, "FileSize");
        break;
      case "NarHash":
        info.narHash = hash(value);
        break;
      case "NarSize":
        info.narSize = size(value, "NarSize");
        break;
      case "References":
        if ((info.references?.length ?? 0) > 0) throw corrupt("extra References");
        info.references = [
          ...new Set(
            value
              .split(" ")
              .filter((item) => item !== "")
              .map(path),
          ),
        ].sort();
        break;
      case "Deriver":
        if (value !== "unknown-deriver") info.deriver = path(value);
        break;
      case "Sig":
        parseSignature(value);
        signatures.push(value);
        break;
      case "CA":
        if (info.ca !== undefined) throw corrupt("extra CA");
        if (value !== "") info.ca = parseContentAddress(value);
        break;
    }
    at = end + 1;
  }
  line = 0;
  const { path: storePath, narHash, url, narSize } = info;
  if (storePath === undefined) throw corrupt("StorePath missing");
  if (narHash === undefined) throw corrupt("NarHash missing");
  if (url === undefined || url === "") throw corrupt("URL missing");
  if (narSize === undefined || narSize === 0) throw corrupt("NarSize missing or zero");
  return {
    ...info,
    path: storePath,
    narHash,
    url,
    narSize,
    references: info.references ?? [],
    compression: info.compression === undefined || info.compression === "" ? "bzip2" : info.compression,
    signatures: sortSignatures(signatures),
  };
}

/** Writes a narinfo. */
export function printNarInfo(info: NarInfo): string {
  const lines = [`StorePath: ${info.path}`, `URL: ${info.url}`, `Compression: ${info.compression}`];
  if (info.fileHash !== undefined) lines.push(`FileHash: ${printHash(info.fileHash, "nix32")}`);
  if (info.fileSize !== undefined) lines.push(`FileSize: ${info.fileSize}`);
  lines.push(`NarHash: ${printHash(info.narHash, "nix32")}`, `NarSize: ${info.narSize}`);
  lines.push(`References: ${info.references.map(storePathBaseName).join(" ")}`);
  if (info.deriver !== undefined) lines.push(`Deriver: ${storePathBaseName(info.deriver)}`);
  for (const signature of sortSignatures(info.signatures)) lines.push(`Sig: ${signature}`);
  if (info.ca !== undefined) lines.push(`CA: ${printContentAddress(info.ca)}`);
  return `${lines.join("\n")}\n`;
}

/** The settings that a cache publishes about itself. */
export interface CacheInfo {
  readonly storeDir: string;
  readonly wantMassQuery: boolean;
  readonly priority?: number;
}

/** Reads `nix-cache-info`. */
export function parseCacheInfo(text: string): CacheInfo {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const priority = Number.parseInt(fields.get("Priority") ?? "", 10);
  return {
    storeDir: fields.get("StoreDir") ?? defaultStoreDir,
    wantMassQuery: fields.get("WantMassQuery") === "1",
    ...(Number.isNaN(priority) ? {} : { priority }),
  };
}
