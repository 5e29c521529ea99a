/** Checks a local store against its database, and repairs it. */

import { equalHashes, isStorePath, printHash, toNix32 } from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { lock, openLockFile } from "../locks/flock.ts";
import type { PathFacts } from "../store/paths.ts";
import type { OutputRegistry } from "../store/registering.ts";
import type { VerifyOptions } from "../store/upkeep.ts";
import type { PathWriter } from "../store/writing.ts";
import { hashTrees } from "./hash-trees.ts";
import type { LocalInternals } from "./internals.ts";

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
        if (!(await repaired(path, options))) errors = true;
      }
    }
    if (options.checkContents === true) {
      say("info", "checking link hashes...");
      if (!(await checkLinks(store, options, say))) errors = true;
      say("info", "checking store hashes...");
      if (!(await checkContents(store, valid, { ...options, say }))) errors = true;
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
  paths: readonly string[],
  options: VerifyOptions & { readonly say: Say },
): Promise<boolean> {
  const infos = paths.flatMap((path) => store.database.pathInfo(path) ?? []);
  const trees = infos.map(({ path, narSize }) => ({ real: store.realPath(path), size: narSize }));
  let good = true;
  let index = 0;
  for await (const current of hashTrees(trees)) {
    const { path, narHash } = infos[index++]!;
    if ("error" in current) {
      if (!hasErrorCode(current.error, "ENOENT")) throw current.error;
      options.say("error", `path '${path}' is missing`);
    } else if (equalHashes(current.hash, narHash)) continue;
    else {
      options.say(
        "error",
        `path '${path}' was modified! expected hash '${printHash(narHash, "nix32")}', got '${printHash(current.hash, "nix32")}'`,
      );
    }
    if (!(await repaired(path, options))) good = false;
  }
  return good;
}

/** Fetches a good copy of a path from one of `substituters`; returns false when none has it. */
export async function repairPath(
  store: PathWriter & PathFacts & Pick<OutputRegistry, "isTrusted">,
  path: string,
  substituters: readonly PathFacts[],
): Promise<boolean> {
  const own = await store.queryPathInfo(path);
  for (const substituter of substituters) {
    const info = await substituter.queryPathInfo(path);
    if (info === undefined || !store.isTrusted(info)) continue;
    if (own !== undefined && !equalHashes(info.narHash, own.narHash)) continue;
    await store.addToStore(own ?? info, substituter.narFromPath(path), { repair: true });
    return true;
  }
  return false;
}

async function repaired(path: string, { repair }: VerifyOptions): Promise<boolean> {
  return (await repair?.(path)) ?? false;
}

type Say = (level: "info" | "error", text: string) => void;

/** Compares the files of `.links` with the hashes that name them; returns false when a wrong one stays. */
async function checkLinks(store: LocalInternals, options: VerifyOptions, say: Say): Promise<boolean> {
  const directory = `${store.location.realStoreDir}/.links`;
  const names = fs.readdirSync(directory, { encoding: "latin1" });
  let good = true;
  let index = 0;
  for await (const current of hashTrees(names.map((name) => ({ real: `${directory}/${name}`, size: 0 })))) {
    const name = names[index++]!;
    if ("error" in current) throw current.error;
    const file = `${directory}/${name}`;
    const found = toNix32(current.hash.bytes);
    if (found === name) continue;
    say("error", `link "${file}" was modified! expected hash '${name}', got '${found}'`);
    if (options.repair === undefined) good = false;
    else {
      disk.unlink(file);
      say("info", `removed link "${file}"`);
    }
  }
  return good;
}
