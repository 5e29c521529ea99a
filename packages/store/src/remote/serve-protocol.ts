/** What `nix-store --serve` speaks: the protocol of `ssh://` stores, version 2.7. */
import {
  FirnError,
  type PathInfo,
  parseContentAddress,
  parseHash,
  printContentAddress,
  printHash,
} from "@firn/formats";
import { type WireReader, wireNumber, wireString, wireStrings } from "./wire.ts";

const clientMagic = 0x390c9deb;
const serverMagic = 0x5452eecb;
/** Major version in the upper byte. */
const version = 0x207;
/** From here on hashes and signatures are told. */
const leastMinor = 5;

/** Commands by their numbers. */
export const serveCommands = {
  queryValidPaths: 1,
  queryPathInfos: 2,
  dumpStorePath: 3,
  queryClosure: 7,
  addToStoreNar: 9,
} as const;

/** What a client says first. */
export function clientGreeting(): Uint8Array {
  return Buffer.concat([wireNumber(clientMagic), wireNumber(version)]);
}

/** What a server answers. */
export function serverGreeting(): Uint8Array {
  return Buffer.concat([wireNumber(serverMagic), wireNumber(version)]);
}

/** Reads the other side's greeting; error `protocol` when it is another program or too old. */
export async function readGreeting(reader: WireReader, from: "client" | "server"): Promise<void> {
  const magic = await reader.number();
  const peer = await reader.number();
  const expected = from === "client" ? clientMagic : serverMagic;
  if (magic !== expected || peer >> 8 !== version >> 8 || (peer & 0xff) < leastMinor) {
    throw new FirnError("protocol", "'nix-store --serve' protocol mismatch");
  }
}

/** Facts about a path without its name, as `queryPathInfos` answers them. */
export function wireInfo(info: PathInfo): Uint8Array {
  return Buffer.concat([
    wireString(info.deriver ?? ""),
    wireStrings(info.references),
    wireNumber(info.narSize),
    wireNumber(info.narSize),
    wireString(printHash(info.narHash, "nix32", true)),
    wireString(info.ca === undefined ? "" : printContentAddress(info.ca)),
    wireStrings(info.signatures),
  ]);
}

/** Reads what {@link wireInfo} writes. */
export async function readInfo(reader: WireReader, path: string): Promise<PathInfo> {
  const deriver = await reader.string();
  const references = await reader.strings();
  await reader.number();
  const narSize = await reader.number();
  const narHash = parseHash(await reader.string());
  const ca = await reader.string();
  const signatures = await reader.strings();
  return pathInfo({ path, narHash, narSize, references, signatures }, deriver, ca);
}

/** What `addToStoreNar` says before the archive. */
export function wireAddition(info: PathInfo): Uint8Array {
  return Buffer.concat([
    wireString(info.path),
    wireString(info.deriver ?? ""),
    wireString(printHash(info.narHash, "base16", false)),
    wireStrings(info.references),
    wireNumber(info.registrationTime ?? 0),
    wireNumber(info.narSize),
    wireNumber(info.ultimate === true ? 1 : 0),
    wireStrings(info.signatures),
    wireString(info.ca === undefined ? "" : printContentAddress(info.ca)),
  ]);
}

/** Reads what {@link wireAddition} writes. A peer's word that it built something itself is not taken. */
export async function readAddition(reader: WireReader): Promise<PathInfo> {
  const path = await reader.string();
  const deriver = await reader.string();
  const narHash = parseHash(await reader.string(), "sha256");
  const references = await reader.strings();
  await reader.number();
  const narSize = await reader.number();
  await reader.number();
  const signatures = await reader.strings();
  const ca = await reader.string();
  return pathInfo({ path, narHash, narSize, references, signatures }, deriver, ca);
}

/** Facts with a deriver and a content address, which are empty when there are none. */
function pathInfo(facts: PathInfo, deriver: string, ca: string): PathInfo {
  return {
    ...facts,
    ...(deriver === "" ? {} : { deriver }),
    ...(ca === "" ? {} : { ca: parseContentAddress(ca) }),
  };
}
