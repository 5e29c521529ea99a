/** The manifest of a profile: `manifest.json` read, changed and made into a new tree of links. */

import { join } from "node:path";
import { linkPackages } from "@firn/build";
import {
  FirnError,
  naming,
  type ProfileElement,
  parseDrvName,
  parseProfileManifest,
  printProfileManifest,
  storePathName,
} from "@firn/formats";
import { computeClosure, type PathFacts, type SourceWriter, type StoreFiles } from "@firn/store";
import { existsSync, mkdtempSync, readFileSync, rmSync, temporaryParent, writeFileSync } from "@firn/store/files";

/** Elements by name. */
export type Manifest = ReadonlyMap<string, ProfileElement>;

/** Reads the manifest of a profile, or of one of its generations; an absent profile is empty. */
export function readManifest(store: PathFacts & SourceWriter & StoreFiles, storePath: string | undefined): Manifest {
  if (storePath === undefined) return new Map();
  const root = store.realPath(storePath);
  if (existsSync(join(root, "manifest.json"))) {
    const file = join(root, "manifest.json");
    return naming(`cannot read the profile manifest '${file}'`, "go back with 'firn profile rollback'", () =>
      parseProfileManifest(readFileSync(file, "latin1")),
    );
  }
  if (existsSync(join(root, "manifest.nix"))) {
    throw new FirnError(
      "bad-profile",
      `profile '${storePath}' is incompatible with 'nix profile'; please use 'nix-env' instead`,
    );
  }
  return new Map();
}

/** Returns a name that no element has: the wanted one, or the same with a number. */
export function freeName(manifest: Manifest, wanted: string): string {
  let name = wanted;
  for (let n = 1; manifest.has(name); n++) name = `${wanted}-${n}`;
  return name;
}

/** Returns the name of an element that is a plain store path: its package name without version. */
export function storePathElementName(storePath: string): string {
  return parseDrvName(storePathName(storePath)).name;
}

/** Builds the tree of a manifest and adds it to the store; returns its path. Error `collision`. */
export async function buildProfile(
  store: PathFacts & SourceWriter & StoreFiles,
  manifest: Manifest,
  warn: (text: string) => void,
): Promise<string> {
  const directory = mkdtempSync(join(temporaryParent(), "firn-profile-"));
  try {
    const packages = [...manifest.values()].flatMap(({ storePaths, active, priority }) =>
      storePaths.map((path) => ({ path, active, priority })),
    );
    const readable = new Set(await computeClosure(store, new Set(packages.map(({ path }) => path))));
    linkPackages({ store, allows: (path) => readable.has(path), out: directory, log: warn }, packages);
    const sorted = new Map([...manifest].sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(join(directory, "manifest.json"), printProfileManifest(sorted), "latin1");
    const references = [...new Set(packages.map(({ path }) => path))].sort();
    return (await store.addPath(directory, { name: "profile", method: "nar", references })).path;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Returns the versions of an element's store paths, for comparisons: `2.10`, or "" when there is none. */
export function elementVersions(element: ProfileElement): string {
  return [...new Set(element.storePaths.map((path) => parseDrvName(storePathName(path)).version))].sort().join(", ");
}

/** Describes the changes between two manifests, one line each: `hello: 2.10 -> 2.12`. */
export function describeManifestChange(before: Manifest, after: Manifest): string[] {
  const lines: string[] = [];
  const shown = (element: ProfileElement | undefined): string =>
    element === undefined ? "∅" : elementVersions(element) || "ε";
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(name), after.get(name)];
    const [from, to] = [shown(old), shown(now)];
    if (from !== to) lines.push(`${name}: ${from} -> ${to}`);
    else if (old?.storePaths.join() !== now?.storePaths.join()) lines.push(`${name}: ${from} (rebuilt)`);
  }
  return lines;
}
