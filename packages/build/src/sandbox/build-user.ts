/**
 * The ids of the machine that builders run under when Firn is root, as the reference chooses them: members of the group
 * `build-users-group`, else ids of an allocated range (`auto-allocate-uids`). Locks keep two builds, of either program, from sharing them.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { FirnError, interrupted } from "@firn/formats";
import {
  type EventSink,
  hasErrorCode,
  machineLocation,
  openLockFile,
  runProgramSync,
  type Settings,
  tryLock,
  withPlace,
} from "@firn/store";
import * as fs from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";

/** Number of ids in one slot of the allocated range, as in the reference. */
const IDS_PER_SLOT = 65536;
const WAIT_MS = 100;
const STORE_MODE = 0o1775;

/** An unprivileged user of the machine that one build uses alone; `release` it afterwards. */
export interface BuildUser {
  readonly uid: number;
  readonly gid: number;
  /** The group of all builders, which may create files in the store directory when a build has no sandbox. */
  readonly storeGroup: number;
  release(): void;
}

/** Tells whether builders need a user of their own: only when Firn has the rights of the machine's root. */
export function needsBuildUser(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Takes a free build user, waiting until there is one. Returns undefined when the settings and the machine provide none:
 * neither members of the group nor allocated ids. Errors `no-build-group`, `aborted`.
 */
export async function acquireBuildUser(
  context: { readonly settings: Settings; readonly events: EventSink },
  signal?: AbortSignal,
): Promise<BuildUser | undefined> {
  const { settings, events } = context;
  const candidates = groupMembers(settings) ?? allocatedIds(settings);
  if (candidates === undefined) return undefined;
  const directories = lockDirectories(candidates.pool);
  for (let told = false; ; told = true) {
    for (const { uid, gid, lock } of candidates.users()) {
      const release = lockAll(directories.map((directory) => `${directory}/${lock}`));
      if (release !== undefined) return { uid, gid, storeGroup: candidates.storeGroup, release };
    }
    if (signal?.aborted === true) throw interrupted();
    if (!told) events({ kind: "message", level: "notice", text: "waiting for a free build user ID" });
    await sleep(WAIT_MS);
  }
}

/** Locks all files, or none of them; returns what unlocks them. */
function lockAll(files: readonly string[]): (() => void) | undefined {
  const descriptors: number[] = [];
  const release = (): void => {
    for (const fd of descriptors) fs.closeSync(fd);
  };
  let isLocked = false;
  try {
    isLocked = files.every((file) => {
      const fd = openLockFile(file);
      descriptors.push(fd);
      return tryLock(fd, "write");
    });
  } finally {
    if (!isLocked) release();
  }
  return isLocked ? release : undefined;
}

/** The directory of locks of the whole machine. */
const ofMachine = "/run/firn";

/**
 * Returns the directories of the locks. A build's end kills all that its user runs, in whichever store it builds and with whichever state directory, so there is one for the
 * machine, where it can be had; that of the state directory is for the reference.
 */
function lockDirectories(pool: string): string[] {
  const { stateDir } = machineLocation(processEnvironment());
  const [own, shared] = [`${ofMachine}/${pool}`, `${stateDir}/${pool}`];
  const make = (directory: string): string => {
    fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
    return directory;
  };
  if (!fs.existsSync(stateDir)) return [make(own)];
  try {
    return [make(own), make(shared)];
  } catch (error) {
    if (!hasErrorCode(error, "EROFS", "EACCES", "ENOTDIR", "ENOENT")) throw error;
    return [make(shared)];
  }
}

/**
 * Lets a build without a sandbox create its outputs in the store directory, as the reference does; the sticky bit keeps it
 * from deleting outputs of others.
 */
export function openStoreTo(user: BuildUser, realStoreDir: string): void {
  withPlace(realStoreDir, (place) => {
    const { gid, mode } = place.stat();
    if (gid !== user.storeGroup) place.chown(0, user.storeGroup);
    if ((mode & 0o7777) !== STORE_MODE) place.chmod(STORE_MODE);
  });
}

/** Ends every process that a build has left running under its ids. */
export function endProcesses({ uid, gid }: BuildUser): void {
  runProgramSync("/bin/sh", ["-c", "kill -9 -1"], { uid, gid, cwd: "/", env: {}, stdio: "ignore" });
}

interface Candidate {
  readonly uid: number;
  readonly gid: number;
  readonly lock: string;
}

interface Candidates {
  /** Directory of the locks, below the state directory. */
  readonly pool: string;
  readonly storeGroup: number;
  users(): Iterable<Candidate>;
}

/** Returns the lines of a table of users or groups, split into fields. */
function readTable(file: string): string[][] {
  return fs
    .readFileSync(file, "latin1")
    .split("\n")
    .map((line) => line.split(":"));
}

/** Returns the members of the group that the settings name; undefined when it has none and ids may be allocated instead. */
function groupMembers(settings: Settings): Candidates | undefined {
  const name = settings.get("build-users-group");
  const allocates = settings.get("auto-allocate-uids");
  if (name === "") return undefined;
  const group = readTable("/etc/group").find(([groupName]) => groupName === name);
  const members = (group?.[3] ?? "").split(",").filter((member) => member !== "");
  if (group === undefined || members.length === 0) {
    if (allocates) return undefined;
    const what = group === undefined ? "specified in 'build-users-group' does not exist" : "has no members";
    throw new FirnError("no-build-group", `the group '${name}' ${what}`, {
      hint: "allow ids that are no user's with the setting auto-allocate-uids",
    });
  }
  const gid = Number(group[2]);
  const uids = readTable("/etc/passwd")
    .filter(([user]) => user !== undefined && members.includes(user))
    .map((fields) => Number(fields[2]))
    .filter((uid) => Number.isSafeInteger(uid) && uid > 0);
  return { pool: "userpool", storeGroup: gid, users: () => uids.map((uid) => ({ uid, gid, lock: String(uid) })) };
}

/** Returns the ids of the range `start-id`, `id-count`; undefined when the machine (a container) does not have them. */
function allocatedIds(settings: Settings): Candidates | undefined {
  if (!settings.get("auto-allocate-uids")) return undefined;
  const start = settings.get("start-id");
  const slots = Math.floor(settings.get("id-count") / IDS_PER_SLOT);
  const last = start + slots * IDS_PER_SLOT - 1;
  if (slots < 1 || start < 1 || !["uid_map", "gid_map"].every((map) => hasIds(map, start, last))) return undefined;
  return {
    pool: "userpool2",
    // The last id of the first place: builders have the first one of theirs.
    storeGroup: start + IDS_PER_SLOT - 1,
    *users() {
      for (let slot = 0; slot < slots; slot++) {
        const id = start + slot * IDS_PER_SLOT;
        yield { uid: id, gid: id, lock: `slot-${slot}` };
      }
    },
  };
}

/** Tells whether this process's user namespace has all of these ids. */
function hasIds(map: string, first: number, last: number): boolean {
  return fs
    .readFileSync(`/proc/self/${map}`, "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , count = 0]) => inside <= first && last < inside + count);
}
