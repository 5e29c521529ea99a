/**
 * The package index that `deb#…` resolves against: downloaded once, kept in the user's data directory and renewed only on
 * request. So the same name gives the same package until the user decides otherwise.
 */

import { dirname } from "node:path";
import { FirnError } from "@firn/formats";
import { disk } from "@firn/store";
import { existsSync, readFileSync } from "@firn/store/files";
import { type ArchiveAccess, loadPackages, openSuite, type SuiteSpec } from "./archive.ts";
import type { DebianLock } from "./lock.ts";
import { type DebPackage, emptyIndex, indexPackages, type PackageIndex } from "./package-index.ts";

/** A kept index and its origin. */
export interface SavedIndex {
  readonly architecture: string;
  readonly suites: DebianLock["suites"];
  readonly index: PackageIndex;
}

interface IndexFile {
  readonly version: 1;
  readonly architecture: string;
  readonly suites: DebianLock["suites"];
  readonly packages: readonly DebPackage[];
}

/** Reads a kept index; undefined when there is none or it is of another version. */
export function readSavedIndex(path: string): SavedIndex | undefined {
  if (!existsSync(path)) return undefined;
  const file = JSON.parse(readFileSync(path, "latin1")) as Partial<IndexFile>;
  if (file.version !== 1 || file.packages === undefined || file.suites === undefined) return undefined;
  const index = emptyIndex();
  indexPackages(index, file.packages);
  return { architecture: file.architecture ?? "amd64", suites: file.suites, index };
}

/** Downloads and verifies the suites and keeps the index at `path`. Errors of the archive, and `deb-no-suite`. */
export async function renewSavedIndex(
  path: string,
  access: ArchiveAccess,
  specs: readonly SuiteSpec[],
): Promise<SavedIndex> {
  if (specs.length === 0) {
    throw new FirnError("deb-no-suite", "no Debian suite is known: this machine's apt sources name none", {
      hint: "name one, e.g. 'firn deb lock --suite bookworm', with a mirror in the setting deb-mirrors",
    });
  }
  const opened = await Promise.all(specs.map((spec) => openSuite(access, spec)));
  const index = await loadPackages(access, opened);
  const suites = opened.map(({ spec, release, inReleaseHash }) => ({
    ...spec,
    date: release.date,
    inRelease: inReleaseHash,
  }));
  const file: IndexFile = {
    version: 1,
    architecture: access.architecture,
    suites,
    packages: [...index.packages.values()],
  };
  disk.mkdirs(dirname(path));
  disk.replaceFile(path, JSON.stringify(file));
  return { architecture: access.architecture, suites, index };
}
