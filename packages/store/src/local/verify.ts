/** Checks a local store against its database, and repairs or optimises it. */
import fs from "node:fs";
import { createHasher, equalHashes, type Hash, isStorePath, type PathInfo, printHash, toNix32 } from "@firn/formats";
import { disk, fsPath, hasErrorCode } from "../fs/disk.ts";
import { dumpPath } from "../fs/dump.ts";
import { lock, openLockFile } from "../locks/flock.ts";
import type { Store } from "../store.ts";
import type { LocalStore } from "./local-store.ts";

/** What to check; `substituters` give good copies when repairing. */
export interface VerifyOptions {
  readonly checkContents?: boolean;
  readonly repair?: boolean;
  readonly substituters?: readonly Store[];
}

/** The NAR hash and size of a tree on disk. */
export function hashTree(real: string): { hash: Hash; size: number } {
  const hasher = createHasher("sha256");
  let size = 0;
  for (const chunk of dumpPath(real)) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: { algorithm: "sha256", bytes: hasher.digest() }, size };
}

/** Whether a valid path is on disk as registered. */
export function isIntact(store: LocalStore, info: PathInfo): boolean {
  const real = store.realPath(info.path);
  if (fs.lstatSync(fsPath(real), { throwIfNoEntry: false }) === undefined) return false;
  return equalHashes(hashTree(real).hash, info.narHash);
}

/** Verifies the whole store; problems are told as messages. Returns true when errors remain. */
export async function verifyStore(store: LocalStore, options: VerifyOptions = {}): Promise<boolean> {
  const say = (level: "info" | "error", text: string): void => store.events({ kind: "message", level, text });
  const fd = openLockFile(`${store.location.stateDir}/gc.lock`);
  let errors = false;
  try {
    await lock(fd, "read");
    say("info", "reading the Nix store...");
    const onDisk = new Set(fs.readdirSync(fsPath(store.location.realStoreDir), { encoding: "latin1" }));
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

function invalidateTree(store: LocalStore, path: string, missing: ReadonlySet<string>): void {
  for (const referrer of store.database.referrers(path)) {
    if (referrer !== path && missing.has(referrer)) invalidateTree(store, referrer, missing);
  }
  store.invalidatePath(path);
}

async function checkContents(
  store: LocalStore,
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

/** Fetches a good copy of a path from one of `substituters`; false when none has it. */
export async function repairPath(store: LocalStore, path: string, substituters: readonly Store[]): Promise<boolean> {
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

/** What optimising saved. */
export interface OptimiseResult {
  readonly filesLinked: number;
  readonly bytesFreed: number;
}

/** Replaces equal files by hard links to one file in `.links`, as the reference does. */
export function optimiseStore(store: LocalStore, paths: Iterable<string>): OptimiseResult {
  let filesLinked = 0;
  let bytesFreed = 0;
  const links = `${store.location.realStoreDir}/.links`;
  const visit = (real: string): void => {
    const stat = fs.lstatSync(fsPath(real));
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(fsPath(real), { encoding: "latin1" })) visit(`${real}/${name}`);
      return;
    }
    if (!stat.isFile() || (stat.mode & 0o222) !== 0 || stat.size === 0) return;
    const link = `${links}/${toNix32(hashTree(real).hash.bytes)}`;
    const known = fs.lstatSync(fsPath(link), { throwIfNoEntry: false });
    if (known === undefined) {
      try {
        disk.link(real, link);
      } catch (error) {
        // The file has as many links as its file system allows, or another process was first.
        if (!hasErrorCode(error, "EEXIST", "EMLINK", "ENOSPC")) throw error;
      }
      return;
    }
    if (known.ino === stat.ino || known.size !== stat.size) return;
    replaceByLink(link, real);
    filesLinked++;
    bytesFreed += stat.nlink === 1 ? stat.blocks * 512 : 0;
  };
  for (const path of paths) if (store.database.isValid(path)) visit(store.realPath(path));
  return { filesLinked, bytesFreed };
}

function replaceByLink(link: string, real: string): void {
  const directory = real.slice(0, real.lastIndexOf("/"));
  const stat = fs.lstatSync(fsPath(directory));
  const unlock = (stat.mode & 0o200) === 0;
  const temporary = `${directory}/.tmp-link-${process.pid}`;
  if (unlock) disk.chmod(directory, stat.mode | 0o200);
  try {
    disk.link(link, temporary);
    disk.rename(temporary, real);
  } catch (error) {
    if (!hasErrorCode(error, "EMLINK")) throw error;
  } finally {
    if (unlock) {
      disk.chmod(directory, stat.mode & 0o7777);
      disk.setMtime(directory, 1);
    }
  }
}
