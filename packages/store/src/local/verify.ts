/** Checks a local store against its database, and repairs it. */

import { equalHashes, type Hash, isStorePath, type PathInfo, printHash } from "@firn/formats";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { lock, openLockFile } from "../locks/flock.ts";
import type { PathFacts } from "../store/paths.ts";
import type { LocalInternals } from "./internals.ts";
import { hashTree, type OptimiseResult } from "./optimise.ts";

/** Options of checking; `substituters` provide good copies for repairs. */
export interface VerifyOptions {
  readonly checkContents?: boolean;
  readonly repair?: boolean;
  readonly substituters?: readonly PathFacts[];
}

/** Tells whether a valid path is on disk as registered. */
export function isIntact(store: LocalInternals, info: PathInfo): boolean {
  const real = store.realPath(info.path);
  if (fs.lstatSync(real, { throwIfNoEntry: false }) === undefined) return false;
  return equalHashes(hashTree(real).hash, info.narHash);
}

/** Verifies the whole store; reports problems as messages. Returns true when errors remain. */
export async function verifyStore(store: LocalInternals, options: VerifyOptions = {}): Promise<boolean> {
  const say = (level: "info" | "error", text: string): void => store.events({ kind: "message", level, text });
  const fd = openLockFile(`${store.location.stateDir}/gc.lock`);
  let errors = false;
  try {
    await lock(fd, "read");
    say("info", "reading the Nix store...");
    const onDisk = new Set(fs.readdirSync(store.location.realStoreDir, { encoding: "latin1" }));
    say("info", "checking path existence...");
    const valid: string[] = [];
    const missing = new Set<string>();
    for (const path of store.database.allValidPaths()) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (!isStorePath(path, store.storeDir) || !onDisk.has(name)) missing.add(path);
      else valid.push(path);
    }
    for (const path of missing) {
      const kept = store.database.referrers(path).filter((referrer) => !missing.has(referrer));
      if (kept.length === 0) {
        say("info", `path '${path}' disappeared, removing from database...`);
        invalidateTree(store, path, missing);
      } else {
        say("error", `path '${path}' disappeared, but it still has valid referrers!`);
        if (options.repair !== true || !(await repairPath(store, path, options.substituters ?? []))) errors = true;
      }
    }
    if (options.checkContents === true) {
      say("info", "checking store hashes...");
      for (const path of valid) if (!(await checkContents(store, path, { ...options, say }))) errors = true;
    }
  } finally {
    fs.closeSync(fd);
  }
  return errors;
}

function invalidateTree(store: LocalInternals, path: string, missing: ReadonlySet<string>): void {
  for (const referrer of store.database.referrers(path)) {
    if (referrer !== path && missing.has(referrer)) invalidateTree(store, referrer, missing);
  }
  store.invalidatePath(path);
}

async function checkContents(
  store: LocalInternals,
  path: string,
  options: VerifyOptions & { say: (level: "info" | "error", text: string) => void },
): Promise<boolean> {
  const info = store.database.pathInfo(path);
  if (info === undefined) return true;
  let current: { hash: Hash; size: number };
  try {
    current = hashTree(store.realPath(path));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
  if (equalHashes(current.hash, info.narHash)) return true;
  options.say(
    "error",
    `path '${path}' was modified! expected hash '${printHash(info.narHash, "nix32")}', got '${printHash(current.hash, "nix32")}'`,
  );
  return options.repair === true && repairPath(store, path, options.substituters ?? []);
}

/** Fetches a good copy of a path from one of `substituters`; returns false when none has it. */
export async function repairPath(
  store: LocalInternals,
  path: string,
  substituters: readonly PathFacts[],
): Promise<boolean> {
  const own = store.database.pathInfo(path);
  for (const substituter of substituters) {
    const info = await substituter.queryPathInfo(path);
    if (info === undefined || !store.isTrusted(info)) continue;
    if (own !== undefined && !equalHashes(info.narHash, own.narHash)) continue;
    await store.addToStore(own ?? info, substituter.narFromPath(path), { repair: true });
    return true;
  }
  store.events({ kind: "message", level: "error", text: `don't know how to repair '${path}'` });
  return false;
}

/** Replaces equal files of these paths by hard links; returns the savings. */
export function optimiseStore(store: LocalInternals, paths: Iterable<string>): OptimiseResult {
  return store.optimise(paths);
}
