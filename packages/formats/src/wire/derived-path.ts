/** Derived paths that are to be built or fetched, in the old form of the protocols: `PATH`, `DRV!out,dev`, `DRV!*`. */

import { sortedUnique } from "../base/bytes.ts";
import type { DerivedPath } from "../derivation/derived-path.ts";
import { checkStorePathName, isDerivationPath, parseStorePath } from "../store-path/name.ts";
import { changedIn, convert, list, string, type WireCodec, type WirePeer } from "./codec.ts";
import { protocolError } from "./input.ts";
import { wireVersion } from "./version.ts";

function parts(text: string, peer: WirePeer): { path: string; names: string | undefined } {
  const split = text.indexOf("!");
  const path = split < 0 ? text : text.slice(0, split);
  if (parseStorePath(path, peer.storeDir) !== path) throw protocolError(`the peer named '${path}', no store path`);
  return { path, names: split < 0 ? undefined : text.slice(split + 1) };
}

function outputNames(path: string, names: string): readonly string[] {
  if (!isDerivationPath(path)) throw protocolError(`the peer asked for outputs of '${path}', which is no derivation`);
  const list = names.split(",");
  for (const name of list) checkStorePathName(name);
  return sortedUnique(list);
}

const names = (outputs: readonly string[]): string => sortedUnique(outputs).join(",");

/** The form before version 1.30 and in the serve protocol: a derivation alone means all its outputs, so its file cannot be named. */
const withOutputs: WireCodec<DerivedPath> = convert(
  string,
  (text, peer) => {
    const { path, names } = parts(text, peer);
    if (names !== undefined && names !== "") {
      return { kind: "built", drvPath: path, outputs: outputNames(path, names) };
    }
    return isDerivationPath(path) ? { kind: "built", drvPath: path, outputs: "*" } : { kind: "opaque", path };
  },
  (value) => {
    if (value.kind === "built")
      return value.outputs === "*" ? value.drvPath : `${value.drvPath}!${names(value.outputs)}`;
    if (isDerivationPath(value.path)) {
      throw protocolError(
        `trying to request '${value.path}', but the protocol is too old to request a derivation file`,
      );
    }
    return value.path;
  },
);

const withWildcard: WireCodec<DerivedPath> = convert(
  string,
  (text, peer) => {
    const { path, names } = parts(text, peer);
    if (names === undefined) return { kind: "opaque", path };
    const outputs = names === "*" && isDerivationPath(path) ? "*" : outputNames(path, names);
    return { kind: "built", drvPath: path, outputs };
  },
  (value) => {
    if (value.kind === "opaque") return value.path;
    return `${value.drvPath}!${value.outputs === "*" ? "*" : names(value.outputs)}`;
  },
);

/** A derived path in the worker protocol. Outputs of derivations that are outputs themselves are refused. */
export const derivedPath = changedIn(wireVersion(1, 30), withOutputs, withWildcard);

/** Derived paths of the worker protocol in their order. */
export const derivedPaths = list(derivedPath);

/** Derived paths of the serve protocol in their order. */
export const servedDerivedPaths = list(withOutputs);
