/** Changes of a Debian lock: packages added while all others stay as they are, and what differs between two locks. */
import { type ArchiveAccess, loadPackages, openSuite } from "./archive.ts";
import { type DebianLock, type LockedPackage, lockPackages, lockSuites } from "./lock.ts";
import { type DebPackage, emptyIndex, indexPackages, type PackageIndex } from "./package-index.ts";
import { UnsatisfiableError } from "./resolve.ts";

/**
 * Adds packages to a lock. What it has already keeps its version, except where a new package needs another one. Errors are those of
 * locking.
 */
export async function addToLock(access: ArchiveAccess, old: DebianLock, names: readonly string[]): Promise<DebianLock> {
  const suites = await Promise.all(old.suites.map((spec) => openSuite(access, spec)));
  const index = await loadPackages(access, suites);
  const roots = [...new Set([...old.roots, ...names])].sort();
  return { ...old, suites: lockSuites(suites), roots, packages: extendPackages(index, old.packages, roots) };
}

/** Returns the entries of `roots` in an index, those of `locked` as they are as far as possible. */
export function extendPackages(
  index: PackageIndex,
  locked: Readonly<Record<string, LockedPackage>>,
  roots: readonly string[],
): Record<string, LockedPackage> {
  const pinned = new Map(Object.entries(locked));
  for (;;) {
    try {
      return lockPackages(withPinned(index, pinned), roots);
    } catch (error) {
      if (!(error instanceof UnsatisfiableError) || !unpin(pinned, error)) throw error;
    }
  }
}

/** Returns an index in which pinned packages have the locked version and need what the lock says. */
function withPinned(index: PackageIndex, pinned: ReadonlyMap<string, LockedPackage>): PackageIndex {
  const entries: DebPackage[] = [];
  for (const entry of index.packages.values()) if (!pinned.has(entry.name)) entries.push(entry);
  for (const [name, entry] of pinned) {
    const slash = entry.path.indexOf("/");
    const known = index.packages.get(name);
    entries.push({
      name,
      version: entry.version,
      archive: entry.path.slice(0, slash),
      path: entry.path.slice(slash + 1),
      size: entry.size,
      sha256: entry.sha256,
      depends: entry.depends.join(", "),
      provides: known?.provides ?? "",
      priority: known?.priority ?? "optional",
      essential: entry.essential === true,
      description: entry.description,
    });
  }
  const result = emptyIndex();
  indexPackages(result, entries);
  return result;
}

/** Lets go of the pinned packages that a dependency fails at, and of their siblings that depend on them. False when there are none. */
function unpin(pinned: Map<string, LockedPackage>, { entry, group }: UnsatisfiableError): boolean {
  const todo = [entry.name, ...group.map(({ name }) => name)];
  let found = false;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const gone = pinned.get(name);
    if (gone === undefined) continue;
    found = true;
    pinned.delete(name);
    // Packages of one source often need each other's exact version.
    for (const [other, { depends, version }] of pinned) {
      if (depends.includes(name) && version === gone.version) todo.push(other);
    }
  }
  return found;
}

/** A package that differs between two locks; a version is undefined where the lock lacks the package. */
export interface LockChange {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** True when the new version comes from an archive of security fixes. */
  readonly security: boolean;
}

/** Returns what differs between two locks: security fixes first, then by name. */
export function lockChanges(before: Partial<DebianLock>, after: DebianLock): LockChange[] {
  const changes: LockChange[] = [];
  const old = before.packages ?? {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(after.packages)])) {
    const [was, is] = [old[name], after.packages[name]];
    if (was?.version === is?.version && was?.sha256 === is?.sha256) continue;
    const security = was !== undefined && is?.path.startsWith("debian-security/") === true;
    changes.push({ name, before: was?.version, after: is?.version, security });
  }
  return changes.sort((a, b) => Number(b.security) - Number(a.security) || (a.name < b.name ? -1 : 1));
}
