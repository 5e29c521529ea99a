/** Questions about paths that need several facts at once. */
import { type Derivation, derivationOutputPath, FirnError, isDerivationPath } from "@firn/formats";
import { computeClosure, requirePathInfo, sortTopologically } from "./closure.ts";
import type { StoreFiles } from "./files.ts";
import type { PathFacts, PathGraph } from "./paths.ts";
import type { Roots } from "./roots.ts";

/** Returns valid paths so that each comes after everything it refers to. Errors `invalid-path`, `cycle`. */
export async function sortByReferences(store: PathFacts, paths: Iterable<string>): Promise<string[]> {
  const references = new Map<string, readonly string[]>();
  for (const path of paths) references.set(path, (await requirePathInfo(store, path)).references);
  return sortTopologically(references.keys(), (path) => references.get(path) ?? []);
}

/** Returns the derivation that a path is or was built by. Errors `no-deriver`, `invalid-path`. */
export async function derivationOf(store: PathFacts, path: string): Promise<string> {
  if (isDerivationPath(path)) return path;
  const { deriver } = await requirePathInfo(store, path);
  if (deriver === undefined) throw new FirnError("no-deriver", `deriver of path '${path}' is not known`);
  return deriver;
}

/** Returns the output paths of a derivation by name: as it states them, else those that were built. Error `no-output`. */
export async function outputsOf(
  store: PathGraph & StoreFiles & PathFacts,
  drvPath: string,
): Promise<Map<string, string>> {
  const derivation: Derivation = store.readDerivation(drvPath);
  const built = await store.queryDerivationOutputs(drvPath);
  const outputs = new Map<string, string>();
  for (const name of [...derivation.outputs.keys()].sort()) {
    const path = derivationOutputPath(derivation, name, store.storeDir) ?? built.get(name);
    if (path === undefined) {
      throw new FirnError(
        "no-output",
        "Cannot use output path of floating content-addressing derivation until we know what it is (e.g. by building it)",
      );
    }
    outputs.set(name, path);
  }
  return outputs;
}

/** Returns those of `roots` that keep one of `paths`: as referrers of any degree, themselves included. */
export async function rootsKeeping(
  store: PathFacts & PathGraph,
  paths: readonly string[],
  roots: Roots,
): Promise<Roots> {
  const valid = [...(await store.queryValidPaths(paths))];
  const referrers = new Set(await computeClosure(store, valid, { referrers: store }));
  return new Map([...roots].filter(([path]) => referrers.has(path)));
}
