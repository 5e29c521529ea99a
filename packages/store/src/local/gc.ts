/**
 * The garbage collector. Builds continue beside it: it holds the collector's lock, listens on a socket for new temporary
 * roots, and deletes one path at a time between answers. A path first becomes invalid, then is deleted.
 */

import net from "node:net";
import { setImmediate as breathe } from "node:timers/promises";
import {
  FirnError,
  hashPartLength,
  interrupted,
  isDerivationPath,
  isStorePath,
  showSize,
  storePathBaseName,
  storePathHashPart,
} from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { machineError } from "../fs/machine-error.ts";
import { OpenDirectory } from "../fs/open-directory.ts";
import { removeEntry, removePath } from "../fs/remove.ts";
import { withSocketPath } from "../fs/socket-path.ts";
import { lock, openLockFile, tryLock } from "../locks/flock.ts";
import { sortTopologically } from "../store/closure.ts";
import type { GcOptions, GcResult } from "../store/roots.ts";
import { type TestVariable, testVariable } from "../surroundings.ts";
import { removeLeftDirectories } from "./held-directory.ts";
import type { LocalInternals } from "./internals.ts";
import { findRoots } from "./roots.ts";
import { readTempRoots } from "./temp-roots.ts";

const BREATH = 16;

/** The number of paths that become invalid with one transaction: others who write wait no longer than for this. */
const TOGETHER = 64;

/** Size of the blocks in which file systems count, in bytes. */
const BLOCK = 512;

/** Collects garbage. Errors `still-alive`, `aborted`, `unreadable-roots`, `temp-roots`. */
export async function collectGarbage(store: LocalInternals, options: GcOptions): Promise<GcResult> {
  const deletes = options.action === "delete-dead" || options.action === "delete-specific";
  const { stateDir } = store.location;
  if (deletes) removePath(`${stateDir}/db/reserved`);
  const fd = openLockFile(`${stateDir}/gc.lock`);
  try {
    await lock(fd, "write", () =>
      store.events({ kind: "message", level: "notice", text: "waiting for the big garbage collector lock..." }),
    );
    await waitForTest("_NIX_TEST_GC_SYNC_1");
    const newRoots = new Set<string>();
    const server = await listen(`${stateDir}/gc-socket`, (root) => newRoots.add(root));
    try {
      const collection = new Collection(store, options, newRoots);
      try {
        return await collection.run();
      } finally {
        collection.close();
      }
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      fs.rmSync(`${stateDir}/gc-socket/socket`, { force: true });
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Waits until the file that a variable of tests names has been written to. */
async function waitForTest(name: TestVariable): Promise<void> {
  const file = testVariable(name);
  if (file === undefined) return;
  for await (const _piece of fs.createReadStream(file)) {
    // Only the end matters.
  }
}

/** Answers each line (a store path) with `1` once its hash part is known. */
async function listen(
  directory: string,
  onRoot: (hashPart: string) => void,
): Promise<{ close(done: () => void): void }> {
  disk.mkdirs(directory);
  fs.rmSync(`${directory}/socket`, { force: true });
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let partial = "";
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      const lines = (partial + String(data)).split("\n");
      partial = lines.pop()!;
      if (partial.length > 4096) socket.destroy();
      for (const line of lines) {
        const base = storePathBaseName(line);
        if (base.length > hashPartLength) onRoot(base.slice(0, hashPartLength));
        socket.write("1");
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    withSocketPath(`${directory}/socket`, (path) => server.listen(path, () => resolve()));
  });
  fs.chmodSync(`${directory}/socket`, 0o666);
  return {
    close(done) {
      for (const socket of sockets) socket.destroy();
      server.close(done);
    },
  };
}

class LimitReached extends Error {}

class Collection {
  readonly #store: LocalInternals;
  readonly #options: GcOptions;
  readonly #newRoots: ReadonlySet<string>;
  readonly #tempRoots = new Set<string>();
  readonly #roots = new Set<string>();
  readonly #alive = new Set<string>();
  readonly #dead = new Set<string>();
  readonly #deleted: string[] = [];
  readonly #failures: { path: string; reason: string }[] = [];
  readonly #keepOutputs: boolean;
  readonly #keepDerivations: boolean;
  readonly #deletes: boolean;
  /** The directory of all paths. */
  readonly #directory: OpenDirectory;
  #freed = 0;
  #steps = 0;

  constructor(store: LocalInternals, options: GcOptions, newRoots: ReadonlySet<string>) {
    this.#directory = OpenDirectory.open(store.location.realStoreDir);
    this.#store = store;
    this.#options = options;
    this.#newRoots = newRoots;
    this.#deletes = options.action === "delete-dead" || options.action === "delete-specific";
    const forced = options.action === "delete-specific" && options.ignoreLiveness === true;
    this.#keepOutputs = !forced && (store.options.keepOutputs ?? false);
    this.#keepDerivations = !forced && (store.options.keepDerivations ?? true);
  }

  async run(): Promise<GcResult> {
    const store = this.#store;
    this.#say("finding garbage collector roots...");
    // Temporary ones first: a process may make a permanent root of one and end between the two readings.
    for (const path of readTempRoots(store.location.stateDir).keys()) {
      this.#tempRoots.add(storePathHashPart(path));
      this.#roots.add(path);
    }
    if (this.#options.ignoreLiveness !== true) {
      const roots = await findRoots(store, (directory) => this.#missed(directory));
      for (const path of roots.keys()) this.#roots.add(path);
    }
    await waitForTest("_NIX_TEST_GC_SYNC_2");
    if (this.#options.action === "delete-specific") await this.#deleteSpecific();
    else if ((this.#options.maxFreed ?? 1) > 0) await this.#sweep();
    const paths =
      this.#options.action === "live"
        ? [...this.#alive]
        : this.#options.action === "dead"
          ? [...this.#dead]
          : this.#deleted;
    if (this.#deletes) this.#deleteUnusedLinks();
    if (this.#options.action === "delete-dead") this.#deleteLeftovers();
    return { paths: [...new Set(paths)].sort(), bytesFreed: this.#freed, failures: this.#failures };
  }

  close(): void {
    this.#directory.close();
  }

  /** Reports a directory of roots that cannot be read: the paths that it keeps alive are unknown, so nothing may be deleted. */
  #missed(directory: string): void {
    const text = `cannot read "${directory}", which may hold roots of the garbage collector`;
    if (this.#deletes) throw new FirnError("unreadable-roots", text, { hint: "make it readable, or remove it" });
    this.#store.events({ kind: "message", level: "warn", text });
  }

  async #deleteSpecific(): Promise<void> {
    for (const path of this.#options.paths ?? []) {
      // Other names in the store's directory belong to the store itself.
      if (!isStorePath(path, this.#store.storeDir)) {
        throw new FirnError("bad-store-path", `path '${path}' is not a store path`);
      }
    }
    for (const path of this.#options.paths ?? []) {
      await this.#visit(path);
      if (this.#dead.has(path)) continue;
      throw new FirnError(
        "still-alive",
        `Cannot delete path '${path}' since it is still alive. To find out why, use: nix-store --query --roots and nix-store --query --referrers`,
      );
    }
  }

  async #sweep(): Promise<void> {
    const { realStoreDir } = this.#store.location;
    this.#say(this.#deletes ? "deleting garbage..." : "determining live/dead paths...");
    try {
      for (const name of fs.readdirSync(realStoreDir, { encoding: "latin1" })) {
        if (name === ".links") continue;
        await this.#pause();
        const path = `${this.#store.storeDir}/${name}`;
        if (isStorePath(path, this.#store.storeDir)) await this.#visit(path);
        else this.#deleteFile(name);
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
    }
  }

  /** Lets the socket answer, and stops when the collection is aborted. */
  async #pause(): Promise<void> {
    if (this.#options.signal?.aborted === true) throw interrupted();
    this.#steps++;
    if (this.#steps % BREATH === 0) await breathe();
  }

  #isTempRoot(path: string): boolean {
    const hashPart = storePathHashPart(path);
    return this.#tempRoots.has(hashPart) || this.#newRoots.has(hashPart);
  }

  /** Visits everything that depends on `start`; deletes it all unless part of it is alive. */
  async #visit(start: string): Promise<void> {
    const store = this.#store;
    const visited = new Set([start]);
    for (const path of visited) {
      if (this.#alive.has(path)) {
        this.#alive.add(start);
        return;
      }
      if (this.#dead.has(path)) continue;
      if (this.#roots.has(path) || this.#isTempRoot(path)) {
        this.#markAlive(path);
        this.#alive.add(start);
        return;
      }
      if (this.#options.action === "delete-specific" && !(this.#options.paths ?? []).includes(path)) return;
      if (!store.database.isValid(path)) continue;
      for (const referrer of store.database.referrers(path)) visited.add(referrer);
      if (this.#keepDerivations && isDerivationPath(path)) {
        for (const output of store.database.derivationOutputs(path).values()) {
          if (store.database.pathInfo(output)?.deriver === path) visited.add(output);
        }
      }
      if (this.#keepOutputs) for (const deriver of store.database.validDerivers(path)) visited.add(deriver);
    }
    const order = sortTopologically(visited, (path) => store.database.pathInfo(path)?.references ?? []).reverse();
    await breathe();
    // A root that arrived meanwhile spares everything that was to go with it.
    for (const path of order) {
      if (!this.#isTempRoot(path)) continue;
      this.#markAlive(path);
      this.#alive.add(start);
      return;
    }
    const dead = order.filter((path) => !this.#dead.has(path));
    for (const path of dead) this.#dead.add(path);
    if (!this.#deletes) return;
    // Where a limit ends the collection, what is not deleted stays valid.
    const together = this.#options.maxFreed === undefined ? TOGETHER : 1;
    for (let at = 0; at < dead.length; at += together) this.#deletePaths(dead.slice(at, at + together));
  }

  #markAlive(root: string): void {
    const { database } = this.#store;
    const todo = [root];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (this.#alive.has(path)) continue;
      this.#alive.add(path);
      const info = database.pathInfo(path);
      if (info === undefined) continue;
      todo.push(...info.references);
      if (this.#keepOutputs && isDerivationPath(path)) {
        for (const output of database.derivationOutputs(path).values()) if (database.isValid(output)) todo.push(output);
      }
      if (this.#keepDerivations && info.deriver !== undefined && database.isValid(info.deriver))
        todo.push(info.deriver);
    }
  }

  #deletePaths(paths: readonly string[]): void {
    const invalid = this.#store.invalidatePaths(paths);
    for (const path of paths) {
      if (invalid.has(path)) this.#deleteFile(storePathBaseName(path));
      else {
        // A build has come to refer to it since: then it is not dead.
        this.#dead.delete(path);
        this.#alive.add(path);
      }
    }
  }

  #deleteFile(name: string): void {
    const real = `${this.#store.location.realStoreDir}/${name}`;
    if (!this.#deletes) {
      this.#dead.add(`${this.#store.storeDir}/${name}`);
      return;
    }
    if (name.startsWith("tmp-") && isLocked(real)) return;
    const path = `${this.#store.storeDir}/${name}`;
    this.#store.events({ kind: "message", level: "info", text: `deleting '${path}'` });
    if (!this.#remove(path)) return;
    this.#deleted.push(path);
    const limit = this.#options.maxFreed;
    if (limit !== undefined && this.#freed > limit) {
      this.#say(`deleted more than ${limit} bytes; stopping`);
      throw new LimitReached();
    }
  }

  /** Deletes a tree; one that cannot be deleted is reported and does not end the collection. */
  #remove(path: string): boolean {
    try {
      this.#freed += removeEntry({ parent: this.#directory, name: storePathBaseName(path) });
      return true;
    } catch (error) {
      const known = error instanceof FirnError ? error : machineError(error);
      if (known === undefined) throw error;
      this.#failures.push({ path, reason: known.message });
      const text = `cannot delete '${path}': ${known.message}`;
      this.#store.events({ kind: "message", level: "warn", text });
      return false;
    }
  }

  /** Deletes directories left by builds of dead processes. */
  #deleteLeftovers(): void {
    const left = removeLeftDirectories(`${this.#store.location.stateDir}/builds`);
    for (const path of left.paths) this.#say(`deleted the build directory '${path}', whose build was killed`);
    this.#freed += left.bytesFreed;
  }

  /** Deletes files of `.links` that no path shares any more. */
  #deleteUnusedLinks(): void {
    const directory = `${this.#store.location.realStoreDir}/.links`;
    this.#say("deleting unused links...");
    let saved = 0;
    for (const name of fs.readdirSync(directory, { encoding: "latin1" })) {
      const file = `${directory}/${name}`;
      const stat = fs.lstatSync(file, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (stat.nlink === 1) disk.unlink(file);
      else saved += (stat.nlink - 2) * stat.blocks * BLOCK;
    }
    saved -= fs.lstatSync(directory).blocks * BLOCK;
    this.#say(`note: hard linking is currently saving ${showSize(saved)}`);
  }

  #say(text: string): void {
    this.#store.events({ kind: "message", level: "info", text });
  }
}

/** Tells whether another process works in a temporary directory of the store. */
function isLocked(directory: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(directory, "r");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return true;
    throw error;
  }
  try {
    return !tryLock(fd, "write");
  } finally {
    fs.closeSync(fd);
  }
}
