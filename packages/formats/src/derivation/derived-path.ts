/** Derived paths, the objects of a build request: a store path as it is, or outputs of a derivation. */
import { FirnError } from "../base/error.ts";
import { parseStorePath } from "../store-path/name.ts";

/** `opaque`: a path to have. `built`: outputs (`*` for all) of a derivation. */
export type DerivedPath =
  | { readonly kind: "opaque"; readonly path: string }
  | { readonly kind: "built"; readonly drvPath: string; readonly outputs: readonly string[] | "*" };

/** Reads `PATH`, `DRV^out,dev`, `DRV^*` and the old `DRV!out`; throws `bad-derived-path` or `bad-store-path`. */
export function parseDerivedPath(text: string, storeDir: string): DerivedPath {
  const split = Math.max(text.indexOf("^"), text.indexOf("!"));
  if (split < 0) return { kind: "opaque", path: parseStorePath(text, storeDir) };
  const drvPath = parseStorePath(text.slice(0, split), storeDir);
  if (!drvPath.endsWith(".drv")) {
    throw new FirnError("bad-derived-path", `store path '${drvPath}' is not a valid derivation path`);
  }
  const names = text.slice(split + 1);
  return { kind: "built", drvPath, outputs: names === "*" ? "*" : names.split(",").filter((name) => name !== "") };
}

/** Writes a derived path. */
export function printDerivedPath(path: DerivedPath): string {
  if (path.kind === "opaque") return path.path;
  return `${path.drvPath}^${path.outputs === "*" ? "*" : [...path.outputs].sort().join(",")}`;
}
