/** Facts about a valid path in the form of the protocols. */
import type { Hash } from "../hash/hash.ts";
import type { PathInfo } from "../narinfo/path-info.ts";
import type { ContentAddress } from "../store-path/content-address.ts";
import { asOf, convert, flag, number, record, since, type WireCodec } from "./codec.ts";
import { protocolError } from "./input.ts";
import {
  bareHash,
  optionalContentAddress,
  optionalStorePath,
  prefixedHash,
  signatures,
  storePath,
  storePaths,
} from "./store-values.ts";
import { wireVersion } from "./version.ts";

/** Facts about a path, without the path itself. */
export type UnkeyedPathInfo = Omit<PathInfo, "path">;

/** Facts with every field present, as records on the wire have them. */
interface InfoFields {
  readonly deriver: string | undefined;
  readonly narHash: Hash | undefined;
  readonly references: readonly string[];
  readonly registrationTime?: number;
  readonly narSize: number;
  readonly ultimate?: boolean;
  readonly signatures: readonly string[];
  readonly ca: ContentAddress | undefined;
}

function fromFields(fields: InfoFields): UnkeyedPathInfo {
  const { deriver, narHash, references, registrationTime = 0, narSize, ultimate = false, ca } = fields;
  if (narHash === undefined) throw protocolError("NAR hash is now mandatory");
  return {
    narHash,
    narSize,
    references,
    signatures: fields.signatures,
    ...(deriver === undefined ? {} : { deriver }),
    ...(registrationTime === 0 ? {} : { registrationTime }),
    ...(ultimate ? { ultimate } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
}

const unkeyedFields = {
  deriver: optionalStorePath,
  narHash: bareHash,
  references: storePaths,
  registrationTime: number,
  narSize: number,
  ultimate: flag,
  signatures,
  ca: optionalContentAddress,
};

function toFields(info: UnkeyedPathInfo) {
  return {
    deriver: info.deriver,
    narHash: info.narHash,
    references: info.references,
    registrationTime: info.registrationTime ?? 0,
    narSize: info.narSize,
    ultimate: info.ultimate ?? false,
    signatures: info.signatures,
    ca: info.ca,
  };
}

/** Facts without their path, in the worker protocol. A registration time of zero is none. */
export const unkeyedPathInfo: WireCodec<UnkeyedPathInfo> = convert(record(unkeyedFields), fromFields, toFields);

/** Facts with their path: in the worker protocol, and where an archive is added by either protocol. */
export const pathInfo: WireCodec<PathInfo> = convert(
  record({ path: storePath, ...unkeyedFields }),
  (fields) => ({ path: fields.path, ...fromFields(fields) }),
  (info) => ({ path: info.path, ...toFields(info) }),
);

/** Facts before each archive of the worker protocol's AddMultipleToStore, whose form is that of version 1.16 for ever. */
export const pathInfoOfMany = asOf(wireVersion(1, 16), pathInfo);

/**
 * Facts without their path, in the serve protocol. Before version 2.4 neither hash nor signatures are told; facts without a hash are
 * refused when they are read.
 */
export const servedPathInfo: WireCodec<UnkeyedPathInfo> = convert(
  record({
    deriver: optionalStorePath,
    references: storePaths,
    downloadSize: number,
    narSize: number,
    narHash: since(wireVersion(2, 4), prefixedHash, undefined),
    ca: since(wireVersion(2, 4), optionalContentAddress, undefined),
    signatures: since(wireVersion(2, 4), signatures, []),
  }),
  fromFields,
  (info) => ({ ...toFields(info), downloadSize: info.narSize }),
);
