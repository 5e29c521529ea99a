/** Builds the targets of a command line: shows the plan first, then builds, then tells the paths. */
import { existsSync, lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { resolve } from "node:path";
import type { DerivedPath, Missing } from "@firn/build";
import { derivationOutputPath, FirnError, isDerivationPath } from "@firn/formats";
import type { EvaluationSession, Target } from "./evaluation-session.ts";
import { mebibytes } from "./render/quantities.ts";

/** A target with its paths in the store. */
export interface BuiltTarget {
  readonly target: Target;
  /** By output name; a plain path is under `out`. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** The form that the builder takes. */
export function derivedPath(target: Target): DerivedPath {
  if (target.kind === "path") return { kind: "opaque", path: target.path };
  return { kind: "built", drvPath: target.drvPath, outputs: target.outputs };
}

/** Plans, shows the plan, builds. With `dryRun` only the plan is shown. */
export async function buildTargets(
  session: EvaluationSession,
  targets: readonly Target[],
  options: { readonly dryRun?: boolean; readonly mode?: "normal" | "check" | "repair" } = {},
): Promise<BuiltTarget[]> {
  const wanted = targets.map(derivedPath);
  const known = await alreadyBuilt(session, targets);
  if (options.mode === undefined && known !== undefined) return known;
  const plan = await session.builder.missing(wanted);
  session.progress.clear();
  for (const line of describePlan(plan)) session.io.err(`${line}\n`);
  if (options.dryRun === true) return plannedTargets(session, targets);
  const results = await session.builder.build(wanted, options.mode);
  return targets.map((target, i) => {
    const result = results[i];
    const outputs = target.kind === "path" ? new Map([["out", target.path]]) : (result?.outputs ?? new Map<string, string>());
    return { target, outputs };
  });
}

/** The targets' paths when everything is valid already: nothing has to be planned or asked of a cache. */
async function alreadyBuilt(session: EvaluationSession, targets: readonly Target[]): Promise<BuiltTarget[] | undefined> {
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

/** Output paths as the derivations say them, whether they exist or not. */
export async function plannedTargets(session: EvaluationSession, targets: readonly Target[]): Promise<BuiltTarget[]> {
  const store = await session.store();
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
        if (path !== undefined && (target.outputs === "*" || target.outputs.includes(name))) outputs.set(name, path);
      }
    } else if (isDerivationPath(target.drvPath) && (await store.isValidPath(target.drvPath))) {
      const derivation = store.readDerivation(target.drvPath);
      for (const name of target.outputs === "*" ? derivation.outputs.keys() : target.outputs) {
        const path = derivationOutputPath(derivation, name, store.storeDir);
        if (path !== undefined) outputs.set(name, path);
      }
    }
    planned.push({ target, outputs });
  }
  return planned;
}

/** The plan in the reference's words. */
export function describePlan(plan: Missing): string[] {
  const lines: string[] = [];
  const add = (paths: readonly string[], one: string, many: string): void => {
    if (paths.length === 0) return;
    lines.push(paths.length === 1 ? one : many.replace("%d", String(paths.length)));
    for (const path of paths) lines.push(`  ${path}`);
  };
  add(plan.willBuild, "this derivation will be built:", "these %d derivations will be built:");
  const sizes = `(${mebibytes(plan.downloadSize)} download, ${mebibytes(plan.narSize)} unpacked)`;
  add(plan.willSubstitute, `this path will be fetched ${sizes}:`, `these %d paths will be fetched ${sizes}:`);
  add(plan.unknown, "don't know how to build this path:", "don't know how to build these paths:");
  return lines;
}

/** Makes `result` links, registered as roots; names follow the reference: `result`, `result-1`, `result-dev`. */
export async function makeOutLinks(session: EvaluationSession, prefix: string, built: readonly BuiltTarget[]): Promise<void> {
  const store = await session.store();
  for (const [i, { outputs }] of built.entries()) {
    for (const [name, path] of outputs) {
      const link = resolve(session.io.cwd, `${prefix}${i === 0 ? "" : `-${i}`}${name === "out" ? "" : `-${name}`}`);
      replaceLink(link, path, store.storeDir);
      void store; // FIXME root
    }
  }
}

function replaceLink(link: string, target: string, storeDir: string): void {
  const present = lstatSync(link, { throwIfNoEntry: false });
  if (present !== undefined && !(present.isSymbolicLink() && readlinkSync(link).startsWith(storeDir))) {
    throw new FirnError("exists", `cannot create symlink '${link}'; already exists`);
  }
  if (present !== undefined && readlinkSync(link) === target) return;
  const temporary = `${link}.tmp-${process.pid}`;
  if (existsSync(temporary)) rmSync(temporary);
  symlinkSync(target, temporary);
  renameSync(temporary, link);
}
