/**
 * A tree of links into several packages: the form of profiles and user environments. A directory becomes a real one where two
 * packages share it; of two files the lower priority number wins, and equal ones are a conflict.
 */

import type { Stats } from "node:fs";
import { FirnError } from "@firn/formats";
import { OpenDirectory } from "@firn/store";
import * as fs from "@firn/store/files";
import { findInput, type InputView } from "./input-path.ts";

/** One package to link; lower priority numbers win. */
export interface FarmPackage {
  readonly path: string;
  readonly active: boolean;
  readonly priority: number;
}

/** The directory in which the tree is made, and the store paths that may be linked. */
export interface FarmTarget extends InputView {
  /** An existing directory on this machine. */
  readonly out: string;
  log(line: string): void;
}

const SKIPPED = [
  "/propagated-build-inputs",
  "/nix-support",
  "/perllocal.pod",
  "/info/dir",
  "/log",
  "/manifest.nix",
  "/manifest.json",
];
const PROPAGATED_PRIORITY = 1000;

interface State extends FarmTarget {
  readonly priorities: Map<string, number>;
}

/** The failure of two packages of the same priority that have a file of one name. Code `collision`. */
export class FileCollision extends FirnError {
  /** The files, the earlier one first, at their places in the packages. */
  readonly files: readonly [string, string];
  readonly priority: number;

  constructor(files: readonly [string, string], priority: number) {
    const lines = files.map((file) => `  "${file}"`).join("\n");
    super("collision", `Unable to build profile. There is a conflict for the following files:\n\n${lines}\n`);
    this.files = files;
    this.priority = priority;
  }
}

/** Links packages and the packages that they propagate. Errors `collision`, `forbidden-path`. */
export function linkPackages(target: FarmTarget, packages: readonly FarmPackage[]): void {
  const { out } = target;
  const state: State = { ...target, priorities: new Map() };
  const into = OpenDirectory.open(out);
  try {
    linkAll(state, into, packages);
  } finally {
    into.close();
  }
}

function linkAll(state: State, into: OpenDirectory, packages: readonly FarmPackage[]): void {
  const { out } = state;
  const done = new Set<string>();
  let postponed = new Set<string>();
  const add = (path: string, priority: number): void => {
    if (done.has(path)) return;
    done.add(path);
    linkTree(state, { source: linkedPart(state, path), target: out, into, priority });
    const list = readOptional(state, `${path}/nix-support/propagated-user-env-packages`);
    for (const other of (list ?? "").split(/[ \n]+/)) if (other !== "" && !done.has(other)) postponed.add(other);
  };
  const ordered = [...packages].sort(
    (a, b) => a.priority - b.priority || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  );
  for (const item of ordered) if (item.active) add(item.path, item.priority);
  for (let priority = PROPAGATED_PRIORITY; postponed.size > 0; ) {
    const now = [...postponed].sort();
    postponed = new Set();
    for (const path of now) add(path, priority++);
  }
}

/** Returns the part of a package that is linked: of a tree that is a whole /usr, what it has for profiles. */
function linkedPart(state: State, path: string): string {
  // The package itself has to be readable, whatever is in it.
  findInput(state, path);
  const has = (file: string): boolean => !leadsOut(state, file) && findInput(state, file) !== undefined;
  const part = `${path}/nix-support/profile`;
  return has(`${path}/nix-support/usr-root`) && has(part) ? part : path;
}

/** The file that a path of a package leads to in the end; undefined when nothing is there. */
function statusOf(state: State, path: string): Stats | undefined {
  return findInput(state, path)?.status;
}

/** Tells whether a link in a package leads to a path that may not be read; such a link is linked unchanged. */
function leadsOut(state: State, path: string): boolean {
  try {
    findInput(state, path);
    return false;
  } catch (error) {
    if (error instanceof FirnError && error.code === "forbidden-path") return true;
    throw error;
  }
}

/** A directory of a package to link. */
interface Job {
  readonly source: string;
  /** The directory that its entries go to, by its path and held open. */
  readonly target: string;
  readonly into: OpenDirectory;
  readonly priority: number;
}

/** An entry of a package to link. */
interface Entry extends Job {
  /** Its name in `into`; `target` is its path. */
  readonly name: string;
}

function linkTree(state: State, job: Job): void {
  const found = findInput(state, job.source);
  if (found === undefined) throw new FirnError("path-not-found", `path '${job.source}' does not exist`);
  if (!found.status.isDirectory()) {
    state.log(`not including "${job.source}" in the user environment because it's not a directory`);
    return;
  }
  const names = fs.readdirSync(found.real, { encoding: "latin1" }).sort();
  for (const name of names) {
    if (name.startsWith(".")) continue;
    const source = `${job.source}/${name}`;
    const target = `${job.target}/${name}`;
    const out = leadsOut(state, source);
    const stat = out ? undefined : statusOf(state, source);
    if (stat === undefined && !out) {
      state.log(`skipping dangling symlink '${target}'`);
      continue;
    }
    if (SKIPPED.some((suffix) => source.endsWith(suffix))) continue;
    if (linkOver(state, { ...job, source, target, name }, stat?.isDirectory() === true)) continue;
    job.into.symlink(source, name);
    state.priorities.set(target, job.priority);
  }
}

/** Handles an existing file at the target; returns true when nothing is left to link. */
function linkOver(state: State, job: Entry, directory: boolean): boolean {
  const { into, name } = job;
  const old = into.find(name);
  if (old === undefined) return false;
  if (directory) {
    if (old.isDirectory()) {
      linkInside(state, job, [job]);
      return true;
    }
    const earlier = into.readlink(name);
    if (leadsOut(state, earlier) || statusOf(state, earlier)?.isDirectory() !== true) {
      throw new FirnError("collision", `collision between "${job.source}" and non-directory "${earlier}"`);
    }
    into.unlink(name);
    into.mkdir(name, 0o755);
    linkInside(state, job, [{ source: earlier, priority: state.priorities.get(job.target) ?? 0 }, job]);
    return true;
  }
  if (old.isDirectory()) {
    throw new FirnError("collision", `collision between non-directory '${job.source}' and directory '${job.target}'`);
  }
  const earlier = state.priorities.get(job.target) ?? 0;
  if (earlier === job.priority) {
    throw new FileCollision([into.readlink(name), job.source], job.priority);
  }
  if (earlier < job.priority) return true;
  into.unlink(name);
  return false;
}

/** Links directories into the existing one at an entry. */
function linkInside(state: State, entry: Entry, packages: readonly Pick<Job, "source" | "priority">[]): void {
  const into = entry.into.openDirectory(entry.name);
  try {
    for (const { source, priority } of packages) linkTree(state, { source, priority, target: entry.target, into });
  } finally {
    into.close();
  }
}

function readOptional(state: State, path: string): string | undefined {
  const found = findInput(state, path);
  return found?.status.isFile() === true ? fs.readFileSync(found.real, "latin1") : undefined;
}
