/**
 * The control group of one build (cgroup v2): everything that the build starts is in it, is killed with it, and its processor time is
 * counted. Groups are made below the group of this process, which must have been delegated to its user: root has it, and so has a
 * user's systemd session.
 */

import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FirnError } from "@firn/formats";
import { disk, hasErrorCode, requireFeature, type Settings, systemErrorText } from "@firn/store";
import * as fs from "@firn/store/files";

/** Attempts to end all processes of a group, each after a pause twice as long as the one before, up to a second. */
const ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 1024;

/** Seconds of processor time. */
export interface ProcessorTime {
  readonly user: number;
  readonly system: number;
}

/** The control group of one build; `end` it afterwards. */
export interface BuildGroup {
  /** Returns the command line that runs another one in the group. */
  enter(command: readonly string[]): readonly string[];
  /** Ends everything in the group and deletes it; returns the processor time that it took, where the kernel tells. */
  end(): Promise<ProcessorTime | undefined>;
}

/** The surroundings of a build that has a group. */
export interface GroupOptions {
  readonly settings: Settings;
  readonly stateDir: string;
  /** The ids of the builder, who may make groups below its own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

let counter = 0;

/**
 * Makes a group for a build when the setting `use-cgroups` asks for it. What a killed build of the same user has left is ended first.
 * Errors `experimental-feature`, `no-cgroups`.
 */
export async function makeBuildGroup({ settings, stateDir, user }: GroupOptions): Promise<BuildGroup | undefined> {
  if (!settings.get("use-cgroups")) return undefined;
  requireFeature(settings, "cgroups");
  const { root, own } = groupOf(
    fs.readFileSync("/proc/mounts", "latin1"),
    fs.readFileSync("/proc/self/cgroup", "latin1"),
  );
  const parent = root + own;
  if (!fs.existsSync(parent)) throw noGroups(`expected cgroup directory "${parent}"`);
  const name = `nix-build-${user === undefined ? `pid-${process.pid}-${counter++}` : `uid-${user.uid}`}`;
  const directory = `${parent}/${name}`;
  if (user !== undefined) await replaceRecord(`${stateDir}/cgroups/${user.uid}`, { root, name, directory });
  attempt(`creating cgroup "${directory}"`, () => fs.mkdirSync(directory, { mode: 0o755 }));
  try {
    for (const file of user === undefined ? [] : ["", "/cgroup.procs", "/cgroup.threads"]) {
      fs.chownSync(directory + file, user!.uid, user!.gid);
    }
    // A process is moved by who may change the group that it comes from too.
    const members = `${parent}/cgroup.procs`;
    attempt(`opening file "${members}"`, () => fs.accessSync(members, fs.constants.W_OK));
  } catch (error) {
    fs.rmdirSync(directory);
    throw error;
  }
  return {
    enter: (command) => ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', `${directory}/cgroup.procs`, ...command],
    end: () => endGroup(directory),
  };
}

/**
 * Returns the directory of all groups and the own group's path below it, empty for the topmost one, from a process's lists of mounts
 * (`/proc/mounts`) and groups (`/proc/self/cgroup`). Error `no-cgroups`.
 */
export function groupOf(mounts: string, groups: string): { readonly root: string; readonly own: string } {
  const mount = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , type]) => type === "cgroup2");
  if (mount === undefined) throw noGroups("cannot determine the cgroups file system");
  const own = /^\d+::(\/.*)$/m.exec(groups)?.[1];
  if (own === undefined) throw noGroups("cannot determine cgroup name from /proc/self/cgroup");
  const root = mount[1]!.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return { root, own: own === "/" ? "" : own };
}

/** Ends the group that an earlier build of the user has left, and notes the new one. */
async function replaceRecord(
  record: string,
  { root, name, directory }: { readonly root: string; readonly name: string; readonly directory: string },
): Promise<void> {
  fs.mkdirSync(path.posix.dirname(record), { recursive: true });
  const left = fs.existsSync(record) ? fs.readFileSync(record, "latin1") : directory;
  // No other directory is touched, whatever the file says.
  if (path.posix.normalize(left) === left && left.startsWith(`${root}/`) && path.posix.basename(left) === name) {
    await endGroup(left);
  }
  disk.replaceFile(record, directory);
}

async function endGroup(directory: string): Promise<ProcessorTime | undefined> {
  if (!fs.existsSync(directory)) return undefined;
  const members = `${directory}/cgroup.procs`;
  if (!fs.existsSync(members)) throw noGroups(`"${directory}" is not a cgroup`);
  const killer = `${directory}/cgroup.kill`;
  if (fs.existsSync(killer)) fs.writeFileSync(killer, "1");
  for (const entry of fs.readdirSync(directory, { encoding: "latin1", withFileTypes: true })) {
    if (entry.isDirectory()) await endGroup(`${directory}/${entry.name}`);
  }
  for (let round = 1; ; round++) {
    const pids = fs.readFileSync(members, "latin1").split("\n").filter(Boolean).map(Number);
    if (pids.length === 0) break;
    if (round > ATTEMPTS) throw noGroups(`cannot kill cgroup "${directory}"`);
    for (const pid of pids) killMember(pid);
    await sleep(Math.min(2 ** round, LONGEST_PAUSE_MS));
  }
  const time = processorTime(directory);
  fs.rmdirSync(directory);
  return time;
}

function killMember(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!hasErrorCode(error, "ESRCH")) throw error;
  }
}

function processorTime(directory: string): ProcessorTime | undefined {
  const file = `${directory}/cpu.stat`;
  if (!fs.existsSync(file)) return undefined;
  const text = fs.readFileSync(file, "latin1");
  const seconds = (name: string): number => Number(new RegExp(`^${name}_usec (\\d+)$`, "m").exec(text)?.[1] ?? 0) / 1e6;
  return { user: seconds("user"), system: seconds("system") };
}

function attempt(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS", "EEXIST", "ENOENT")) throw error;
    const { code, errno } = error as NodeJS.ErrnoException;
    throw noGroups(`${what}: ${systemErrorText(code!, errno)}`, error);
  }
}

function noGroups(message: string, cause?: unknown): FirnError {
  return new FirnError("no-cgroups", message, {
    cause,
    hint: "run Firn where its control group is delegated to its user (root, or a systemd session), or do not set use-cgroups",
  });
}
