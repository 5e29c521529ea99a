/** Store paths that commands about paths work on: installables are built when they must exist, else only computed. */
import { type Derivation, FirnError, isDerivationPath } from "@firn/formats";
import { computeClosure, type PathFacts, type PathGraph, type StoreFiles } from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { buildTargets, plannedTargets } from "./build-targets.ts";

/** How installables become paths. */
export interface PathsWanted {
  /** Build what is missing. */
  readonly realise: boolean;
  /** The derivations themselves instead of their outputs (`--derivation`). */
  readonly derivations?: boolean;
  /** Everything that the paths refer to as well (`--recursive`). */
  readonly closure?: boolean;
  /** With no installable, all valid paths (`--all`). */
  readonly all?: boolean;
}

/** What `--recursive`, `--derivation` and `--all` ask for. */
export function pathSelection({ flags }: Invocation): Omit<PathsWanted, "realise"> {
  return { closure: flags.has("recursive"), derivations: flags.has("derivation"), all: flags.has("all") };
}

/** The store paths of the command line's installables, sorted when a closure is wanted. */
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
  return computeClosure(store, paths);
}

async function derivationOf(store: PathFacts & PathGraph & StoreFiles, path: string): Promise<string> {
  if (isDerivationPath(path)) return path;
  const deriver = (await store.queryPathInfo(path))?.deriver;
  if (deriver === undefined) throw new FirnError("no-deriver", `'${path}' does not have a known deriver`);
  return deriver;
}

/** The derivation that made a path, if it is known and still there. */
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
