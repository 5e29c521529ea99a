/** Differences between two systems: packages, units, users, files of `/etc`, kernel, size of the closure. */

import { compareVersions, parseDrvName } from "@firn/formats";
import { computeClosure, type PathFacts, requirePathInfo, type StoreFiles } from "@firn/store";
import { readFileSync } from "@firn/store/files";
import type { TreeEntry } from "../generation/generation-tree.ts";
import { type System, systemFacts } from "../generation/system.ts";
import { compareUnits, declaredUnits, readUnit } from "./units.ts";

/** Names that are only after, only before, and in both with different values. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** A package whose versions or size differ; sizes in bytes. */
export interface PackageChange {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

/** All differences between two systems. */
export interface SystemDiff {
  readonly before: string;
  readonly after: string;
  readonly version: readonly [before: string | undefined, after: string | undefined];
  readonly kernel: readonly [before: string | undefined, after: string | undefined];
  readonly packages: readonly PackageChange[];
  readonly units: NameChanges;
  readonly users: NameChanges;
  readonly groups: NameChanges;
  readonly etc: NameChanges;
  /** Size of the whole closure as archives, in bytes. */
  readonly closureSize: readonly [before: number, after: number];
}

/** Compares two systems whose closures are in the store. Fails with `invalid-path` when they are not. */
export async function diffSystems(store: PathFacts & StoreFiles, before: System, after: System): Promise<SystemDiff> {
  const sizes = [await closureSizes(store, before.path), await closureSizes(store, after.path)] as const;
  const facts = [systemFacts(before.tree), systemFacts(after.tree)] as const;
  const users = [
    declaredAccounts(before, sizes[0].keys(), store),
    declaredAccounts(after, sizes[1].keys(), store),
  ] as const;
  return {
    before: before.path,
    after: after.path,
    version: [facts[0].version, facts[1].version],
    kernel: [facts[0].kernel, facts[1].kernel],
    packages: packageChanges(packagesOf(before, sizes[0]), packagesOf(after, sizes[1])),
    units: changedUnits(before, after),
    users: nameChanges(users[0].users, users[1].users, (a, b) => a === b),
    groups: nameChanges(users[0].groups, users[1].groups, (a, b) => a === b),
    etc: changedEtc(before, after),
    closureSize: [sum(sizes[0].values()), sum(sizes[1].values())],
  };
}

/** Returns the files of `/etc` that differ, without units, which are compared by their settings. */
export function changedEtc(before: System, after: System): NameChanges {
  const files = (system: System): Map<string, TreeEntry> =>
    new Map([...system.tree.files("etc")].filter(([path]) => !path.startsWith("systemd/system/")));
  return nameChanges(files(before), files(after), sameEntry);
}

/** Returns declared units that are added, removed, or have other settings. */
export function changedUnits(before: System, after: System): NameChanges {
  const units = (system: System) =>
    new Map(declaredUnits(system.tree).map((name) => [name, readUnit(system.tree, name)] as const));
  return nameChanges(units(before), units(after), (a, b) => {
    if (a?.kind !== "settings" || b?.kind !== "settings") return a?.kind === b?.kind;
    return compareUnits(a.settings, b.settings) === "none";
  });
}

/** Compares two maps by name. */
export function nameChanges<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
  same: (a: Value, b: Value) => boolean,
): NameChanges {
  const changed: string[] = [];
  for (const [name, value] of after) {
    if (before.has(name) && !same(before.get(name) as Value, value)) changed.push(name);
  }
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).sort(),
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
    changed: changed.sort(),
  };
}

function sameEntry(a: TreeEntry, b: TreeEntry): boolean {
  if (a.kind === "outside" || b.kind === "outside") {
    return a.kind === "outside" && b.kind === "outside" && a.target === b.target;
  }
  if (a.real === b.real) return true;
  if (a.kind !== "file" || b.kind !== "file") return a.kind === b.kind;
  return a.size === b.size && a.executable === b.executable && readFileSync(a.real).equals(readFileSync(b.real));
}

/** Returns the size of each path of a closure as an archive. */
async function closureSizes(store: PathFacts & StoreFiles, path: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const member of await computeClosure(store, [path])) {
    sizes.set(member, Number((await requirePathInfo(store, member)).narSize ?? 0));
  }
  return sizes;
}

/** Versions and sizes by package name. */
type Packages = Map<string, { readonly versions: Map<string, number> }>;

/** Returns the packages of a system: from its own manifest where it is Firn's, else from the names of the closure's paths. */
function packagesOf(system: System, sizes: ReadonlyMap<string, number>): Packages {
  const packages: Packages = new Map();
  const add = (name: string, version: string, size: number): void => {
    const entry = packages.get(name) ?? { versions: new Map<string, number>() };
    entry.versions.set(version, (entry.versions.get(version) ?? 0) + size);
    packages.set(name, entry);
  };
  if (system.manifest !== undefined) {
    for (const { name, version, size } of system.manifest.packages) add(name, version, size ?? 0);
    return packages;
  }
  for (const [path, size] of sizes) {
    const { name, version } = parseDrvName(path.replace(/^.*\/[0-9a-z]{32}-/, ""));
    add(name, version, size);
  }
  return packages;
}

function packageChanges(before: Packages, after: Packages): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const old = before.get(name)?.versions ?? new Map<string, number>();
    const now = after.get(name)?.versions ?? new Map<string, number>();
    const sizeBefore = sum(old.values());
    const sizeAfter = sum(now.values());
    const versions = (of: ReadonlyMap<string, number>): string[] => [...of.keys()].sort(compareVersions);
    const same = old.size === now.size && [...old.keys()].every((version) => now.has(version));
    if (!same || (sizeBefore !== sizeAfter && Math.abs(sizeAfter - sizeBefore) >= smallestSizeChange)) {
      changes.push({ name, before: versions(old), after: versions(now), sizeBefore, sizeAfter });
    }
  }
  return changes;
}

/** Bytes by which a package of the same version must grow or shrink to be listed, as in the reference's diff-closures. */
const smallestSizeChange = 8 * 1024;

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Returns users and groups, each with a text of all properties that matter. */
function declaredAccounts(
  system: System,
  closure: Iterable<string>,
  store: PathFacts & StoreFiles,
): { readonly users: Map<string, string>; readonly groups: Map<string, string> } {
  const users = new Map<string, string>();
  const groups = new Map<string, string>();
  if (system.manifest !== undefined) {
    for (const [name, user] of system.manifest.users) users.set(name, JSON.stringify(user));
    for (const [name, gid] of system.manifest.groups) groups.set(name, String(gid));
    return { users, groups };
  }
  // NixOS gives its activation script a file of all accounts.
  const file = [...closure].find((path) => /-users-groups\.json$/.test(path));
  if (file === undefined) return { users, groups };
  const json = JSON.parse(readFileSync(store.realPath(file), "latin1")) as Record<"users" | "groups", unknown>;
  for (const [kind, into] of [
    ["users", users],
    ["groups", groups],
  ] as const) {
    const list = json[kind];
    if (!Array.isArray(list)) continue;
    for (const entry of list as readonly unknown[]) {
      if (typeof entry === "object" && entry !== null && "name" in entry)
        into.set(String(entry.name), JSON.stringify(entry));
    }
  }
  return { users, groups };
}
