/** The manifest of a profile: `manifest.json` read, changed and made into a new tree of links. */

import { join } from "node:path";
import { linkPackages } from "@firn/build";
import type { Package } from "@firn/flake";
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
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  temporaryParent,
  writeFileSync,
} from "@firn/store/files";

/** Elements by name. */
export type Manifest = ReadonlyMap<string, ProfileElement>;

/** The store of profiles, and the evaluator of those that `nix-env` has made. */
export interface ProfileReader {
  readonly store: PathFacts & SourceWriter & StoreFiles;
  /** Returns the packages of a profile of `nix-env`; when absent, such a profile is an error. */
  installedPackages?(profile: string): Promise<readonly Package[]>;
}

/**
 * Reads the manifest of a profile, or of one of its generations; an absent profile is empty, and packages of `nix-env` become
 * plain store paths. Errors `bad-manifest`, `bad-profile`.
 */
export async function readManifest(reader: ProfileReader, directory: string | undefined): Promise<Manifest> {
  if (directory === undefined) return new Map();
  const { storeDir } = reader.store;
  const root = directory.startsWith(`${storeDir}/`) ? reader.store.realPath(directory) : directory;
  if (existsSync(join(root, "manifest.json"))) {
    const file = join(root, "manifest.json");
    return naming(`cannot read the profile manifest '${file}'`, "go back with 'firn profile rollback'", () =>
      parseProfileManifest(readFileSync(file, "latin1"), (element, taken) => freeName(taken, elementName(element))),
    );
  }
  // A link into the store, which may be elsewhere on disk.
  if (lstatSync(join(root, "manifest.nix"), { throwIfNoEntry: false }) === undefined) return new Map();
  if (reader.installedPackages === undefined) {
    throw new FirnError(
      "bad-profile",
      `profile '${directory}' is incompatible with 'nix profile'; please use 'nix-env' instead`,
    );
  }
  const manifest = new Map<string, ProfileElement>();
  for (const item of await reader.installedPackages(directory)) {
    const element = { storePaths: [await item.outPath()], active: true, priority: defaultPriority };
    manifest.set(freeName(manifest, elementName(element)), element);
  }
  return manifest;
}

/** Returns a name that no element has: the wanted one, or the same with a number. */
export function freeName(manifest: Manifest, wanted: string): string {
  let name = wanted;
  for (let n = 1; manifest.has(name); n++) name = `${wanted}-${n}`;
  return name;
}

/** The priority of elements that have none of their own. */
export const defaultPriority = 5;

/** Returns what an element is called in messages: its flake with the attribute, or the names of its packages. */
export function elementIdentifier({ originalUrl, attrPath, outputs, storePaths }: ProfileElement): string {
  if (originalUrl !== undefined)
    return `${originalUrl}#${attrPath ?? ""}${outputs === undefined ? "" : `^${outputs.join(",")}`}`;
  const names = storePaths.map((path) => parseDrvName(storePathName(path)).name);
  return [...new Set(names)].sort().join(", ");
}

/** Returns the words that name an element on a command line. */
export function elementInstallables(element: ProfileElement): readonly string[] {
  return element.originalUrl === undefined ? element.storePaths : [elementIdentifier(element)];
}

/**
 * Returns the name of an element: the last part of its attribute path, for defaults the name of the flake's directory or
 * repository, and for plain store paths the names of their packages.
 */
export function elementName(element: ProfileElement): string {
  if (element.originalUrl === undefined) return elementIdentifier(element);
  const { attrPath = "", originalUrl } = element;
  const dir = /[?&]dir=([^&]+)/.exec(originalUrl)?.[1];
  if (dir !== undefined) return dir;
  const last = attrPath.split(".").at(-1) ?? "";
  if (last !== "" && last !== "default" && !attrPath.startsWith("defaultPackage.")) return last;
  const path = originalUrl.replace(/\?.*$/, "");
  const forge = /^(?:github|gitlab|sourcehut):[^/]+\/([^/]+)/.exec(path)?.[1];
  const directory = path
    .split("/")
    .filter((part) => part !== "")
    .at(-1);
  return forge ?? directory?.replace(/\.(git|tar\..*|zip)$/, "") ?? elementIdentifier(element);
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

/** Returns the versions of an element's store paths: `2.10`, with `ε` for a path without one. */
export function elementVersions(element: ProfileElement): string {
  const versions = new Set(element.storePaths.map((path) => parseDrvName(storePathName(path)).version || "ε"));
  return [...versions].sort().join(", ");
}

/** Describes the changes between two manifests, one line each: `hello: 2.10 -> 2.12`. */
export function describeManifestChange(before: Manifest, after: Manifest): string[] {
  const lines: string[] = [];
  const shown = (element: ProfileElement | undefined): string =>
    element === undefined ? "∅" : elementVersions(element);
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(name), after.get(name)];
    const named = now ?? old;
    if (named === undefined) continue;
    const [from, to] = [shown(old), shown(now)];
    const identifier = elementIdentifier(old ?? named);
    if (from !== to) lines.push(`${identifier}: ${from} -> ${to}`);
    else if (old?.storePaths.join() !== now?.storePaths.join()) lines.push(`${identifier}: ${from} (rebuilt)`);
  }
  return lines;
}
