/** Realisations: the store paths of outputs of derivations, as builds found them. */

import { compareByteStrings } from "../base/bytes.ts";
import { type Hash, parsePrefixedHash, printHash } from "../hash/hash.ts";
import { parseSignature } from "../narinfo/keys.ts";
import { sortSignatures } from "../narinfo/path-info.ts";
import { checkStorePathBaseName, checkStorePathName, storePathBaseName } from "../store-path/name.ts";
import { isJsonObject, type JsonValue, parseJson, printJson } from "../text/json.ts";
import { convert, list, record, string, type WireCodec } from "./codec.ts";
import { protocolError } from "./input.ts";

/** An output of a derivation, named by the derivation's hash modulo its fixed outputs. */
export interface DrvOutput {
  readonly drvHash: Hash;
  readonly outputName: string;
}

/** The path of an output, with signatures `key:base64` of those who vouch for it. */
export interface Realisation {
  readonly id: DrvOutput;
  /** The full store path. */
  readonly outPath: string;
  readonly signatures: readonly string[];
}

/** Writes `sha256:<base 16>!out`. */
export function printDrvOutput(id: DrvOutput): string {
  return `${printHash(id.drvHash, "base16")}!${id.outputName}`;
}

/** Reads `sha256:<hash>!out`; error `protocol` or those of hashes and names. */
export function parseDrvOutput(text: string): DrvOutput {
  const split = text.indexOf("!");
  if (split < 0) throw protocolError(`invalid derivation output id '${text}'`);
  const outputName = text.slice(split + 1);
  checkStorePathName(outputName);
  return { drvHash: parsePrefixedHash(text.slice(0, split)), outputName };
}

function unsigned(realisation: Realisation): Map<string, JsonValue> {
  return new Map<string, JsonValue>([
    ["dependentRealisations", new Map()],
    ["id", printDrvOutput(realisation.id)],
    ["outPath", storePathBaseName(realisation.outPath)],
  ]);
}

/** Returns a realisation as a JSON value, in the reference's order of fields. */
export function realisationToJson(realisation: Realisation): JsonValue {
  return unsigned(realisation).set("signatures", sortSignatures(realisation.signatures));
}

/** Writes a realisation as JSON. */
export function printRealisation(realisation: Realisation): string {
  return printJson(realisationToJson(realisation));
}

/** Returns the text that the signatures of a realisation cover. */
export function realisationFingerprint(realisation: Realisation): string {
  return printJson(unsigned(realisation));
}

/** Reads a realisation from JSON; error `protocol` or those of JSON, hashes, store paths and signatures. */
export function parseRealisation(text: string, storeDir: string): Realisation {
  const bad = (what: string) => protocolError(`the peer sent a realisation ${what}`);
  const fields = parseJson(text);
  if (!isJsonObject(fields)) throw bad("that is no object");
  const textOf = (name: string): string => {
    const value = fields.get(name);
    if (typeof value !== "string") throw bad(`without '${name}'`);
    return value;
  };
  const baseName = textOf("outPath");
  checkStorePathBaseName(baseName);
  const signatures = (fields.get("signatures") ?? []) as JsonValue;
  if (!Array.isArray(signatures)) throw bad("whose signatures are no list");
  const checked = signatures.map((signature: JsonValue) => {
    if (typeof signature !== "string") throw bad("with a signature that is no string");
    parseSignature(signature);
    return signature;
  });
  return {
    id: parseDrvOutput(textOf("id")),
    outPath: `${storeDir}/${baseName}`,
    signatures: sortSignatures(checked),
  };
}

/** The name of an output of a derivation. */
export const drvOutput: WireCodec<DrvOutput> = convert(string, parseDrvOutput, printDrvOutput);

/** A realisation as JSON. */
export const realisation: WireCodec<Realisation> = convert(
  string,
  (text, peer) => parseRealisation(text, peer.storeDir),
  printRealisation,
);

/** Realisations sorted by their outputs. */
export const realisations: WireCodec<readonly Realisation[]> = convert(list(realisation), sorted, sorted);

/** Realisations by their outputs. An entry whose key differs from its realisation's output is refused. */
export const realisationMap: WireCodec<readonly Realisation[]> = convert(
  list(record({ id: drvOutput, realisation })),
  (entries) =>
    sorted(
      entries.map((entry) => {
        if (printDrvOutput(entry.id) !== printDrvOutput(entry.realisation.id)) {
          throw protocolError(
            `the peer sent a realisation under '${printDrvOutput(entry.id)}' that is of another output`,
          );
        }
        return entry.realisation;
      }),
    ),
  (list) => sorted(list).map((realisation) => ({ id: realisation.id, realisation })),
);

function sorted(list: readonly Realisation[]): readonly Realisation[] {
  return list.toSorted((a, b) => compareByteStrings(printDrvOutput(a.id), printDrvOutput(b.id)));
}
