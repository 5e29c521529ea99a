/** Locks a flake: computes its lock graph, and writes flake.lock when it changed and may be written. */

import { dirname, join } from "node:path";
import {
  git,
  localRepository,
  mercurial,
  mercurialWorkTree,
  nameOf,
  stringAttribute,
  withRepository,
} from "@firn/fetch";
import { byteStringOf, FirnError, makeFixedOutputPath, parseHash, traced } from "@firn/formats";
import { existsSync, readFileSync, renameSync, writeFileSync } from "@firn/store/files";
import { type FlakeRef, showFlakeRef } from "../refs/reference.ts";
import {
  type FlakeContext,
  fetchRef,
  loadFlake,
  readFlake,
  shownLockedRef,
  storedFlake,
} from "../source/flake-source.ts";
import { workTreeOf } from "../source/work-tree.ts";
import type { LockRequest, TreePlace } from "./compute.ts";
import { type ComputedLockFile, computeLockFile } from "./compute-lock-file.ts";
import type { FlakeSource } from "./flake-description.ts";
import { describeChanges, type GraphNode, type LockedNode, unlockedInput } from "./graph.ts";

/** Options of locking. */
export interface LockOptions extends LockRequest {
  /** False with `--no-update-lock-file`: a needed change is an error. */
  readonly update: boolean;
  /** False with `--no-write-lock-file`: a needed change is kept in memory. */
  readonly write: boolean;
  readonly useRegistries: boolean;
  readonly commit: boolean;
  readonly commitSummary: string;
  readonly referenceFile?: string;
  readonly outputFile?: string;
  readonly allowDirtyLocks: boolean;
  /** True to fail with `lock-not-writable` when an input is not locked, instead of a warning. */
  readonly failOnUnlocked: boolean;
  /** True when evaluation is impure. */
  readonly impure?: boolean;
  readonly warnDirty: boolean;
  warn(text: string): void;
  /** Receives the settings of the flake's `nixConfig`, before its inputs are fetched. */
  applyConfig?(nixConfig: FlakeSource["nixConfig"]): Promise<void>;
  /** True to read the flake where it lies, if that is on this machine. */
  readonly inPlace?: boolean;
}

/** A locked flake, ready to be called. */
export interface LockedFlake {
  readonly flake: FlakeSource;
  readonly root: GraphNode;
  readonly lockText: string;
  readonly keys: ReadonlyMap<GraphNode, string>;
  /** Trees that locking fetched, by node. */
  readonly places: ReadonlyMap<GraphNode, TreePlace>;
  /** True when the lock differs from the file of the flake and was not to be written: no revision describes the flake then. */
  readonly isChanged: boolean;
}

/** Returns the default options: write changes, use registries. */
export function defaultLockOptions(warn: (text: string) => void): LockOptions {
  return {
    overrides: [],
    updates: [],
    recreate: false,
    allowUnlocked: true,
    update: true,
    write: true,
    useRegistries: true,
    commit: false,
    commitSummary: "",
    allowDirtyLocks: false,
    failOnUnlocked: false,
    warnDirty: true,
    warn,
  };
}

/** Locks the flake of a reference. Errors as of fetching and computing; messages in the reference's words. */
export async function lockFlake(context: FlakeContext, ref: FlakeRef, options: LockOptions): Promise<LockedFlake> {
  const top = { registries: options.useRegistries ? "all" : "none", inPlace: options.inPlace ?? false } as const;
  let flake = await loadFlake(context, ref, top);
  await options.applyConfig?.(flake.nixConfig);
  const { referenceFile } = options;
  const referenceText =
    referenceFile !== undefined && existsSync(referenceFile) ? readFileSync(referenceFile, "latin1") : undefined;
  const oldText = referenceFile === undefined ? flake.lockText : referenceText;
  const loaded = flake;
  const shown = (): Promise<string> => shownLockedRef(context, loaded);
  if (referenceFile !== undefined && !context.fetch.allowDirty) {
    const text = "reference lock file was provided, but the `allow-dirty` setting is set to false";
    throw traced(new FirnError("bad-lock-file", text), `while updating the lock file of flake '${await shown()}'`);
  }
  const computed = await tracedLock(
    shown,
    computeLockFile(flake, oldText, {
      request: options,
      shown,
      shownLockFile: () => shownLockFile(context, loaded),
      context: {
        getFlake: (input, registries) =>
          loadFlake(context, input, { registries: options.useRegistries ? registries : "none" }),
        getRelativeFlake: (input, place) =>
          readFlake(context, { originalRef: input, resolvedRef: input, lockedRef: input, place }),
        getTree: async (input) => {
          const fetched = await fetchRef(context, input, options.useRegistries ? "limited" : "none");
          return { lockedRef: fetched.lockedRef, place: { storePath: fetched.storePath, dir: "" } };
        },
        warn: options.warn,
        impure: options.impure ?? false,
      },
    }),
  );
  const { root, keys, lockText, changed } = computed;
  if (changed || options.outputFile !== undefined) {
    const written = await tracedLock(shown, writeLock(ref, { computed, options }));
    // The tree stays what was fetched, without the new lock file, as in the reference.
    if (written) flake = { ...flake, lockText };
  }
  const places = new Map(computed.places).set(root, { storePath: flake.storePath, dir: flake.dir });
  return { flake, root, lockText, keys, places, isChanged: changed && !options.write };
}

async function tracedLock<Result>(shown: () => Promise<string>, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw traced(error, `while updating the lock file of flake '${await shown()}'`);
  }
}

/** Returns a locked flake with its tree in the store. Fails as fetching does. */
export async function storedLock(context: FlakeContext, locked: LockedFlake): Promise<LockedFlake> {
  const flake = await storedFlake(context, locked.flake);
  if (flake === locked.flake) return locked;
  const places = new Map<GraphNode, TreePlace>();
  for (const [node, place] of locked.places) {
    const isOwn = place.storePath === locked.flake.storePath;
    places.set(node, isOwn ? { ...place, storePath: flake.storePath } : place);
  }
  return { ...locked, flake, places };
}

/** Returns the store path of an input's tree, fetched unless locking has fetched it. Fails as fetching does. */
export async function fetchLockedTree(context: FlakeContext, locked: LockedFlake, node: LockedNode): Promise<string> {
  const place = locked.places.get(node);
  if (place !== undefined) return place.storePath;
  return (await fetchRef(context, node.lockedRef, "none")).storePath;
}

/** Returns the path that the tree of a locked reference has in the store, valid or not; undefined when the lock does not tell. */
export function lockedTreePath({ input }: FlakeRef, storeDir: string): string | undefined {
  const narHash = stringAttribute(input, "narHash");
  if (narHash === undefined) return undefined;
  return makeFixedOutputPath({ method: "nar", hash: parseHash(narHash, "sha256") }, { name: nameOf(input), storeDir });
}

interface LockChange {
  readonly computed: ComputedLockFile;
  readonly options: LockOptions;
}

/** Writes the lock if that is allowed; returns true when the flake's own tree changed. */
async function writeLock(ref: FlakeRef, change: LockChange): Promise<boolean> {
  const { options } = change;
  const { lockText, old, root } = change.computed;
  const differences = describeChanges(old, root);
  const shown = showFlakeRef(ref);
  if (!options.write) {
    options.warn(`not writing modified lock file of flake '${shown}':\n${differences}`);
    return false;
  }
  const directory = localDirectory(ref);
  if (directory === undefined && options.outputFile === undefined) {
    throw new FirnError(
      "lock-not-writable",
      `cannot write modified lock file of flake '${shown}' (use '--no-write-lock-file' to ignore)`,
    );
  }
  const unlocked = unlockedInput(root);
  if (unlocked !== undefined && !options.allowDirtyLocks) {
    const reason = `writing lock file of flake '${shown}' because it has an unlocked input ('${showFlakeRef(unlocked)}')`;
    if (options.failOnUnlocked) {
      const text = `Not ${reason}. Use '--allow-dirty-locks' to allow this anyway.`;
      throw new FirnError("lock-not-writable", text);
    }
    if (options.warnDirty) options.warn(`not ${reason}`);
    return false;
  }
  if (!options.update) {
    throw new FirnError(
      "lock-changed",
      `flake '${shown}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`,
    );
  }
  if (options.outputFile !== undefined) {
    if (options.commit) throw new FirnError("usage", "'--commit-lock-file' and '--output-lock-file' are incompatible");
    replaceFile(options.outputFile, lockText);
    return false;
  }
  const relative = ref.dir === "" ? "flake.lock" : `${ref.dir}/flake.lock`;
  const path = join(directory ?? "", relative);
  const existed = existsSync(path);
  if (!existed) options.warn(`creating lock file "${path}": \n${differences}`);
  else
    options.warn(differences === "" ? `updating lock file "${path}"` : `updating lock file "${path}":\n${differences}`);
  replaceFile(path, lockText);
  const type = ref.input.get("type");
  if (directory !== undefined && (type === "git" || type === "hg")) {
    const summary = options.commitSummary === "" ? `${relative}: ${existed ? "Update" : "Add"}` : options.commitSummary;
    const message = `${summary}\n\nFlake lock file updates:\n\n${byteStringOf(differences)}\n`;
    const add = type === "git" ? addToGit : addToMercurial;
    await add(directory, relative, options.commit ? message : undefined);
  }
  return true;
}

/** Lets Git know a file of a work tree, and commits it when there is a message. */
async function addToGit(directory: string, file: string, message: string | undefined): Promise<void> {
  await withRepository(directory, async ({ call }) => {
    await git({ ...call, args: ["add", "--intent-to-add", "--", file] });
    if (message === undefined) return;
    await git({ ...call, userConfiguration: true, args: ["commit", "--quiet", "-m", message, "--", file] });
  });
}

/** Does the same with Mercurial. */
async function addToMercurial(directory: string, file: string, message: string | undefined): Promise<void> {
  const path = join(directory, file);
  // A file that is known already is none of those that `add` may name.
  if ((await mercurial(["status", "-R", directory, "--unknown", path])).length > 0)
    await mercurial(["add", "-R", directory, path]);
  if (message !== undefined) await mercurial(["commit", "-R", directory, "-m", message, path]);
}

/** Returns the place of a flake's lock file as messages name it: in the user's work tree or in the store, else by the flake's reference. */
async function shownLockFile(context: FlakeContext, flake: FlakeSource): Promise<string> {
  const file = flake.dir === "" ? "flake.lock" : `${flake.dir}/flake.lock`;
  const workTree = workTreeOf(flake.resolvedRef);
  if (workTree !== undefined) return `${workTree}/${file}`;
  if (flake.lockedRef.input.get("type") === "path") return context.located.shownText(`${flake.storePath}/${file}`);
  return `${byteStringOf("«")}${showFlakeRef({ ...flake.lockedRef, dir: "" })}${byteStringOf("»")}/${file}`;
}

/** Returns the directory that a reference names on this machine, if it may be written: a work tree or a plain directory. */
function localDirectory(ref: FlakeRef): string | undefined {
  switch (ref.input.get("type")) {
    case "path":
      return stringAttribute(ref.input, "path");
    case "git":
      return ref.input.has("rev") || ref.input.has("ref") ? undefined : localRepository(ref.input);
    case "hg":
      return mercurialWorkTree(ref.input);
    default:
      return undefined;
  }
}

function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.flake.lock.tmp-${process.pid}`);
  writeFileSync(temporary, text, "latin1");
  renameSync(temporary, path);
}
