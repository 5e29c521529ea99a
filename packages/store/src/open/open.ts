/** Opens stores by name, through one table of schemes, and the substituters that the settings list. */
import path from "node:path";
import { FirnError, parsePublicKey, parseSecretKey, type wire, withoutPasswords } from "@firn/formats";
import { type EventSink, noEvents, setback } from "../events.ts";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { LocalStore } from "../local/local-store.ts";
import { clientOptionsOf } from "../remote/client-settings.ts";
import { DaemonStore, type DaemonStoreOptions } from "../remote/daemon-store.ts";
import { LocalDaemonStore, MountedDaemonStore } from "../remote/local-daemon-store.ts";
import { parseSshAuthority } from "../remote/ssh-authority.ts";
import { SshStore } from "../remote/ssh-store.ts";
import { connectBySsh, connectToSocket, type SshOptions } from "../remote/transport.ts";
import { type Environment, hasFeature, requireFeature, type Settings } from "../settings/settings.ts";
import { isMachineStore, type MachineStore, type Store } from "../store/store.ts";
import { BinaryCacheStore } from "../substitute/binary-cache.ts";
import { type CacheFiles, cacheFilesAt } from "../substitute/cache-files.ts";
import { NarInfoCache } from "../substitute/narinfo-cache.ts";
import { decoded, Transferrer, transferOptions } from "../substitute/transfer.ts";
import { fileUrlOf, processEnvironment, treatsFilesAsRemote, userCacheDirectory } from "../surroundings.ts";
import { DummyStore } from "./dummy-store.ts";
import { daemonSocket, directoryOf, locationOf, machineLocation, resolveReference, writable } from "./location.ts";
import {
  daemonParameters,
  dummyParameters,
  fileCacheParameters,
  httpCacheParameters,
  localParameters,
  mountedSshParameters,
  type ParameterTable,
  StoreParameters,
  s3CacheParameters,
  sshNgParameters,
  sshParameters,
} from "./parameters.ts";
import type { StoreReference } from "./reference.ts";

/** The surroundings of opening a store. */
export interface OpenContext {
  readonly settings: Settings;
  readonly environment?: Environment;
  readonly events?: EventSink;
  /** True when nothing will be written: a store that cannot be written is opened read-only. */
  readonly reads?: boolean;
  /** True when space will be freed: the reserved space is deleted first, since the database cannot be opened on a full disk. */
  readonly frees?: boolean;
  /** True when a store elsewhere is to be used like one of this machine, by evaluations. */
  readonly stages?: boolean;
  /** The transferrer to share; by default one is made when needed. */
  readonly transferrer?: Transferrer;
  /** True when the network must not be used. */
  readonly offline?: boolean;
  /** Number of the most talkative level of messages that a daemon is to send; two is the reference's `notice`. */
  readonly verbosity?: number;
  /** The protocol that is spoken with daemons; by default the newest. */
  readonly workerProtocol?: wire.WireProtocol;
  /** Milliseconds that the other end of a connection has to answer the greeting; by default any number. */
  readonly greetingTime?: number;
}

/** Makes the transferrer that the settings describe. */
export function makeTransferrer(context: OpenContext): Transferrer {
  return (
    context.transferrer ??
    new Transferrer(
      transferOptions(context.settings, {
        offline: context.offline ?? false,
        ...(context.events === undefined ? {} : { events: context.events }),
      }),
    )
  );
}

/** Returns the words that the user gives to every ssh. */
export function sshOptions(environment: Readonly<Record<string, string | undefined>>): string[] {
  return (environment.NIX_SSHOPTS ?? "").split(/\s+/).filter((word) => word !== "");
}

/** A kind of store: its parameters, and the function that opens it. */
interface StoreKind<Table extends ParameterTable> {
  readonly parameters: Table;
  open(reference: StoreReference, parameters: StoreParameters<Table>, context: OpenContext): Promise<Store>;
}

/** Opens a store of one kind and reads its parameters. */
type Opener = (reference: StoreReference, context: OpenContext) => Promise<Store>;

function opener<Table extends ParameterTable>(kind: StoreKind<Table>): Opener {
  return async (reference, context) => {
    const warn = (text: string): void => context.events?.({ kind: "message", level: "warn", text });
    return kind.open(reference, new StoreParameters(kind.parameters, reference.parameters, warn), context);
  };
}

const openLocal = opener({
  parameters: localParameters,
  async open(reference, parameters, context) {
    const { settings } = context;
    const root = directoryOf(reference, "root");
    const location = locationOf(reference, context.environment ?? processEnvironment());
    const present = fs.existsSync(`${location.stateDir}/db`);
    const foreign = present && context.reads === true && !writable(location.stateDir);
    const systemFeatures = parameters.get("system-features");
    return LocalStore.open({
      location,
      ...(systemFeatures === undefined ? {} : { systemFeatures }),
      uri: root === undefined ? "local" : `local?root=${root}`,
      readOnly: foreign || (present && mountedReadOnly(location.stateDir)) || (parameters.get("read-only") ?? false),
      requireSigs: parameters.get("require-sigs") ?? settings.get("require-sigs"),
      trustedKeys: settings.get("trusted-public-keys").map(parsePublicKey),
      fsyncMetadata: settings.get("fsync-metadata"),
      fsyncStorePaths: settings.get("fsync-store-paths"),
      useWal: settings.get("use-sqlite-wal"),
      keepOutputs: settings.get("keep-outputs"),
      keepDerivations: settings.get("keep-derivations"),
      useRootsDaemon: usesRootsDaemon(parameters.get("use-roots-daemon") ?? false, context),
      reservedSpace: settings.get("gc-reserved-space"),
      releaseReserve: context.frees ?? false,
      autoOptimise: settings.get("auto-optimise-store"),
      autoGc: {
        minFree: settings.get("min-free"),
        maxFree: settings.get("max-free"),
        interval: settings.get("min-free-check-interval"),
      },
      ...(context.events === undefined ? {} : { events: context.events }),
    });
  },
});

/** Tells whether a store asks a daemon for runtime roots: without its feature the parameter has no effect, as in the reference. */
function usesRootsDaemon(isWanted: boolean, { settings, events }: OpenContext): boolean {
  const feature = "local-overlay-store";
  if (!isWanted || hasFeature(settings, feature)) return isWanted;
  const text = `Ignoring setting 'use-roots-daemon' because experimental feature '${feature}' is not enabled`;
  events?.({ kind: "message", level: "warn", text });
  return false;
}

/** Tells whether a directory is on a read-only file system: its files can be read, and writing fails when it is tried. */
function mountedReadOnly(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK);
    return false;
  } catch (error) {
    return hasErrorCode(error, "EROFS");
  }
}

type CacheParameters = Pick<StoreParameters<typeof fileCacheParameters>, "get">;

/** Opens the binary cache with such files; its store directory is this machine's unless the URL says otherwise. */
function openCache(files: CacheFiles, parameters: CacheParameters, context: OpenContext): Promise<Store> {
  const priority = parameters.get("priority");
  const compression = parameters.get("compression");
  const compressionLevel = parameters.get("compression-level");
  const localNarCache = parameters.get("local-nar-cache");
  const parallelCompression = parameters.get("parallel-compression");
  const wantMassQuery = parameters.get("want-mass-query");
  const known = files.uri.startsWith("file:") && !treatsFilesAsRemote() ? undefined : factsOnDisk(files.uri, context);
  const keyFiles = [parameters.get("secret-key"), ...(parameters.get("secret-keys") ?? "").split(",")];
  return BinaryCacheStore.open({
    files,
    storeDir: parameters.get("store") ?? machineLocation(context.environment ?? processEnvironment()).storeDir,
    ...(compression === undefined ? {} : { compression }),
    ...(compressionLevel === undefined ? {} : { compressionLevel }),
    ...(localNarCache === undefined || localNarCache === "" ? {} : { localNarCache }),
    ...(parallelCompression === undefined ? {} : { parallelCompression }),
    ...(priority === undefined ? {} : { priority }),
    ...(wantMassQuery === undefined ? {} : { wantMassQuery }),
    secretKeys: keyFiles
      .filter((file) => file !== undefined && file !== "")
      .map((file) => parseSecretKey(fs.readFileSync(file!, "latin1"))),
    writeNarListing: parameters.get("write-nar-listing") ?? false,
    indexDebugInfo: parameters.get("index-debug-info") ?? false,
    ...(known === undefined ? {} : { known }),
  });
}

/** Returns the facts about caches that are kept on disk; none about a cache whose URL has a password in it. */
function factsOnDisk(
  url: string,
  { settings, environment = processEnvironment() }: OpenContext,
): NarInfoCache | undefined {
  const base = userCacheDirectory(environment);
  if (base === undefined || withoutPasswords(url) !== url) return undefined;
  return new NarInfoCache(path.join(base, "nix/binary-cache-v7.sqlite"), {
    positive: settings.get("narinfo-cache-positive-ttl"),
    negative: settings.get("narinfo-cache-negative-ttl"),
    meta: settings.get("narinfo-cache-meta-ttl"),
  });
}

const openHttpCache = opener({
  parameters: httpCacheParameters,
  async open({ scheme, target }, parameters, context) {
    if (/^\/*$/.test(target)) {
      throw new FirnError("unknown-store", `\`${scheme}\` Store requires a non-empty authority in Store URL`);
    }
    return openCache(cacheFilesAt(`${scheme}://${target}`, makeTransferrer(context)), parameters, context);
  },
});

const openBucket = opener({
  parameters: s3CacheParameters,
  async open({ target }, parameters, context) {
    const [bucket = "", ...names] = target.replace(/\/+$/, "").split("/");
    if (bucket === "") throw new FirnError("unknown-store", "URI has a missing or invalid bucket name");
    if (context.offline === true) throw new FirnError("offline", `cannot use 's3://${bucket}' in offline mode`);
    const { bucketFiles } = await import("../substitute/s3-files.ts");
    const files = await bucketFiles({
      bucket,
      prefix: names.join("/"),
      region: parameters.get("region") ?? "us-east-1",
      profile: parameters.get("profile"),
      scheme: oneOf("scheme", parameters.get("scheme") ?? "https", ["http", "https"]),
      endpoint: parameters.get("endpoint"),
      addressing: oneOf("addressing-style", parameters.get("addressing-style") ?? "auto", ["auto", "path", "virtual"]),
      parts:
        parameters.get("multipart-upload") === true
          ? {
              threshold: parameters.get("multipart-threshold") ?? defaultPartsFrom,
              size: parameters.get("multipart-chunk-size") ?? parameters.get("buffer-size") ?? leastPart,
            }
          : undefined,
      storageClass: parameters.get("storage-class"),
    });
    return openCache(files, parameters, context);
  },
});

/** Size from which on a file is sent to S3 in parts, and that of a part, in bytes, unless the URL says otherwise. */
const defaultPartsFrom = 100 * 1024 * 1024;
const leastPart = 5 * 1024 * 1024;

/** Reads a parameter that is one of several words. Error `bad-setting`. */
function oneOf<const Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const choice = words.map((word) => `'${word}'`).join(", ");
  throw new FirnError("bad-setting", `setting '${name}' has invalid value '${text}', expected one of ${choice}`);
}

/** The number of connections to a daemon that are open at most, unless the URL says otherwise. */
const daemonConnections = 4;

type ServedParameters = Pick<StoreParameters<typeof daemonParameters>, "get">;

/** Returns the options that all stores with daemons have. */
function daemonOptions(
  parameters: ServedParameters,
  { events, ...context }: OpenContext,
): Omit<DaemonStoreOptions, "uri" | "connect" | "storeDir"> {
  const age = parameters.get("max-connection-age");
  return {
    events: events ?? noEvents,
    maxConnections: parameters.get("max-connections") ?? daemonConnections,
    ...(age === undefined ? {} : { maxConnectionAge: age }),
    ...(context.workerProtocol === undefined ? {} : { protocol: context.workerProtocol }),
    ...(context.greetingTime === undefined ? {} : { greetingTime: context.greetingTime }),
  };
}

/** Opens the store of a daemon on this machine: the one that owns the machine's store, or the one behind a socket. */
const openDaemon = opener({
  parameters: daemonParameters,
  async open(reference, parameters, context) {
    const { environment = processEnvironment() } = context;
    const location = locationOf(reference, environment);
    const given = reference.scheme === "unix" && reference.target !== "" ? reference.target : undefined;
    const socket = given ?? daemonSocket(environment);
    return new LocalDaemonStore({
      ...daemonOptions(parameters, context),
      uri: given === undefined ? "daemon" : `unix://${given}`,
      location,
      storeDir: location.storeDir,
      connect: () => connectToSocket(socket),
      settings: () => clientOptionsOf(context.settings, { verbosity: context.verbosity ?? 2, overrides: true }),
    });
  },
});

type SshParameters = Pick<StoreParameters<typeof sshParameters>, "get">;

/** Returns the machine of a URL, and how to reach it. */
function sshOptionsOf(
  { target }: StoreReference,
  parameters: SshParameters,
  { environment = processEnvironment(), events }: OpenContext,
): SshOptions {
  const { host, words } = parseSshAuthority(target);
  const key = parameters.get("ssh-key");
  const hostKey = parameters.get("base64-ssh-public-host-key");
  return {
    host,
    sshOptions: [...sshOptions(environment), ...words],
    compress: parameters.get("compress") ?? false,
    environment,
    ...(events === undefined ? {} : { events }),
    ...(key === undefined || key === "" ? {} : { key }),
    ...(hostKey === undefined || hostKey === "" ? {} : { hostKey }),
  };
}

type SshNgParameters = Pick<StoreParameters<typeof sshNgParameters>, "get">;

/** Returns the options of a store behind a daemon that ssh starts. */
function sshDaemonOptions(
  reference: StoreReference,
  parameters: SshNgParameters,
  context: OpenContext,
): DaemonStoreOptions {
  const { environment = processEnvironment() } = context;
  const options = sshOptionsOf(reference, parameters, context);
  const remoteStore = parameters.get("remote-store") ?? "";
  const [program = "nix-daemon", ...words] = parameters.get("remote-program") ?? [];
  const store = remoteStore === "" ? [] : ["--store", remoteStore];
  return {
    ...daemonOptions(parameters, context),
    uri: `${reference.scheme}://${reference.target}`,
    storeDir: parameters.get("store") ?? machineLocation(environment).storeDir,
    connect: async () => connectBySsh(options, [program, ...words, "--stdio", ...store]),
  };
}

/** Opens the store of a daemon on another machine. */
const openSshDaemon = opener({
  parameters: sshNgParameters,
  open: async (reference, parameters, context) => new DaemonStore(sshDaemonOptions(reference, parameters, context)),
});

/** Opens the store of a daemon on another machine whose files are mounted here. */
const openMountedDaemon = opener({
  parameters: mountedSshParameters,
  async open(reference, parameters, context) {
    requireFeature(context.settings, "mounted-ssh-store");
    const location = locationOf(reference, context.environment ?? processEnvironment());
    return new MountedDaemonStore({ ...sshDaemonOptions(reference, parameters, context), location });
  },
});

/** Openers by the scheme of a store's URL. */
const schemes: Readonly<Record<string, Opener>> = {
  local: openLocal,
  daemon: openDaemon,
  unix: openDaemon,
  dummy: opener({
    parameters: dummyParameters,
    async open({ target }, parameters, { environment = processEnvironment() }) {
      if (target !== "") {
        throw new FirnError("usage", `\`dummy\` store URIs must not contain an authority part ${target}`);
      }
      const storeDir = parameters.get("store") ?? machineLocation(environment).storeDir;
      return new DummyStore(storeDir, parameters.get("read-only") ?? true);
    },
  }),
  file: opener({
    parameters: fileCacheParameters,
    async open({ target }, parameters, context) {
      // What stands before the path would be a machine.
      if (!target.startsWith("/")) {
        throw new FirnError("unknown-store", `Cannot parse Nix store 'file://${target}'`, {
          hint: `a binary cache in a directory is named by its absolute path: 'file:///directory'`,
        });
      }
      const directory = path.resolve("/", decoded(target));
      return openCache(cacheFilesAt(fileUrlOf(directory), makeTransferrer(context)), parameters, context);
    },
  }),
  http: openHttpCache,
  https: openHttpCache,
  s3: openBucket,
  ssh: opener({
    parameters: sshParameters,
    async open(reference, parameters, context) {
      const remoteStore = parameters.get("remote-store") ?? "";
      return new SshStore({
        ...sshOptionsOf(reference, parameters, context),
        program: parameters.get("remote-program") ?? ["nix-store"],
        storeDir: parameters.get("store") ?? machineLocation(context.environment ?? processEnvironment()).storeDir,
        ...(remoteStore === "" ? {} : { remoteStore }),
        ...(context.greetingTime === undefined ? {} : { greetingTime: context.greetingTime }),
      });
    },
  }),
  "ssh-ng": openSshDaemon,
  "mounted-ssh-ng": openMountedDaemon,
};

/** Opens the store that `text` names. Errors `unknown-store`, `unsupported-store`, `bad-setting`, those of the stores. */
export async function openStore(text: string, context: OpenContext): Promise<Store> {
  const reference = resolveReference(text, context.environment ?? processEnvironment());
  const open = Object.hasOwn(schemes, reference.scheme) ? schemes[reference.scheme] : undefined;
  if (open !== undefined) return open(reference, context);
  throw new FirnError("unknown-store", `don't know how to open Nix store with scheme '${reference.scheme}'`);
}

/**
 * Opens the store of this machine that `text` (default: the setting `store`) names. Other kinds are an error, unless `context.stages`
 * is true: then the files of their paths are had in a temporary directory.
 */
export async function openMachineStore(
  context: OpenContext,
  text: string = context.settings.get("store"),
): Promise<MachineStore> {
  const store = await openStore(text, context);
  if (isMachineStore(store)) return store;
  if (context.stages === true) return (await import("./staged-store.ts")).StagedStore.open(store, context.events);
  await store.close();
  throw new FirnError("unsupported-store", `the store '${store.uri}' cannot be used here`, {
    hint: "use a local store, e.g. --store local or --store DIRECTORY",
  });
}

/** Opens the substituters of the settings, best first; one that cannot be opened is reported and left out. */
export async function openSubstituters(context: OpenContext): Promise<Store[]> {
  const { settings, events } = context;
  if (!settings.get("substitute")) return [];
  const transferrer = makeTransferrer(context);
  const opened = await Promise.all(
    [...new Set(settings.get("substituters"))].map(async (text): Promise<Store | undefined> => {
      try {
        return await openStore(text, { ...context, transferrer });
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        events?.(setback(error, `${error.message}; not using substituter '${withoutPasswords(text)}'`));
        return undefined;
      }
    }),
  );
  const priority = (store: Store): number => (store instanceof BinaryCacheStore ? store.priority : 0);
  return opened.filter((store) => store !== undefined).sort((a, b) => priority(a) - priority(b));
}

/** Returns those of the paths that caches have which are meant to be asked about many (`WantMassQuery`). */
export async function queryMassPaths(substituters: readonly Store[], paths: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const cache of substituters) {
    if (!(cache instanceof BinaryCacheStore) || !cache.wantMassQuery) continue;
    for (const path of await cache.queryValidPaths(paths.filter((path) => !found.has(path)))) found.add(path);
  }
  return found;
}
