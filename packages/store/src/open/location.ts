/** Locations of the stores of this machine, and the meaning of `auto` on it. */
import path from "node:path";
import * as fs from "../fs/files.ts";
import type { Environment, Settings } from "../settings/settings.ts";
import { type StoreLocation, storeLocation } from "../store/location.ts";
import { homeDirectory, processEnvironment } from "../surroundings.ts";
import { readDirectory } from "./parameters.ts";
import { parseStoreReference, type StoreReference } from "./reference.ts";

/** Tells whether a directory can be read and written. */
export function writable(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the directories of the machine's own store, from the environment; an empty variable counts as none. Error `bad-setting`. */
export function machineLocation(environment: Environment): StoreLocation {
  const pick = (name: string, fallback: string): string => readDirectory(name, environment[name] ?? "") ?? fallback;
  return storeLocation({
    storeDir: pick("NIX_STORE_DIR", pick("NIX_STORE", "/nix/store")),
    stateDir: pick("NIX_STATE_DIR", "/nix/var/nix"),
    logDir: pick("NIX_LOG_DIR", "/nix/var/log/nix"),
  });
}

/** Returns the root of the chroot store that `auto` may choose. */
export function userStoreRoot(environment: Environment): string {
  const home = homeDirectory(environment);
  return path.join(environment.XDG_DATA_HOME ?? path.join(home, ".local", "share"), "nix", "root");
}

/** Returns the place of the socket of the machine's daemon. */
export function daemonSocket(environment: Environment): string {
  return environment.NIX_DAEMON_SOCKET_PATH ?? `${machineLocation(environment).stateDir}/daemon-socket/socket`;
}

/** Returns the store that `auto` means here and now: the machine's store, its daemon, or the user's own store. */
export function resolveAuto(environment: Environment): StoreReference {
  const location = machineLocation(environment);
  const none = new Map<string, string>();
  if (writable(location.stateDir)) return { scheme: "local", target: "", parameters: none };
  if (fs.existsSync(daemonSocket(environment))) return { scheme: "daemon", target: "", parameters: none };
  const own =
    process.getuid?.() !== 0 &&
    !fs.existsSync(location.stateDir) &&
    environment.NIX_STORE_DIR === undefined &&
    environment.NIX_STATE_DIR === undefined;
  if (own) return { scheme: "local", target: "", parameters: new Map([["root", userStoreRoot(environment)]]) };
  return { scheme: "local", target: "", parameters: none };
}

/** Returns a parameter that names a directory; undefined when it is missing or empty. Error `bad-setting` for a relative path. */
export function directoryOf({ parameters }: StoreReference, name: string): string | undefined {
  const value = parameters.get(name);
  return value === undefined ? undefined : readDirectory(name, value);
}

/** Returns the location of a local store, by its parameters `root`, `store`, `real`, `state` and `log`. */
export function locationOf(reference: StoreReference, environment: Environment): StoreLocation {
  const machine = machineLocation(environment);
  const directory = (name: string): string | undefined => directoryOf(reference, name);
  const root = directory("root");
  const given = {
    storeDir: directory("store") ?? machine.storeDir,
    realStoreDir: directory("real"),
    stateDir: directory("state"),
    logDir: directory("log"),
  };
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (root !== undefined) return storeLocation({ ...defined, rootDir: root === "/" ? "" : root });
  return storeLocation({
    ...machine,
    ...(given.storeDir === machine.storeDir ? {} : { realStoreDir: given.storeDir }),
    ...defined,
  });
}

/** Parses the name of a store; `auto` is replaced by its meaning here. */
export function resolveReference(text: string, environment: Environment): StoreReference {
  const reference = parseStoreReference(text);
  if (reference.scheme !== "auto") return reference;
  const resolved = resolveAuto(environment);
  return { ...resolved, parameters: new Map([...resolved.parameters, ...reference.parameters]) };
}

/** Returns the directory of the state of the store that `auto` means here and now. */
export function defaultStateDir(environment: Environment): string {
  return locationOf(resolveAuto(environment), environment).stateDir;
}

/** A store by its URL; by default that of the settings. */
interface ConfiguredStore {
  readonly settings: Settings;
  readonly environment?: Environment;
  readonly store?: string | undefined;
}

/**
 * Returns the directory on disk with the paths of the configured store, without opening it; undefined when it is no local
 * one. Error `unknown-store`.
 */
export function configuredRealStoreDir({
  settings,
  environment = processEnvironment(),
  store = settings.get("store"),
}: ConfiguredStore): string | undefined {
  const reference = resolveReference(store, environment);
  return ["local", "daemon", "unix"].includes(reference.scheme)
    ? locationOf(reference, environment).realStoreDir
    : undefined;
}

/** Returns the logical directory of the configured store, without opening it. Error `unknown-store`. */
export function configuredStoreDir({
  settings,
  environment = processEnvironment(),
  store = settings.get("store"),
}: ConfiguredStore): string {
  const reference = resolveReference(store, environment);
  if (["local", "daemon", "unix"].includes(reference.scheme)) return locationOf(reference, environment).storeDir;
  return directoryOf(reference, "store") ?? machineLocation(environment).storeDir;
}
