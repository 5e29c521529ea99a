/**
 * Access to a machine's store that is mounted read-only over itself. Root makes it writable for this process alone: the
 * process starts itself again in a mount namespace of its own, whose other mounts stay shared with the machine's.
 */

import { becomeProgram, hasErrorCode, type Settings } from "@firn/store";
import { accessSync, constants } from "@firn/store/files";
import { launcherVariables, ownCommand, processArguments, processEnvironment } from "@firn/store/surroundings";
import type { Io } from "../io.ts";

/** Variable that is set in the restarted process, so that it is not started a third time. */
const marker = "FIRN_STORE_REMOUNTED";
const storeDir = "/nix/store";

/** Starts this process again with a writable store when it needs one; returns when it has one, or cannot have it. */
export function makeStoreWritable(settings: Settings, io: Io): void {
  if (process.getuid?.() !== 0 || io.env[marker] !== undefined) return;
  if (!["auto", "local", ""].includes(settings.get("store")) || (io.env.NIX_REMOTE ?? "") !== "") return;
  if (!mountedReadOnly()) return;
  const environment: Record<string, string> = { [marker]: "1" };
  const given = { ...processEnvironment(), ...launcherVariables() };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) environment[name] = value;
  const script = `mount -o remount,bind,rw none ${storeDir} && exec "$@"`;
  const own = [...ownCommand(), ...processArguments()];
  for (const directory of ["/usr/bin", "/bin", "/run/current-system/sw/bin"]) {
    const program = `${directory}/unshare`;
    if (!executable(program)) continue;
    becomeProgram(
      program,
      [program, "--mount", "--propagation", "unchanged", "sh", "-euc", script, "sh", ...own],
      environment,
    );
  }
}

function mountedReadOnly(): boolean {
  try {
    accessSync(storeDir, constants.W_OK);
    return false;
  } catch (error) {
    if (hasErrorCode(error, "EROFS")) return true;
    if (hasErrorCode(error, "ENOENT", "EACCES", "EPERM")) return false;
    throw error;
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "EACCES")) return false;
    throw error;
  }
}
