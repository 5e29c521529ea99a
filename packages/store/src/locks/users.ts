/** The users and groups of this machine: from its files, and from other sources by `getent`. */
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { runProgramSync } from "../program/start.ts";

type Table = "passwd" | "group";

/** Returns the name of a user; undefined when it has none. */
export function userName(uid: number): string | undefined {
  return entryOf("passwd", (fields) => fields[2] === String(uid), String(uid))?.[0];
}

/** Returns the name of a group; undefined when it has none. */
export function groupName(gid: number): string | undefined {
  return entryOf("group", (fields) => fields[2] === String(gid), String(gid))?.[0];
}

/** Tells whether a user is listed as a member of a group. */
export function isGroupMember(user: string, group: string): boolean {
  const has = (fields: readonly string[] | undefined): boolean => fields?.[3]?.split(",").includes(user) === true;
  return has(inFiles("group", (fields) => fields[0] === group)) || has(byGetent("group", group));
}

function entryOf(
  table: Table,
  matches: (fields: readonly string[]) => boolean,
  key: string,
): readonly string[] | undefined {
  return inFiles(table, matches) ?? byGetent(table, key);
}

function inFiles(table: Table, matches: (fields: readonly string[]) => boolean): readonly string[] | undefined {
  try {
    return fs
      .readFileSync(`/etc/${table}`, "latin1")
      .split("\n")
      .map((line) => line.split(":"))
      .find(matches);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "EACCES")) throw error;
    return undefined;
  }
}

function byGetent(table: Table, key: string): readonly string[] | undefined {
  if (key.startsWith("-")) return undefined;
  const { status, stdout } = runProgramSync("getent", [table, key], { stdio: ["ignore", "pipe", "ignore"] });
  if (status !== 0) return undefined;
  return stdout.toString("latin1").split("\n")[0]?.split(":");
}
