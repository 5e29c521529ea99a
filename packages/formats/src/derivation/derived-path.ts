/** Derived paths, the objects of a build request: a store path as it is, or outputs of a derivation. */
import { FirnError } from "../base/error.ts";
import { parseStorePath } from "../store-path/name.ts";
import { downstreamPlaceholder, dynamicPlaceholder } from "./hash.ts";

/**
 * `opaque`: a path to have. `built`: outputs (`*` for all) of a derivation; with dynamic derivations, `drvPath` may itself be an
 * output: `!output!drvPath`.
 */
export type DerivedPath =
  | { readonly kind: "opaque"; readonly path: string }
  | { readonly kind: "built"; readonly drvPath: string; readonly outputs: readonly string[] | "*" };

/** Reads `PATH`, `DRV^out,dev`, `DRV^*`, `DRV^out^out` and the old `DRV!out`; throws `bad-derived-path` or `bad-store-path`. */
export function parseDerivedPath(text: string, storeDir: string): DerivedPath {
  const split = Math.max(text.lastIndexOf("^"), text.indexOf("!"));
  if (split < 0) return { kind: "opaque", path: parseStorePath(text, storeDir) };
  const drvPath = parseDerivationOf(text.slice(0, split), storeDir);
  const names = text.slice(split + 1);
  return { kind: "built", drvPath, outputs: names === "*" ? "*" : names.split(",").filter((name) => name !== "") };
}

function parseDerivationOf(text: string, storeDir: string): string {
  const [first, ...outputs] = text.split("^");
  const drvPath = parseStorePath(first!, storeDir);
  if (!drvPath.endsWith(".drv")) {
    throw new FirnError("bad-derived-path", `store path '${drvPath}' is not a valid derivation path`);
  }
  return outputs.reduce(nestOutput, drvPath);
}

/** Returns `!output!drvPath`: the derivation that an output of another one is. */
export function nestOutput(drvPath: string, output: string): string {
  return `!${output}!${drvPath}`;
}

/** Splits a derivation that is an output itself (`!output!drvPath`); undefined for a plain store path. */
export function nestedOutput(drvPath: string): { output: string; drvPath: string } | undefined {
  if (!drvPath.startsWith("!")) return undefined;
  const end = drvPath.indexOf("!", 1);
  return { output: drvPath.slice(1, end), drvPath: drvPath.slice(end + 1) };
}

/** Returns the placeholder of an output whose path is only known after building; `drvPath` may be `!output!drvPath`. */
export function outputPlaceholder(drvPath: string, output: string): string {
  const nested = nestedOutput(drvPath);
  if (nested === undefined) return downstreamPlaceholder(drvPath, output);
  return dynamicPlaceholder(outputPlaceholder(nested.drvPath, nested.output), output);
}

/** Writes the derivation of a derived path: `DRV`, or `DRV^out` for one that is an output itself. */
export function printDerivationOf(drvPath: string): string {
  const nested = nestedOutput(drvPath);
  return nested === undefined ? drvPath : `${printDerivationOf(nested.drvPath)}^${nested.output}`;
}

/** Writes a derived path. */
export function printDerivedPath(path: DerivedPath): string {
  if (path.kind === "opaque") return path.path;
  return `${printDerivationOf(path.drvPath)}^${path.outputs === "*" ? "*" : [...path.outputs].sort().join(",")}`;
}
