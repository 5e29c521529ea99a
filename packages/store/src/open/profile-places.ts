/** The places of a user's profiles, channels and default expression, as the reference has them. */

import { dirname, join, resolve } from "node:path";
import { disk, hasErrorCode } from "../fs/disk.ts";
import { lstatSync, readlinkSync } from "../fs/files.ts";
import { findLogicalFile } from "../fs/logical-path.ts";
import type { StoreLocation } from "../store/location.ts";
import { homeDirectory } from "../surroundings.ts";

/** The user and the store whose profiles are meant. */
export interface ProfilePlaces {
  readonly location: StoreLocation;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** True to keep links in the user's state directory instead of the home (`use-xdg-base-directories`). */
  readonly useXdg: boolean;
}

function stateDirectory({ environment }: Pick<ProfilePlaces, "environment">): string {
  const own = environment.NIX_STATE_HOME;
  if (own !== undefined && own !== "") return own;
  return join(environment.XDG_STATE_HOME ?? join(homeDirectory(environment), ".local", "state"), "nix");
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Returns the directory of root's profiles. */
function rootProfiles({ location }: Pick<ProfilePlaces, "location">): string {
  return `${location.stateDir}/profiles/per-user/root`;
}

/** Returns the directory of the user's profiles. */
export function profilesDirectory(places: Pick<ProfilePlaces, "location" | "environment">): string {
  return isRoot() ? rootProfiles(places) : join(stateDirectory(places), "profiles");
}

/** Returns the link to the user's current profile. */
export function profileLink(places: Pick<ProfilePlaces, "environment" | "useXdg">): string {
  return places.useXdg
    ? join(stateDirectory(places), "profile")
    : join(homeDirectory(places.environment), ".nix-profile");
}

/** Returns the file that lists the user's channels. */
export function channelsFile(places: Pick<ProfilePlaces, "environment" | "useXdg">): string {
  return places.useXdg
    ? join(stateDirectory(places), "channels")
    : join(homeDirectory(places.environment), ".nix-channels");
}

/** Returns the directory of the expressions that `nix-env` reads by default. */
export function defaultExpressions(places: Pick<ProfilePlaces, "environment" | "useXdg">): string {
  return places.useXdg
    ? join(stateDirectory(places), "defexpr")
    : join(homeDirectory(places.environment), ".nix-defexpr");
}

/** Returns the entries that every search path ends with: the channels of the user and of root, as far as there are any. */
export function channelSearchPath(places: ProfilePlaces): string[] {
  const root = join(rootProfiles(places), "channels");
  const entries = [
    { prefix: "", path: join(defaultExpressions(places), "channels") },
    { prefix: "nixpkgs=", path: join(root, "nixpkgs") },
    { prefix: "", path: root },
  ];
  return entries
    .filter(({ path }) => findLogicalFile(places.location, path) !== undefined)
    .map(({ prefix, path }) => prefix + path);
}

/** Makes the default expressions links to the channels of the user and of root, when there is nothing yet. */
export function makeDefaultExpressions(places: ProfilePlaces): void {
  const directory = defaultExpressions(places);
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) return;
  whenPermitted(() => {
    disk.mkdirs(directory);
    disk.replaceSymlink(join(profilesDirectory(places), "channels"), join(directory, "channels"));
    if (!isRoot()) disk.replaceSymlink(join(rootProfiles(places), "channels"), join(directory, "channels_root"));
  });
}

/** Returns the default profile of the user; makes the link to it, and for root `profiles/default`, when they are missing. */
export function defaultProfile(places: ProfilePlaces): string {
  const link = profileLink(places);
  whenPermitted(() => {
    const profiles = profilesDirectory(places);
    disk.mkdirs(profiles);
    const profile = join(profiles, "profile");
    makeLink(profile, link);
    if (isRoot()) makeLink(profile, `${places.location.stateDir}/profiles/default`);
  });
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return link;
  return resolve(dirname(link), readlinkSync(link));
}

function makeLink(target: string, link: string): void {
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  disk.mkdirs(dirname(link));
  disk.replaceSymlink(target, link);
}

/** Runs `make`; what may not be written here is not needed. */
function whenPermitted(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EEXIST")) throw error;
  }
}
