/**
 * Chooses the packages that a set of roots needs: Depends and Pre-Depends, alternatives, virtual packages and versions, and
 * the Essential packages, which other packages rely on without naming them (Debian policy 3.8).
 */
import { didYouMean, FirnError, nearNames } from "@firn/formats";
import { type Dependency, parseDependencies } from "./control.ts";
import type { DebPackage, PackageIndex } from "./package-index.ts";
import { satisfies } from "./version.ts";

/** One chosen package and the chosen packages that fulfil its dependencies, sorted. */
export interface ResolvedPackage {
  readonly package: DebPackage;
  readonly depends: readonly string[];
}

/**
 * Resolves roots to a closed set, by package name. The result depends only on the index and the set of roots, not on
 * their order; where there is a choice, what is chosen already comes first, then `preferred` names. Fails with `deb-unknown-package` or `deb-unsatisfiable`.
 */
export function resolvePackages(
  index: PackageIndex,
  roots: readonly string[],
  preferred: ReadonlySet<string> = new Set(),
): Map<string, ResolvedPackage> {
  const chosen = new Set<string>();
  const queue: DebPackage[] = [];
  const choose = (entry: DebPackage): void => {
    if (chosen.has(entry.name)) return;
    chosen.add(entry.name);
    queue.push(entry);
  };
  for (const root of [...roots].sort()) choose(findRoot(index, root));
  for (const entry of index.packages.values()) if (entry.essential) choose(entry);
  // Environments have one /usr already; without this the alternative that converts a system would be chosen.
  const merged = index.packages.get("usr-is-merged");
  if (merged !== undefined) choose(merged);

  const resolved = new Map<string, ResolvedPackage>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const depends = new Set<string>();
    for (const group of parseDependencies(next.depends)) {
      const target = known(index, chosen, group) ?? known(index, preferred, group) ?? pick(index, chosen, group);
      if (target === undefined) throw new UnsatisfiableError(next, group);
      choose(target);
      if (target.name !== next.name) depends.add(target.name);
    }
    resolved.set(next.name, { package: next, depends: [...depends].sort() });
  }
  return new Map([...resolved].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function findRoot(index: PackageIndex, name: string): DebPackage {
  const found = index.packages.get(name) ?? provider(index, new Set(), { name });
  if (found !== undefined) return found;
  const near = nearNames(name, index.packages.keys());
  throw new FirnError("deb-unknown-package", `Debian package '${name}' does not exist in the locked index`, {
    hint: near.length > 0 ? didYouMean(near) : "try 'firn search deb#WORD'",
  });
}

/** Returns an alternative whose package, or whose provider, is among some names. */
function known(index: PackageIndex, names: ReadonlySet<string>, group: readonly Dependency[]): DebPackage | undefined {
  for (const dependency of group) {
    const entry = fitting(index, dependency);
    if (entry !== undefined && names.has(entry.name)) return entry;
    const offered = provider(index, names, dependency);
    if (offered !== undefined && names.has(offered.name)) return offered;
  }
  return undefined;
}

/** Returns the first real package that satisfies a dependency, else the best provider. */
function pick(index: PackageIndex, chosen: ReadonlySet<string>, group: readonly Dependency[]): DebPackage | undefined {
  for (const dependency of group) {
    const entry = fitting(index, dependency) ?? provider(index, chosen, dependency);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function fitting(index: PackageIndex, dependency: Dependency): DebPackage | undefined {
  const entry = index.packages.get(dependency.name);
  return entry !== undefined && satisfies(entry.version, dependency) ? entry : undefined;
}

const priorities = ["required", "important", "standard", "optional", "extra"];

function provider(index: PackageIndex, chosen: ReadonlySet<string>, dependency: Dependency): DebPackage | undefined {
  const candidates: DebPackage[] = [];
  for (const offer of index.providers.get(dependency.name) ?? []) {
    // A versioned dependency is met only by a versioned Provides (policy 7.5).
    if (dependency.version !== undefined && offer.version === undefined) continue;
    if (offer.version !== undefined && !satisfies(offer.version, dependency)) continue;
    const entry = index.packages.get(offer.by);
    if (entry !== undefined) candidates.push(entry);
  }
  const rank = (entry: DebPackage): number =>
    (chosen.has(entry.name) ? 0 : 10) + ((priorities.indexOf(entry.priority) + 6) % 6);
  candidates.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return candidates[0];
}

/** A dependency that nothing in the index fulfils: error `deb-unsatisfiable`. */
export class UnsatisfiableError extends FirnError {
  /** The package that has the dependency. */
  readonly entry: DebPackage;
  /** The alternatives of the dependency. */
  readonly group: readonly Dependency[];

  constructor(entry: DebPackage, group: readonly Dependency[]) {
    const wanted = group
      .map((d) => (d.relation === undefined ? d.name : `${d.name} (${d.relation} ${d.version})`))
      .join(" | ");
    super("deb-unsatisfiable", `Debian package '${entry.name}' depends on ${wanted}, which no suite offers`, {
      hint: "add the suite that has it to the lock (--suite), or renew the index",
    });
    this.entry = entry;
    this.group = group;
  }
}
