/** The place of a user's profile when none is named, as the reference has it. */

import { dirname, join, resolve } from "node:path";
import type { StoreFiles } from "@firn/store";
import { disk } from "@firn/store";
import { lstatSync, readlinkSync, symlinkSync } from "@firn/store/files";
import { homeDirectory } from "@firn/store/surroundings";

/** Returns the default profile of the user, and makes `~/.nix-profile` a link to it when it is missing. */
export function defaultProfile(
  store: StoreFiles,
  environment: Readonly<Record<string, string | undefined>>,
  useXdg: boolean,
): string {
  const home = homeDirectory(environment);
  const state = join(environment.XDG_STATE_HOME ?? join(home, ".local", "state"), "nix");
  const root = process.getuid?.() === 0;
  const profiles = root ? `${store.location.stateDir}/profiles/per-user/root` : join(state, "profiles");
  const link = useXdg ? join(state, "profile") : join(home, ".nix-profile");
  const present = lstatSync(link, { throwIfNoEntry: false });
  if (present === undefined) {
    disk.mkdirs(profiles);
    disk.mkdirs(dirname(link));
    symlinkSync(join(profiles, "profile"), link);
    return join(profiles, "profile");
  }
  return present.isSymbolicLink() ? resolve(dirname(link), readlinkSync(link)) : link;
}
