/** Builds the targets of a command line: shows the plan first, then builds, then prints the paths. */
import { resolve } from "node:path";
import { DerivationSource } from "@firn/build";
import type { Target } from "@firn/flake";
import { derivedPath } from "@firn/flake";
import { type Derivation, derivationKind, derivationOutputPath, isDerivationPath, showSize } from "@firn/formats";
import {
  DerivationHashes,
  hasFeature,
  type Missing,
  type Store,
  type StoreLocation,
  sortTopologically,
} from "@firn/store";
import { mebibytes } from "../render/quantities.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import type { Session } from "../session/session.ts";

/** A target with its paths in the store. */
export interface BuiltTarget {
  readonly target: Target;
  /** Paths by output name; a plain path is under `out`. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Plans, shows the plan, builds and returns the built targets. With `dryRun` only the plan is shown. */
export async function buildTargets(
  session: EvaluationSession,
  targets: readonly Target[],
  options: { readonly dryRun?: boolean; readonly mode?: "normal" | "check" | "repair" } = {},
): Promise<BuiltTarget[]> {
  const wanted = targets.map(derivedPath);
  const known = await alreadyBuilt(session, targets);
  if (options.mode === undefined && known !== undefined) return known;
  const plan = await session.builder.missing(wanted);
  await tellPlan(session, plan, options.dryRun === true || session.invocation.flags.has("verbose"));
  if (options.dryRun === true) return plannedTargets(session, targets);
  session.progress.expect({ builds: plan.willBuild.length, copies: plan.willSubstitute.length });
  const results = await session.builder.build(wanted, options.mode);
  return targets.map((target, i) => {
    const result = results[i];
    const outputs =
      target.kind === "path" ? new Map([["out", target.path]]) : (result?.outputs ?? new Map<string, string>());
    return { target, outputs };
  });
}

/** Prints what would be built and fetched; `all` for every path. */
export async function tellPlan(session: EvaluationSession, plan: Missing, all: boolean): Promise<void> {
  session.progress.clear();
  const derivations = new DerivationSource(await session.store(), await session.evalStore());
  const readDerivation = (path: string): Derivation => derivations.readDerivation(path);
  for (const line of describePlan(plan, { all, readDerivation })) session.io.err(`${line}\n`);
}

/** Returns the targets' paths when all are valid already, so that nothing has to be planned or queried from a cache. */
async function alreadyBuilt(
  session: EvaluationSession,
  targets: readonly Target[],
): Promise<BuiltTarget[] | undefined> {
  // Building also records realisations, where those are in use.
  if (hasFeature(session.settings, "ca-derivations")) return undefined;
  const planned = await plannedTargets(session, targets);
  const store = await session.store();
  for (const { target, outputs } of planned) {
    if (target.kind === "outputs" && outputs.size === 0) return undefined;
    for (const path of outputs.values()) {
      await store.addTempRoot(path);
      if (!(await store.isValidPath(path))) return undefined;
    }
  }
  return planned;
}

/**
 * Returns output paths from the derivations, whether they are valid or not; those that are only known after building are as
 * `realised` (by default the session's store) knows them, or absent.
 */
export async function plannedTargets(
  session: EvaluationSession,
  targets: readonly Target[],
  realised?: Store,
): Promise<BuiltTarget[]> {
  const store = await session.evalStore();
  const { realisations } = (realised ?? (await session.store())).offers;
  const hashes = new DerivationHashes(store);
  const planned: BuiltTarget[] = [];
  for (const target of targets) {
    if (target.kind === "path") {
      planned.push({ target, outputs: new Map([["out", target.path]]) });
      continue;
    }
    const outputs = new Map<string, string>();
    const facts = target.facts;
    if (facts !== undefined) {
      for (const { name, path } of facts.outputs) {
        // A path that is only known after building has a placeholder instead.
        if (
          path?.startsWith(`${store.storeDir}/`) === true &&
          (target.outputs === "*" || target.outputs.includes(name))
        )
          outputs.set(name, path);
      }
    } else if (isDerivationPath(target.drvPath) && (await store.isValidPath(target.drvPath))) {
      const derivation = store.readDerivation(target.drvPath);
      for (const name of target.outputs === "*" ? derivation.outputs.keys() : target.outputs) {
        const path = derivationOutputPath(derivation, name, store.storeDir);
        if (path !== undefined) outputs.set(name, path);
      }
    }
    if (outputs.size === 0 && isDerivationPath(target.drvPath) && (await store.isValidPath(target.drvPath))) {
      const derivation = store.readDerivation(target.drvPath);
      for (const name of target.outputs === "*" ? derivation.outputs.keys() : target.outputs) {
        if (derivationKind(derivation) === "impure") continue;
        const realisation = await realisations?.queryRealisation(hashes.outputId(derivation, name));
        if (realisation !== undefined) outputs.set(name, realisation.outPath);
      }
    }
    planned.push({ target, outputs });
  }
  return planned;
}

/** Length above which lists of paths are cut on a terminal; `--dry-run` and `--verbose` show all. */
const shownPaths = 12;

/** Describes the plan in the reference's words; files that derivations merely download or unpack are counted, not listed. */
export function describePlan(
  plan: Missing,
  options: { readonly all: boolean; readDerivation(path: string): Derivation },
): string[] {
  const lines: string[] = [];
  const add = (paths: readonly string[], one: string, many: string): void => {
    if (paths.length === 0) return;
    lines.push(paths.length === 1 ? one : many.replace("%d", String(paths.length)));
    const shown = options.all || paths.length <= shownPaths + 3 ? paths : paths.slice(0, shownPaths);
    for (const path of shown) lines.push(`  ${path}`);
    if (shown.length < paths.length) lines.push(`  … and ${paths.length - shown.length} more`);
  };
  const built: string[] = [];
  let downloads = 0;
  let downloadBytes = 0;
  let unpacked = 0;
  for (const path of buildOrder(plan.willBuild, options.readDerivation)) {
    const { builder, env } = options.readDerivation(path);
    if (builder === "builtin:fetchurl" && !options.all) {
      downloads++;
      downloadBytes += Number(env.get("downloadSize") ?? 0);
    } else if (builder === "builtin:unpack-deb" && !options.all) unpacked++;
    else built.push(path);
  }
  if (downloads > 0) {
    lines.push(
      `${downloads === 1 ? "this file" : `these ${downloads} files`} will be downloaded (${mebibytes(downloadBytes)})${unpacked > 0 ? ` and ${unpacked} packages unpacked` : ""}`,
    );
  } else if (unpacked > 0) lines.push(`${unpacked} packages will be unpacked`);
  add(built, "this derivation will be built:", "these %d derivations will be built:");
  const sizes = `(${showSize(plan.downloadSize)} download, ${showSize(plan.narSize)} unpacked)`;
  add(plan.willSubstitute, `this path will be fetched ${sizes}:`, `these %d paths will be fetched ${sizes}:`);
  return [...lines, ...unknownPaths(plan.unknown)];
}

/** Describes store paths that can neither be built nor fetched; nothing for none. */
function unknownPaths(paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : ["don't know how to build these paths:", ...paths.map((path) => `  ${path}`)];
}

/** Returns derivations in the order in which the reference lists them: each after those that it needs. */
function buildOrder(drvPaths: readonly string[], readDerivation: (path: string) => Derivation): string[] {
  const planned = new Set(drvPaths);
  const needs = (path: string): string[] =>
    [...readDerivation(path).inputDrvs.keys()].filter((input) => planned.has(input));
  return sortTopologically(drvPaths, needs);
}

/** Makes `result` links, registered as roots; names follow the reference: `result`, `result-1`, `result-dev`. */
export async function makeOutLinks(
  session: EvaluationSession,
  prefix: string,
  built: readonly BuiltTarget[],
): Promise<void> {
  const store = await session.store();
  for (const [i, { outputs }] of built.entries()) {
    for (const [name, path] of outputs) {
      const link = resolve(session.io.cwd, `${prefix}${i === 0 ? "" : `-${i}`}${name === "out" ? "" : `-${name}`}`);
      await store.addPermRoot(path, link);
    }
  }
  if (built.length > 0) tellOfMovedStore(session, store.location, resolve(session.io.cwd, prefix));
}

/** Says how to run what a link leads to when the user's own store was chosen, so that the link seems to lead nowhere. */
export function tellOfMovedStore(session: Session, location: StoreLocation, link: string): void {
  if (session.settings.get("store") !== "auto" || location.realStoreDir === location.storeDir) return;
  const text = `the store is in '${location.realStoreDir}'; run programs of '${link}' with '${session.invocation.mainProgram} run ${link}/bin/NAME'`;
  session.progress.event({ kind: "message", level: "notice", text });
}
