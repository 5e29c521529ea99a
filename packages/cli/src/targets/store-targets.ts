/** Store paths for commands about paths: installables are built when they must exist, else only computed. */
import { derivedPath } from "@firn/flake";
import { type Derivation, derivationKind, FirnError, isDerivationPath, type wire } from "@firn/formats";
import {
  computeClosure,
  DerivationHashes,
  hasFeature,
  type PathFacts,
  type PathGraph,
  type Store,
  type StoreFiles,
  sortByReferences,
} from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { type BuiltTarget, buildTargets, plannedTargets, tellPlan } from "./build-targets.ts";

/** The conversion of installables to paths. */
export interface PathsWanted {
  /** True to build missing paths. */
  readonly realise: boolean;
  /** True for the derivations themselves instead of their outputs (`--derivation`). */
  readonly derivations?: boolean;
  /** Store whose realisations tell paths that are only known after building; by default the session's. */
  readonly realised?: Store;
  /** Store whose paths are named; by default the session's. */
  readonly from?: Store;
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
  if (wanted.all === true && words.length > 0) throw new UsageError("'--all' does not expect arguments");
  if (wanted.all === true) return (await store.queryAllValidPaths()).sort();
  const targets = await session.installables.targets(session.installables.parse(words));
  let paths: string[];
  if (wanted.derivations === true) {
    paths = [];
    for (const target of targets)
      paths.push(target.kind === "outputs" ? target.drvPath : await derivationOf(store, target.path));
  } else {
    const built = wanted.realise
      ? await buildTargets(session, targets)
      : await plannedTargets(session, targets, wanted.realised);
    if (!wanted.realise) await tellMissing(session, built, wanted.from ?? store);
    paths = built.flatMap(({ outputs }) => [...outputs.values()]);
  }
  if (wanted.closure !== true) return [...new Set(paths)];
  return sortByReferences(store, await computeClosure(store, paths));
}

/** Tells what building the targets that a store lacks would take, and which it neither has nor can get. */
async function tellMissing(session: EvaluationSession, planned: readonly BuiltTarget[], from: Store): Promise<void> {
  // Asked all at once: a cache behind a slow link answers many questions in the time of one.
  const valid = await from.queryValidPaths(planned.flatMap(({ outputs }) => [...outputs.values()]));
  const missing = planned.filter(
    ({ outputs }) => outputs.size === 0 || [...outputs.values()].some((path) => !valid.has(path)),
  );
  if (missing.length === 0) return;
  const plan = await session.builder.missing(missing.map(({ target }) => derivedPath(target)));
  await tellPlan(session, plan, true);
}

/**
 * Returns the realisations of the outputs that the command line's installables name, as `from` has them; none while
 * content-addressed derivations are not enabled.
 */
export async function realisationsOf(
  session: EvaluationSession,
  words: readonly string[],
  from: Store,
): Promise<wire.Realisation[]> {
  const { realisations } = from.offers;
  if (realisations === undefined || !hasFeature(session.settings, "ca-derivations")) return [];
  const store = await session.store();
  const hashes = new DerivationHashes(store);
  const found: wire.Realisation[] = [];
  for (const target of await session.installables.targets(session.installables.parse(words))) {
    if (target.kind !== "outputs" || !(await store.isValidPath(target.drvPath))) continue;
    const derivation = store.readDerivation(target.drvPath);
    if (derivationKind(derivation) === "impure") continue;
    for (const name of target.outputs === "*" ? derivation.outputs.keys() : target.outputs) {
      const realisation = await realisations.queryRealisation(hashes.outputId(derivation, name));
      if (realisation !== undefined) found.push(realisation);
    }
  }
  return found;
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
