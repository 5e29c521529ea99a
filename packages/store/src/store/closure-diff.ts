/** The packages of closures by name and version, and what differs between two. */
import { parseDrvName, storePathName } from "@firn/formats";
import { computeClosure, requirePathInfo } from "./closure.ts";
import type { PathFacts } from "./paths.ts";

/** The paths of one package: versions, and the sizes of all in bytes. */
interface PackageVersions {
  readonly versions: ReadonlySet<string>;
  readonly size: number;
}

/** Returns the packages of a path's closure by name. Error `invalid-path`. */
async function closureVersions(store: PathFacts, path: string): Promise<ReadonlyMap<string, PackageVersions>> {
  const packages = new Map<string, { versions: Set<string>; size: number }>();
  for (const member of await computeClosure(store, [path])) {
    const { name, version } = parseDrvName(withoutOutput(storePathName(member)));
    const known = packages.get(name) ?? { versions: new Set(), size: 0 };
    known.versions.add(version);
    known.size += (await requirePathInfo(store, member)).narSize;
    packages.set(name, known);
  }
  return packages;
}

/** Returns a name without what is probably the name of an output at its end. */
function withoutOutput(name: string): string {
  return /^(.*)-(?:[a-z]+|lib32|lib64)$/s.exec(name)?.[1] ?? name;
}

/** A package that differs: versions that went, versions that came, and the difference of sizes in bytes. */
export interface PackageChange {
  readonly name: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly sizeChange: number;
}

/** Changes of size below this many bytes are left out where no version differs. */
export const notableSize = 8 * 1024;

const nothing: PackageVersions = { versions: new Set(), size: 0 };

/** Returns the packages that differ between two closures, sorted by name. Error `invalid-path`. */
export async function closureDiff(store: PathFacts, before: string, after: string): Promise<PackageChange[]> {
  const [old, next] = [await closureVersions(store, before), await closureVersions(store, after)];
  const changes: PackageChange[] = [];
  for (const name of [...new Set([...old.keys(), ...next.keys()])].sort()) {
    const [a, b] = [old.get(name) ?? nothing, next.get(name) ?? nothing];
    const removed = [...a.versions].filter((version) => !b.versions.has(version)).sort();
    const added = [...b.versions].filter((version) => !a.versions.has(version)).sort();
    const sizeChange = b.size - a.size;
    if (removed.length + added.length === 0 && Math.abs(sizeChange) < notableSize) continue;
    changes.push({ name, removed, added, sizeChange });
  }
  return changes;
}
