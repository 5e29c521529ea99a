/**
 * A tree of links into several packages: what profiles and user environments are. A directory becomes a real one where
 * two packages share it; of two files the lower priority number wins, and equal ones are a conflict.
 */
import fs from "node:fs";
import { FirnError } from "@firn/formats";
import { disk, fsPath, hasErrorCode } from "@firn/store";
import { findInput, type InputView } from "./input-path.ts";

/** One package to link; lower priority numbers win. */
export interface FarmPackage {
  readonly path: string;
  readonly active: boolean;
  readonly priority: number;
}

/** Where the tree is made, and from which store paths. */
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

/** Links packages and what they propagate. Errors `collision`, `forbidden-path`. */
export function linkPackages(target: FarmTarget, packages: readonly FarmPackage[]): void {
  const { out } = target;
  const state: State = { ...target, priorities: new Map() };
  const done = new Set<string>();
  let postponed = new Set<string>();
  const add = (path: string, priority: number): void => {
    if (done.has(path)) return;
    done.add(path);
    linkTree(state, { source: path, target: out, priority });
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

/** What a path of a package is in the end; undefined when nothing is there. */
function statusOf(state: State, path: string): fs.Stats | undefined {
  return findInput(state, path)?.status;
}

/** Whether a link in a package leads where nothing may be read: it is linked as it is, whatever lies there. */
function leadsOut(state: State, path: string): boolean {
  try {
    findInput(state, path);
    return false;
  } catch (error) {
    if (error instanceof FirnError && error.code === "forbidden-path") return true;
    throw error;
  }
}

interface Job {
  readonly source: string;
  readonly target: string;
  readonly priority: number;
}

function linkTree(state: State, job: Job): void {
  const found = findInput(state, job.source);
  if (found === undefined) throw new FirnError("path-not-found", `path '${job.source}' does not exist`);
  if (!found.status.isDirectory()) {
    state.log(`not including "${job.source}" in the user environment because it's not a directory`);
    return;
  }
  const names = fs.readdirSync(fsPath(found.real), { encoding: "latin1" }).sort();
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
    if (linkOver(state, { source, target, priority: job.priority }, stat?.isDirectory() === true)) continue;
    disk.symlink(source, target);
    state.priorities.set(target, job.priority);
  }
}

/** Deals with what already stands at the target; true when nothing is left to link. */
function linkOver(state: State, job: Job, directory: boolean): boolean {
  let old: fs.Stats;
  try {
    old = fs.lstatSync(fsPath(job.target));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
  if (directory) {
    if (old.isDirectory()) {
      linkTree(state, job);
      return true;
    }
    const earlier = fs.readlinkSync(fsPath(job.target), { encoding: "latin1" });
    if (leadsOut(state, earlier) || statusOf(state, earlier)?.isDirectory() !== true) {
      throw new FirnError("collision", `collision between "${job.source}" and non-directory "${earlier}"`);
    }
    disk.unlink(job.target);
    disk.mkdir(job.target, 0o755);
    linkTree(state, { source: earlier, target: job.target, priority: state.priorities.get(job.target) ?? 0 });
    linkTree(state, job);
    return true;
  }
  if (old.isDirectory()) {
    throw new FirnError("collision", `collision between non-directory '${job.source}' and directory '${job.target}'`);
  }
  const earlier = state.priorities.get(job.target) ?? 0;
  if (earlier === job.priority) {
    const file = fs.readlinkSync(fsPath(job.target), { encoding: "latin1" });
    throw new FirnError(
      "collision",
      `Unable to build profile. There is a conflict for the following files:\n\n  ${file}\n  ${job.source}\n`,
    );
  }
  if (earlier < job.priority) return true;
  disk.unlink(job.target);
  return false;
}

function readOptional(state: State, path: string): string | undefined {
  const found = findInput(state, path);
  return found?.status.isFile() === true ? fs.readFileSync(fsPath(found.real), "latin1") : undefined;
}
