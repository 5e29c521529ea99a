/** The fetchers' surroundings made from settings and a local store: trees, cache, downloads, registries. */

import { join } from "node:path";
import {
  downloadToFile,
  FetchCache,
  type FetchContext,
  type FetchEvent,
  fetchFile,
  inputFromUrl,
  type Registry,
  readRegistryFile,
  type SourceStore,
} from "@firn/fetch";
import { FirnError, parseRegistry, printHash, type RegistryEntry } from "@firn/formats";
import {
  type EventSink,
  hasFeature,
  type PathFacts,
  type PathWriter,
  type Settings,
  type SourceWriter,
  type StoreFiles,
  setback,
  Transferrer,
  transferOptions,
} from "@firn/store";
import { existsSync, readFileSync } from "@firn/store/files";
import { homeDirectory } from "@firn/store/surroundings";

/** The sources of the surroundings. */
export interface FetchContextOptions {
  readonly settings: Settings;
  readonly store: PathFacts & SourceWriter & PathWriter & StoreFiles;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly offline: boolean;
  /** Makes a path valid by substitution if possible; resolves to true when it is valid afterwards. */
  substitute(path: string): Promise<boolean>;
}

/** Makes the fetch context of a store; `close` ends its connections. */
export function makeFetchContext(options: FetchContextOptions): FetchContext & { close(): Promise<void> } {
  const { settings, environment, events } = options;
  const home = homeDirectory(environment);
  const cacheDirectory = join(environment.XDG_CACHE_HOME ?? join(home, ".cache"), "nix");
  const transferrer = new Transferrer(transferOptions(settings, { offline: options.offline, events }));
  const cache = new FetchCache(join(cacheDirectory, "fetcher-cache-v4.sqlite"));
  return {
    store: sourceStore(options.store, options.substitute),
    cache,
    download: (request) => downloadToFile(transferrer, request),
    emit: (event) => report(event, events),
    cacheDirectory,
    tarballTtl: settings.get("tarball-ttl"),
    allowDirty: settings.get("allow-dirty"),
    warnDirty: settings.get("warn-dirty"),
    verifiedFetches: hasFeature(settings, "verified-fetches"),
    accessTokens: settings.get("access-tokens"),
    trustTarballsFromForges: settings.get("trust-tarballs-from-git-forges"),
    homeDirectory: home,
    async close() {
      cache.close();
      await transferrer.close();
    },
  };
}

function report(event: FetchEvent, events: EventSink): void {
  if (event.kind === "detail") events({ kind: "message", level: event.level, text: event.text });
  else if (event.kind === "warning") events({ kind: "message", level: "warn", text: event.text });
  else if (event.kind === "fetching") events({ kind: "message", level: "talkative", text: `fetching '${event.what}'` });
}

/** Returns the view of a local store that fetchers have. */
function sourceStore(
  store: PathFacts & SourceWriter & PathWriter & StoreFiles,
  substitute: (path: string) => Promise<boolean>,
): SourceStore {
  return {
    storeDir: store.storeDir,
    realPath: (path) => store.realPath(path),
    async addTree({ name, path, only, isNew = false }) {
      const filter = only === undefined ? undefined : trackedFilter(only);
      const info = await store.addPath(path, { name, method: "nar", filter, isNew });
      return { storePath: info.path, narHash: printHash(info.narHash, "sri") };
    },
    async narHashOf(path) {
      let info = await store.queryPathInfo(path);
      if (info === undefined && (await substitute(path))) info = await store.queryPathInfo(path);
      if (info === undefined) return undefined;
      await store.fetchFiles?.(path);
      return printHash(info.narHash, "sri");
    },
  };
}

/** Returns a filter that keeps the listed files, and the directories above them. */
function trackedFilter(only: ReadonlySet<string>): (path: string) => boolean {
  const kept = new Set(only);
  for (const file of only) {
    for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1))
      kept.add(file.slice(0, slash));
  }
  return (path) => kept.has(path.slice(1));
}

/** The sources of registries. */
export interface RegistryOptions {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly fetch: FetchContext;
  /** Returns the entries of `--override-flake` and `--inputs-from`. */
  flags(): Promise<readonly RegistryEntry[]>;
  /** The flakes that come with Firn: the Debian package set, and the templates. */
  readonly debianSet: { readonly exists: boolean; make(): RegistryEntry["to"] };
  readonly templates: RegistryEntry["to"] | undefined;
  /** Keeps a registry that was fetched from collections, for the time when it cannot be fetched. */
  keep(storePath: string): Promise<void>;
  readonly events: EventSink;
}

/** Returns the path of the user's own registry. */
export function userRegistryPath(environment: Readonly<Record<string, string | undefined>>): string {
  const home = homeDirectory(environment);
  return join(environment.XDG_CONFIG_HOME ?? join(home, ".config"), "nix", "registry.json");
}

/** Makes the registries of an invocation, read at their first use. */
export function makeRegistries(options: RegistryOptions): {
  all(): Promise<Registry[]>;
  limited(): Promise<Registry[]>;
} {
  const { environment } = options;
  let global: Promise<Registry> | undefined;
  // A flake of --inputs-from is itself looked up, without what it is to give.
  let opening = false;
  const flags = async (): Promise<Registry> => {
    if (opening) return { kind: "flags", entries: [] };
    opening = true;
    try {
      return { kind: "flags", entries: await options.flags() };
    } finally {
      opening = false;
    }
  };
  const own: Registry = { kind: "own", entries: builtinEntries(options) };
  const shared = (): Promise<Registry> => {
    global ??= globalRegistry(options);
    return global;
  };
  return {
    all: async () => [
      await flags(),
      readRegistryFile("user", userRegistryPath(environment)),
      readRegistryFile("system", join(environment.NIX_CONF_DIR ?? "/etc/nix", "registry.json")),
      await shared(),
      own,
    ],
    limited: async () => [await flags(), await shared(), own],
  };
}

async function globalRegistry(options: RegistryOptions): Promise<Registry> {
  const location = options.settings.get("flake-registry");
  if (location === "" || (location.startsWith("/") && !existsSync(location))) return { kind: "global", entries: [] };
  try {
    let file = location;
    if (!location.startsWith("/")) {
      const fetched = await fetchFile(options.fetch, { url: location, name: "flake-registry.json" });
      await options.keep(fetched.storePath);
      file = options.fetch.store.realPath(fetched.storePath);
    }
    return { kind: "global", entries: parseRegistry(readFileSync(file, "latin1"), location) };
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    const text = `the global flake registry cannot be read, using the built-in entries: ${error.message}`;
    options.events(setback(error, text));
    return { kind: "global", entries: fallbackEntries() };
  }
}

/** Returns the entries that only Firn has: `deb` and `firn`. */
function builtinEntries({ debianSet, templates }: RegistryOptions): RegistryEntry[] {
  const own: RegistryEntry[] = templates === undefined ? [] : [{ from: indirect("firn"), to: templates, exact: false }];
  if (!debianSet.exists) return own;
  let to: RegistryEntry["to"] | undefined;
  const deb: RegistryEntry = {
    from: indirect("deb"),
    exact: false,
    // A checkout's set is made when it is asked for.
    get to() {
      to ??= debianSet.make();
      return to;
    },
  };
  return [deb, ...own];
}

function fallbackEntries(): RegistryEntry[] {
  return [{ from: indirect("nixpkgs"), to: inputFromUrl("github:NixOS/nixpkgs/nixpkgs-unstable", true), exact: false }];
}

function indirect(id: string): RegistryEntry["from"] {
  return new Map([
    ["type", "indirect"],
    ["id", id],
  ]);
}
