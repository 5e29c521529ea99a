/** Store paths for commands about paths: installables are built when they must exist, else only computed. */
import { type Derivation, FirnError, isDerivationPath } from "@firn/formats";
import { computeClosure, type PathFacts, type PathGraph, type StoreFiles, sortByReferences } from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { buildTargets, plannedTargets } from "./build-targets.ts";

/** The conversion of installables to paths. */
export interface PathsWanted {
  /** True to build missing paths. */
  readonly realise: boolean;
  /** True for the derivations themselves instead of their outputs (`--derivation`). */
  readonly derivations?: boolean;
  /** True to include the closures of the paths (`--recursive`). */
  readonly closure?: boolean;
  /** True for all valid paths when there is no installable (`--all`). */
  readonly all?: boolean;
}

/** Returns the selection by `--recursive`, `--derivation` and `--all`. */
export function pathSelection({ flags }: Invocation): Omit<PathsWanted, "realise"> {
  return { closure: flags.has("recursive"), derivations: flags.has("derivation"), all: flags.has("all") };
}

/** Returns the store paths of the command line's installables; of a closure, each comes after those it refers to. */
export async function pathsOf(
  session: EvaluationSession,
  words: readonly string[],
  wanted: PathsWanted,
): Promise<string[]> {
  const store = await session.store();
  if (wanted.all === true) return (await store.queryAllValidPaths()).sort();
  const targets = await session.installables.targets(session.installables.parse(words));
  let paths: string[];
  if (wanted.derivations === true) {
    paths = [];
    for (const target of targets)
      paths.push(target.kind === "outputs" ? target.drvPath : await derivationOf(store, target.path));
  } else {
    const built = wanted.realise ? await buildTargets(session, targets) : await plannedTargets(session, targets);
    paths = built.flatMap(({ outputs }) => [...outputs.values()]);
  }
  if (wanted.closure !== true) return [...new Set(paths)];
  return sortByReferences(store, await computeClosure(store, paths));
}

/** Returns the derivation that a path is, or that made it. Fails with `no-deriver`. */
export async function derivationOf(store: PathFacts & PathGraph & StoreFiles, path: string): Promise<string> {
  if (isDerivationPath(path)) return path;
  const deriver = (await store.queryPathInfo(path))?.deriver;
  if (deriver === undefined) throw new FirnError("no-deriver", `'${path}' does not have a known deriver`);
  return deriver;
}

/** Returns the derivation of a path, if it is known and valid. */
export async function knownDerivation(
  store: PathFacts & PathGraph & StoreFiles,
  path: string,
): Promise<{ drvPath: string; derivation: Derivation } | undefined> {
  const candidates = isDerivationPath(path)
    ? [path]
    : [(await store.queryPathInfo(path))?.deriver, ...(await store.queryValidDerivers(path))];
  for (const drvPath of candidates) {
    if (drvPath !== undefined && (await store.isValidPath(drvPath)))
      return { drvPath, derivation: store.readDerivation(drvPath) };
  }
  return undefined;
}
