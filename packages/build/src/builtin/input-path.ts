/** Finds files of a build's inputs. Every link on the way is followed here, and only into store paths that the build may read. */

import type { Stats } from "node:fs";
import { FirnError } from "@firn/formats";
import { hasErrorCode, type PathFacts, type StoreFiles } from "@firn/store";
import * as fs from "@firn/store/files";

const MAX_LINKS = 40;

/** A store of which some paths may be read. */
export interface InputView {
  readonly store: PathFacts & StoreFiles;
  /** Tells whether a store path (logical, without anything below it) may be read. */
  allows(storePath: string): boolean;
}

/** A file that was found: its place on disk, with no symbolic link left in the path, and its type. */
export interface InputFile {
  readonly real: string;
  readonly status: Stats;
}

/**
 * Finds the file to which an absolute logical path leads after following links; undefined when nothing is there. Error
 * `forbidden-path` when it lies outside.
 */
export function findInput(view: InputView, path: string): InputFile | undefined {
  const { storeDir } = view.store;
  const outside = (): FirnError =>
    new FirnError("forbidden-path", `'${path}' is not in an input of the derivation`, {
      hint: "a builder may only read valid store paths that the derivation has as inputs",
    });
  const store = storeDir.split("/").filter((name) => name !== "");
  const todo = path.split("/").reverse();
  if (!path.startsWith("/")) throw outside();
  const names: string[] = [];
  let links = 0;
  let found: InputFile | undefined;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      names.pop();
      found = undefined;
      continue;
    }
    names.push(name);
    if (names.length <= store.length) {
      if (name !== store[names.length - 1]) throw outside();
      continue;
    }
    if (!view.allows(`${storeDir}/${names[store.length]}`)) throw outside();
    const real = `${view.store.location.realStoreDir}/${names.slice(store.length).join("/")}`;
    const status = statusOf(real);
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink()) {
      found = { real, status };
      continue;
    }
    links++;
    if (links > MAX_LINKS) return undefined;
    const target = fs.readlinkSync(real, { encoding: "latin1" });
    names.pop();
    if (target.startsWith("/")) names.length = 0;
    todo.push(...target.split("/").reverse());
    found = undefined;
  }
  if (names.length <= store.length) throw outside();
  return found ?? findInput(view, `/${names.join("/")}`);
}

/** Tells whether something has this name in a directory of an input, be it a link that leads nowhere. */
export function isThere(view: InputView, path: string): boolean {
  if (view.allows(path)) return true;
  const slash = path.lastIndexOf("/");
  try {
    const parent = findInput(view, path.slice(0, slash));
    return parent?.status.isDirectory() === true && statusOf(`${parent.real}/${path.slice(slash + 1)}`) !== undefined;
  } catch (error) {
    if (error instanceof FirnError && error.code === "forbidden-path") return false;
    throw error;
  }
}

function statusOf(real: string): Stats | undefined {
  try {
    return fs.lstatSync(real);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
