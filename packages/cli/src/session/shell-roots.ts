/** Roots for the environments of development shells, so that they outlive collections for some time after their last use. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { hasErrorCode, type MachineStore } from "@firn/store";
import { lstatSync, lutimesSync, readdirSync, unlinkSync } from "@firn/store/files";
import { homeDirectory } from "@firn/store/surroundings";

/** Days after the last use of a shell for which its environment is kept. */
const keptDays = 30;

/**
 * Makes or renews the root of an environment and drops those that were not used for thirty days. Returns the link; undefined when
 * the user's state directory cannot be written.
 */
export async function keepShell(
  store: MachineStore,
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const state = environment.XDG_STATE_HOME;
  const base = state?.startsWith("/") ? state : join(homeDirectory(environment), ".local/state");
  const directory = join(base, "firn/shells");
  const link = join(directory, path.slice(store.storeDir.length + 1));
  try {
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) await store.addPermRoot(path, link);
    const now = new Date();
    lutimesSync(link, now, now);
    dropUnused(directory, now);
    return link;
  } catch (error) {
    if (error instanceof FirnError || hasErrorCode(error, "EACCES", "EROFS", "ENOSPC", "ENOTDIR", "ENOENT"))
      return undefined;
    throw error;
  }
}

function dropUnused(directory: string, now: Date): void {
  const oldest = now.getTime() - keptDays * 24 * 60 * 60 * 1000;
  for (const name of readdirSync(directory)) {
    const link = join(directory, name);
    const status = lstatSync(link, { throwIfNoEntry: false });
    if (status?.isSymbolicLink() === true && status.mtimeMs < oldest) unlinkSync(link);
  }
}
