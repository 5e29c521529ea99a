/** Packages that the arguments of `nix-env` select, and what its operations share. */
import { resolve } from "node:path";
import {
  type ExpressionContext,
  followLinksToStore,
  loadExpressions,
  Package,
  selectPackages,
  type ValueRef,
} from "@firn/flake";
import {
  type DerivedPath,
  derivationOutputPath,
  FirnError,
  isDerivationPath,
  parseStorePath,
  splitStorePath,
} from "@firn/formats";
import { defaultExpressions, type ProfilePlaces } from "@firn/store";
import { installedPackages } from "@firn/system";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { describePlan } from "../targets/build-targets.ts";

/** A session of an operation that reads or changes packages. */
export interface EnvironmentSession extends EvaluationSession {
  readonly places: ProfilePlaces;
  /** Path of the profile. */
  readonly profile: string;
}

/** Prints a line that `--quiet` hides. */
export function tell(session: EnvironmentSession, text: string): void {
  session.progress.event({ kind: "message", level: "info", text });
}

/** Returns the packages of a profile. */
export async function installedIn(session: EnvironmentSession, profile: string): Promise<Package[]> {
  const { evaluator } = await session.evaluation();
  return installedPackages({ evaluator, store: await session.store() }, profile);
}

/** Returns the value of the default expression, or of that of `--file`. */
async function rootExpression(session: EnvironmentSession): Promise<ValueRef> {
  const evaluation = await session.evaluation();
  const context: ExpressionContext = {
    evaluator: evaluation.evaluator,
    store: await session.store(),
    warn: (text) => session.progress.warn(text),
  };
  const file = session.invocation.flags.value("file");
  const path = file === undefined ? defaultExpressions(session.places) : await evaluation.fileArgument(file);
  return loadExpressions(context, path);
}

/** Returns the packages of the default expression, or of an attribute in it, for the system of `--system-filter`. */
export async function availablePackages(session: EnvironmentSession, attrPath: string): Promise<Package[]> {
  const autoArgs = await session.installables.autoArguments();
  const root = await (await rootExpression(session)).select(attrPath, autoArgs);
  const found = await Package.find(root, { prefix: attrPath, autoArgs, skipFailed: true });
  const filter = session.invocation.flags.value("system-filter") ?? "*";
  if (filter === "*") return found;
  const kept: Package[] = [];
  for (const item of found) if ((await item.system()) === filter) kept.push(item);
  return kept;
}

/** Returns the packages that the arguments select; with `newest` one of each name. Error `no-results`. */
export async function selectedPackages(
  session: EnvironmentSession,
  options: { readonly newest: boolean },
): Promise<Package[]> {
  const { flags, positionals } = session.invocation;
  const select = (packages: readonly Package[]): Promise<Package[]> =>
    selectPackages(packages, positionals, {
      warn: (text) => session.progress.warn(text),
      ...(options.newest ? { newest: { system: session.settings.get("system") } } : {}),
    });
  const kind = flags.last("from-expression", "from-profile", "attr");
  switch (kind) {
    case "from-expression":
      return fromExpressions(session);
    case "from-profile":
      return select(await installedIn(session, resolve(session.io.cwd, flags.value("from-profile") ?? "")));
    case "attr":
      return fromAttributes(session);
    case undefined:
      if (positionals[0]?.includes("/") === true) return fromStorePaths(session);
      return select(await availablePackages(session, ""));
  }
}

async function fromExpressions(session: EnvironmentSession): Promise<Package[]> {
  const { evaluator } = await session.evaluation();
  const autoArgs = await session.installables.autoArguments();
  const root = await rootExpression(session);
  const found: Package[] = [];
  for (const text of session.invocation.positionals) {
    const make = await evaluator.evaluate({ kind: "string", text, directory: session.io.cwd });
    found.push(...(await Package.find(await make.call(root), { autoArgs, skipFailed: true })));
  }
  return found;
}

async function fromAttributes(session: EnvironmentSession): Promise<Package[]> {
  const autoArgs = await session.installables.autoArguments();
  const root = await rootExpression(session);
  const found: Package[] = [];
  for (const path of session.invocation.positionals)
    found.push(...(await Package.find(await root.select(path, autoArgs), { autoArgs, skipFailed: true })));
  return found;
}

async function fromStorePaths(session: EnvironmentSession): Promise<Package[]> {
  const store = await session.store();
  const found: Package[] = [];
  for (const word of session.invocation.positionals) {
    const path = storePathOf(session, word, store.storeDir);
    if (!isDerivationPath(path)) {
      found.push(Package.ofStorePath(path, path));
      continue;
    }
    const known = await store.queryDerivationOutputs(path);
    const outPath = known.get("out") ?? derivationOutputPath(store.readDerivation(path), "out", store.storeDir);
    if (outPath === undefined) throw new FirnError("no-output", `derivation '${path}' has no output 'out'`);
    found.push(Package.ofStorePath(path, outPath));
  }
  return found;
}

/** Returns the store path that an argument is, lies in, or links to. Error `not-in-store`. */
export function storePathOf(session: EnvironmentSession, word: string, storeDir: string): string {
  const path = resolve(session.io.cwd, word);
  const found = followLinksToStore(path, storeDir);
  if (found === undefined) throw new FirnError("not-in-store", `path "${path}" is not in the Nix store`);
  return parseStorePath(splitStorePath(found, storeDir).storePath, storeDir);
}

/** Shows what building packages would fetch and build. */
export async function showPlan(session: EnvironmentSession, packages: readonly Package[]): Promise<void> {
  const wanted: DerivedPath[] = [];
  for (const item of packages) wanted.push(await derivedPathOf(item));
  const store = await session.store();
  const plan = await session.builder.missing(wanted);
  session.progress.clear();
  const readDerivation = (path: string) => store.readDerivation(path);
  for (const line of describePlan(plan, { all: true, readDerivation })) tell(session, line);
}

/** Returns a package for builders: all outputs of its derivation, or its path. */
export async function derivedPathOf(item: Package): Promise<DerivedPath> {
  const drvPath = await item.drvPath();
  return drvPath === undefined
    ? { kind: "opaque", path: await item.outPath() }
    : { kind: "built", drvPath, outputs: "*" };
}

/** Tells whether a package needs no build: it is valid, or in a cache. */
export async function isPrebuilt(session: EnvironmentSession, path: string): Promise<boolean> {
  if (await (await session.store()).isValidPath(path)) return true;
  return (await substitutable(session, [path])).has(path);
}

/** Returns those of the paths that a cache has. */
export async function substitutable(
  session: EnvironmentSession,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  return paths.length === 0 ? new Set() : session.builder.substitutable(paths);
}
