/** `debian.lock.json`: a resolved, closed set of Debian packages and sources, pinned by SHA-256, naming no host. */
import { FirnError } from "@firn/formats";
import {
  type ArchiveAccess,
  type ForeignArchive,
  loadPackages,
  loadSources,
  type OpenSuite,
  openSuite,
  type SuiteSpec,
} from "./archive.ts";
import type { PackageIndex } from "./package-index.ts";
import { resolvePackages } from "./resolve.ts";

/** A file of the archive; `path` begins with the archive's name, so that `mirror://PATH` fetches it. */
export interface LockedFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** One locked binary package; `depends` names other packages of the same lock. */
export interface LockedPackage extends LockedFile {
  readonly version: string;
  readonly description: string;
  readonly depends: readonly string[];
  readonly essential?: true;
}

/** The lock file's content; see docs/debian.md for the meaning of each field. */
export interface DebianLock {
  readonly version: 1;
  readonly architecture: string;
  readonly suites: readonly {
    readonly archive: string;
    readonly suite: string;
    readonly components: readonly string[];
    readonly date: string;
    readonly inRelease: string;
  }[];
  /** Archives that are not Debian's, by the name that begins the paths of their files. */
  readonly archives?: Readonly<Record<string, ForeignArchive>>;
  readonly roots: readonly string[];
  readonly packages: Readonly<Record<string, LockedPackage>>;
  readonly sources: Readonly<Record<string, { readonly version: string; readonly files: Record<string, LockedFile> }>>;
}

/** The packages and suites to lock. */
export interface LockRequest {
  readonly suites: readonly SuiteSpec[];
  readonly packages: readonly string[];
  readonly sources: readonly string[];
  readonly archives?: Readonly<Record<string, ForeignArchive>>;
  /** Names of packages to choose where there is a choice. */
  readonly preferred?: ReadonlySet<string>;
}

/** Downloads the indices, resolves the request and returns the lock. Errors are those of these steps. */
export async function lockDebian(access: ArchiveAccess, request: LockRequest): Promise<DebianLock> {
  const suites = await Promise.all(request.suites.map((spec) => openSuite(access, spec)));
  const index = await loadPackages(access, suites);
  const sources = await loadSources(access, suites, new Set(request.sources));
  const lockedSources: Record<string, { version: string; files: Record<string, LockedFile> }> = {};
  for (const [name, source] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const files: Record<string, LockedFile> = {};
    for (const [file, entry] of source.files) files[file] = { ...entry, path: `${source.archive}/${entry.path}` };
    lockedSources[name] = { version: source.version, files };
  }
  return {
    version: 1,
    architecture: access.architecture,
    suites: lockSuites(suites),
    ...(request.archives === undefined ? {} : { archives: request.archives }),
    roots: [...new Set(request.packages)].sort(),
    packages: lockPackages(index, request.packages, request.preferred),
    sources: lockedSources,
  };
}

/** Returns the lock entries of suites. */
export function lockSuites(suites: readonly OpenSuite[]): DebianLock["suites"] {
  return suites.map(({ spec, release, inReleaseHash }) => ({ ...spec, date: release.date, inRelease: inReleaseHash }));
}

/** Returns the lock entries of the closure of `roots` in an index. Errors as {@link resolvePackages}. */
export function lockPackages(
  index: PackageIndex,
  roots: readonly string[],
  preferred?: ReadonlySet<string>,
): Record<string, LockedPackage> {
  const locked: Record<string, LockedPackage> = {};
  for (const [name, { package: entry, depends }] of resolvePackages(index, roots, preferred)) {
    locked[name] = {
      version: entry.version,
      path: `${entry.archive}/${entry.path}`,
      sha256: entry.sha256,
      size: entry.size,
      description: entry.description,
      depends,
      ...(entry.essential ? { essential: true as const } : {}),
    };
  }
  return locked;
}

/** Prints the lock as the bytes of its file: two-space JSON with a final newline. */
export function printDebianLock(lock: DebianLock): string {
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** Parses a lock file. Fails with `deb-lock` when it is not one, or is of a later version. */
export function parseDebianLock(text: string): DebianLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FirnError("deb-lock", "the Debian lock file is not JSON", { cause });
  }
  if (!isLock(value)) {
    throw new FirnError("deb-lock", "the Debian lock file is not of version 1", {
      hint: "write it again with 'firn deb lock'",
    });
  }
  return value;
}

function isLock(value: unknown): value is DebianLock {
  if (typeof value !== "object" || value === null) return false;
  const lock = value as Partial<Record<keyof DebianLock, unknown>>;
  return (
    lock.version === 1 &&
    typeof lock.architecture === "string" &&
    Array.isArray(lock.suites) &&
    Array.isArray(lock.roots) &&
    typeof lock.packages === "object" &&
    typeof lock.sources === "object"
  );
}
