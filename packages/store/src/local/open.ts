/** Which store a name means: `auto`, `local`, a directory, a binary cache. */

import path from "node:path";
import { FirnError, parsePublicKey } from "@firn/formats";
import type { EventSink } from "../events.ts";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import type { Environment, Settings } from "../settings/settings.ts";
import type { Store } from "../store.ts";
import { homeDirectory, processEnvironment } from "../surroundings.ts";
import { LocalStore } from "./local-store.ts";
import { type StoreLocation, storeLocation } from "./location.ts";

/** What opening needs besides the name. */
export interface OpenContext {
  readonly settings: Settings;
  readonly environment?: Environment;
  readonly events?: EventSink;
  /** Nothing will be written: a store that is there but cannot be written is opened read-only. */
  readonly reads?: boolean;
  /** Space will be freed: what is reserved for that is given back first, since a full disk keeps the database closed. */
  readonly frees?: boolean;
}

/** A store name taken apart: scheme, rest, query parameters. */
export interface StoreReference {
  readonly scheme: string;
  readonly target: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Takes `scheme://target?key=value` apart; a path is scheme `local` with parameter `root`. */
export function parseStoreReference(text: string): StoreReference {
  const question = text.indexOf("?");
  const parameters = new Map(question < 0 ? [] : new URLSearchParams(text.slice(question + 1)));
  const name = question < 0 ? text : text.slice(0, question);
  if (name === "" || name === "auto") return { scheme: "auto", target: "", parameters };
  if (name === "local" || name === "daemon") return { scheme: name, target: "", parameters };
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(name);
  if (match !== null) {
    const [, scheme, target] = match;
    if (scheme === "local" && target !== "") parameters.set("root", target!);
    return { scheme: scheme!, target: target!, parameters };
  }
  if (name.startsWith("/") || name.startsWith("./") || name.startsWith("../") || name.startsWith("~/")) {
    const home = name.startsWith("~/") ? path.join(homeDirectory(), name.slice(2)) : name;
    parameters.set("root", path.resolve(home));
    return { scheme: "local", target: "", parameters };
  }
  throw new FirnError("unknown-store", `don't know how to open Nix store with reference '${text}'`);
}

function writable(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a directory lies on a file system that nobody can write: what is there can be read, and writing fails when it is tried. */
function mountedReadOnly(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK);
    return false;
  } catch (error) {
    return hasErrorCode(error, "EROFS");
  }
}

/** Directories of the machine's own store, as the environment has them. */
export function machineLocation(environment: Environment): StoreLocation {
  const pick = (name: string, fallback: string): string => path.resolve(environment[name] ?? fallback);
  return storeLocation({
    storeDir: pick("NIX_STORE_DIR", environment.NIX_STORE ?? "/nix/store"),
    stateDir: pick("NIX_STATE_DIR", "/nix/var/nix"),
    logDir: pick("NIX_LOG_DIR", "/nix/var/log/nix"),
  });
}

/** The root of the chroot store that `auto` may choose. */
export function userStoreRoot(environment: Environment): string {
  const home = homeDirectory(environment);
  return path.join(environment.XDG_DATA_HOME ?? path.join(home, ".local", "share"), "nix", "root");
}

/** What `auto` means here and now: the machine's store, its daemon, or a store of one's own. */
export function resolveAuto(environment: Environment): StoreReference {
  const location = machineLocation(environment);
  const socket = environment.NIX_DAEMON_SOCKET_PATH ?? `${location.stateDir}/daemon-socket/socket`;
  const none = new Map<string, string>();
  if (writable(location.stateDir)) return { scheme: "local", target: "", parameters: none };
  if (fs.existsSync(socket)) return { scheme: "daemon", target: "", parameters: none };
  const own =
    process.getuid?.() !== 0 &&
    !fs.existsSync(location.stateDir) &&
    environment.NIX_STORE_DIR === undefined &&
    environment.NIX_STATE_DIR === undefined;
  if (own) return { scheme: "local", target: "", parameters: new Map([["root", userStoreRoot(environment)]]) };
  return { scheme: "local", target: "", parameters: none };
}

/** A parameter that names a directory, absolute. */
function directoryOf({ parameters }: StoreReference, name: string): string | undefined {
  const value = parameters.get(name);
  return value === undefined ? undefined : path.resolve(value);
}

function locationOf(reference: StoreReference, environment: Environment): StoreLocation {
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

/** Opens a local store by its parameters (`root`, `store`, `real`, `state`, `log`, `read-only`, `require-sigs`). */
export async function openLocal(reference: StoreReference, context: OpenContext): Promise<LocalStore> {
  const { settings } = context;
  const { parameters } = reference;
  const root = directoryOf(reference, "root");
  const location = locationOf(reference, context.environment ?? processEnvironment());
  const flag = (name: string): boolean | undefined => {
    const value = parameters.get(name);
    return value === undefined ? undefined : value === "true" || value === "1";
  };
  const present = fs.existsSync(`${location.stateDir}/db`);
  const foreign = present && context.reads === true && !writable(location.stateDir);
  return LocalStore.open({
    location,
    uri: root === undefined ? "local" : `local?root=${root}`,
    readOnly: foreign || (present && mountedReadOnly(location.stateDir)) || (flag("read-only") ?? false),
    requireSigs: flag("require-sigs") ?? settings.get("require-sigs"),
    trustedKeys: settings.get("trusted-public-keys").map(parsePublicKey),
    fsyncMetadata: settings.get("fsync-metadata"),
    fsyncStorePaths: settings.get("fsync-store-paths"),
    useWal: settings.get("use-sqlite-wal"),
    keepOutputs: settings.get("keep-outputs"),
    keepDerivations: settings.get("keep-derivations"),
    reservedSpace: settings.get("gc-reserved-space"),
    releaseReserve: context.frees ?? false,
    autoOptimise: settings.get("auto-optimise-store"),
    ...(context.events === undefined ? {} : { events: context.events }),
  });
}

/** Takes the name of a store apart; `auto` becomes what it means here. */
function resolveReference(text: string, environment: Environment): StoreReference {
  const reference = parseStoreReference(text);
  if (reference.scheme !== "auto") return reference;
  const resolved = resolveAuto(environment);
  return { ...resolved, parameters: new Map([...resolved.parameters, ...reference.parameters]) };
}

/** Where the paths of the configured store lie on disk, without opening it; undefined when it is no local one. Error `unknown-store`. */
export function configuredRealStoreDir({
  settings,
  environment = processEnvironment(),
}: OpenContext): string | undefined {
  const reference = resolveReference(settings.get("store"), environment);
  return reference.scheme === "local" ? locationOf(reference, environment).realStoreDir : undefined;
}

/** Opens the local store that `text` (default: the setting `store`) names; other kinds are an error here. */
export async function openLocalStore(context: OpenContext, text = context.settings.get("store")): Promise<LocalStore> {
  const reference = resolveReference(text, context.environment ?? processEnvironment());
  if (reference.scheme === "local") return openLocal(reference, context);
  throw new FirnError("unsupported-store", `a store of kind '${reference.scheme}' cannot be used here`, {
    hint: "use a local store, e.g. --store local or --store DIRECTORY",
  });
}

/** Whether a store is a local one. */
export function isLocalStore(store: Store): store is LocalStore {
  return store instanceof LocalStore;
}
