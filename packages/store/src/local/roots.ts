/** Garbage collector roots: links in the state directory, indirect ones, profiles, running programs. */

import path from "node:path";
import { canonicalPath, digestOf, FirnError, isStorePath, splitStorePath, toNix32 } from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import type { Roots } from "../store/roots.ts";
import type { LocalInternals } from "./internals.ts";
import { addRoot, runtimeRoots } from "./runtime-roots.ts";

/** Makes `link` a link to `storePath` that keeps it alive, registering it as an indirect root. Error `bad-root`. */
export async function addPermRoot(store: LocalInternals, storePath: string, link: string): Promise<string> {
  const absolute = canonicalPath(link);
  checkNewRoot(absolute, store.storeDir);
  await store.addTempRoot(storePath);
  const inside = absolute.startsWith(`${store.location.stateDir}/`);
  disk.mkdirs(path.posix.dirname(absolute));
  disk.replaceSymlink(storePath, absolute);
  if (!inside) addIndirectRoot(store, absolute);
  return absolute;
}

/** Refuses a new root inside the store, or in the place of a file that is no link into it. Error `bad-root`. */
export function checkNewRoot(absolute: string, storeDir: string): void {
  if (absolute.startsWith(`${storeDir}/`)) {
    throw new FirnError(
      "bad-root",
      `creating a garbage collector root (${absolute}) in the Nix store is forbidden (are you running nix-build inside the store?)`,
    );
  }
  const existing = fs.lstatSync(absolute, { throwIfNoEntry: false });
  if (existing !== undefined) {
    const target = existing.isSymbolicLink() ? fs.readlinkSync(absolute, { encoding: "latin1" }) : "";
    if (!target.startsWith(`${storeDir}/`)) {
      throw new FirnError("bad-root", `cannot create symlink "${absolute}"; already exists`);
    }
  }
}

/** Registers a link outside the state directory as a root, for as long as it exists. */
export function addIndirectRoot(store: LocalInternals, link: string): void {
  const directory = `${store.location.stateDir}/gcroots/auto`;
  disk.mkdirs(directory);
  disk.replaceSymlink(link, `${directory}/${toNix32(digestOf("sha1", link))}`);
}

/**
 * Returns all permanent and runtime roots whose paths are valid. Dead links of indirect roots are removed. Calls `unreadable`
 * for each directory of the state directory that may hold roots and cannot be read. Errors of a daemon that is asked for runtime roots.
 */
export async function findRoots(
  store: LocalInternals,
  unreadable: (directory: string) => void = () => {},
): Promise<Roots> {
  const roots: Roots = new Map();
  for (const name of ["gcroots", "profiles"]) {
    const place = `${store.location.stateDir}/${name}`;
    // Either may have been moved elsewhere as a whole; links farther down are roots themselves.
    if (leadsToDirectory(place)) searchDirectory(store, place, { roots, unreadable });
  }
  const inUse =
    store.options.useRootsDaemon === true
      ? await (await import("./roots-daemon.ts")).rootsOfDaemon(store)
      : runtimeRoots(store);
  for (const [storePath, links] of inUse) for (const link of links) addRoot(roots, storePath, link);
  return roots;
}

function found(store: LocalInternals, link: string, target: string, roots: Roots): void {
  try {
    const { storePath } = splitStorePath(target, store.storeDir);
    if (store.database.isValid(storePath)) addRoot(roots, storePath, link);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
  }
}

/** Returns the place of a link's target on disk; in a chroot store absolute targets may be logical. */
function resolve(link: string, target: string): string {
  return target.startsWith("/") ? target : canonicalPath(`${path.posix.dirname(link)}/${target}`);
}

interface Search {
  readonly roots: Roots;
  readonly unreadable: (directory: string) => void;
}

/** Error codes of following a link that is broken in any way. */
const brokenLink = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"];

function leadsToDirectory(place: string): boolean {
  try {
    return fs.statSync(place).isDirectory();
  } catch (error) {
    if (!hasErrorCode(error, ...brokenLink)) throw error;
    return false;
  }
}

function searchDirectory(store: LocalInternals, place: string, how: Search): void {
  let names: string[];
  try {
    names = fs.readdirSync(place, { encoding: "latin1" });
  } catch (error) {
    if (hasErrorCode(error, "EACCES")) how.unreadable(place);
    else if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    return;
  }
  for (const name of names) search(store, `${place}/${name}`, how);
}

function search(store: LocalInternals, place: string, how: Search): void {
  try {
    const stat = fs.lstatSync(place);
    if (stat.isDirectory()) searchDirectory(store, place, how);
    else if (stat.isSymbolicLink()) searchLink(store, place, how.roots);
    else if (stat.isFile()) {
      const storePath = `${store.storeDir}/${path.posix.basename(place)}`;
      if (isStorePath(storePath, store.storeDir) && store.database.isValid(storePath))
        addRoot(how.roots, storePath, place);
    }
  } catch (error) {
    if (hasErrorCode(error, "EACCES")) how.unreadable(path.posix.dirname(place));
    else if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
  }
}

function searchLink(store: LocalInternals, link: string, roots: Roots): void {
  const target = fs.readlinkSync(link, { encoding: "latin1" });
  if (target.startsWith(`${store.storeDir}/`)) {
    found(store, link, target, roots);
    return;
  }
  const indirect = resolve(link, target);
  let second: string;
  try {
    if (!fs.lstatSync(indirect).isSymbolicLink()) return;
    second = fs.readlinkSync(indirect, { encoding: "latin1" });
  } catch (error) {
    if (!hasErrorCode(error, ...brokenLink)) throw error;
    const gone = hasErrorCode(error, "ENOENT", "ENOTDIR");
    if (gone && link.startsWith(`${store.location.stateDir}/gcroots/auto/`)) disk.unlink(link);
    return;
  }
  if (second.startsWith(`${store.storeDir}/`)) found(store, indirect, second, roots);
}
