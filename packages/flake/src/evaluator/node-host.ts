/** The EvalHost over Node: files are read here, everything else goes to services. Runs inside the evaluator's worker. */

import type { Stats } from "node:fs";
import { canonicalPath, FirnError, storePathBaseName } from "@firn/formats";
import {
  type EvalHost,
  type EvalMessage,
  type EvalMode,
  type FileType,
  fetchurlSource,
  type SearchPathEntry,
} from "@firn/language";
import { entriesIn, kindOf, machineError, runProgramSync } from "@firn/store";
import * as fs from "@firn/store/files";
import { workingDirectory } from "@firn/store/surroundings";
import { openCodeCache } from "./code-cache.ts";
import { FilesAhead, type Hashed, type ReadAheadRequest } from "./files-ahead.ts";
import { openKeptFiles } from "./kept-files.ts";
import { type LastComponent, PathGuard } from "./path-guard.ts";
import { entriesInPlace, openInPlace, type PlacedTrees } from "./placed-trees.ts";
import type { SyncServices } from "./services.ts";
import type { ShownTrees } from "./shown-trees.ts";
import { storePlaces } from "./store-places.ts";

/** The configuration of an evaluation that is plain data. */
export interface HostConfig {
  readonly mode: EvalMode;
  readonly storeDir: string;
  /** Directory of the store's files when it differs from the logical one (a chroot store). */
  readonly realStoreDir?: string;
  readonly currentSystem: string;
  readonly nixVersion: string;
  readonly searchPath: readonly SearchPathEntry[];
  /** Directory from which relative search path entries start. */
  readonly workingDirectory?: string;
  readonly homeDirectory: string;
  /** Time of the evaluation, in seconds since 1970. */
  readonly currentTime: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Paths that may be read in pure and restricted mode, besides those that the evaluation itself allows. */
  readonly allowedPaths: readonly string[];
  readonly allowedUris: readonly string[];
  readonly showTrace: boolean;
  /** Set when evaluation stops at errors and breakpoints (`--debugger`). */
  readonly debugger?: { readonly ignoreTry: boolean; readonly stopOnTrace: boolean; readonly stopOnWarning: boolean };
  /** Directory in which lowered code is kept; when absent, none is kept. */
  readonly codeDirectory?: string;
  /** Set when calls are traced or counted: samples a second, and the file for the folded stacks. */
  readonly calls?: {
    readonly trace: boolean;
    readonly profile?: { readonly frequency: number; readonly file: string };
  };
}

type PathFilter = NonNullable<Parameters<EvalHost["addPathToStore"]>[0]["filter"]>;

const corePackages = "/__corepkgs__/";

/** Makes the error for a path at which there is nothing; `reason` is what is known of it. */
function notFound(path: string, reason: string | undefined): FirnError {
  return new FirnError("path-not-found", reason ?? `path '${path}' does not exist`);
}

function systemErrorAt(
  error: unknown,
  at: { action: string; path: string; whyMissing: string | undefined },
): FirnError {
  const { action, path } = at;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const missing = code === "ENOENT" || code === "ENOTDIR";
  if (missing) return notFound(path, at.whyMissing);
  const reasons: Readonly<Record<string, string>> = {
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
    ENAMETOOLONG: "File name too long",
  };
  return new FirnError("system-error", `${action} '${path}': ${reasons[code] ?? code}`, { cause: error });
}

function uriAllowed(uri: string, prefix: string): boolean {
  if (uri === prefix) return true;
  if (!uri.startsWith(prefix)) return false;
  if (prefix.endsWith("/") || uri[prefix.length] === "/") return true;
  return /^[a-z+]+:$/.test(prefix);
}

/**
 * Gives the bytes of a file, which is over after `size` bytes if those are known, until it gives the next. With `isInPlace` the file is
 * one of a tree that is read where it lies: no link is followed.
 */
type FileReader = (path: string, size?: number, isInPlace?: boolean) => Buffer;

/** Makes a reader that uses one buffer for all small files, since buffers of their own would cause garbage collection. */
function makeFileReader(): FileReader {
  let buffer: Buffer | undefined;
  return (path, size, isInPlace = false) => {
    buffer ??= Buffer.allocUnsafeSlow(512 * 1024);
    const descriptor = isInPlace ? openInPlace(path) : fs.openSync(path, fs.constants.O_RDONLY);
    try {
      let length = 0;
      for (;;) {
        const got = fs.readSync(descriptor, buffer, length, buffer.length - length, null);
        length += got;
        if (got === 0 || length === size) return buffer.subarray(0, length);
        if (length === buffer.length) break;
      }
      return Buffer.concat([buffer, fs.readFileSync(descriptor)]);
    } finally {
      fs.closeSync(descriptor);
    }
  };
}

/** Tells whether a search path entry is fetched. */
function isUrl(path: string): boolean {
  return /^(channel:|flake:|https?:|file:|tarball\+|git\+)/.test(path) || /^[a-z+]+:\/\//.test(path);
}

/** Runs a program and returns its output; its standard error is that of the evaluation. */
function runProgram(words: readonly string[]): string {
  const [program = "", ...args] = words;
  const done = runProgramSync(program, args, { stdio: ["inherit", "pipe", "inherit"], maxBuffer: 1 << 30 });
  const shown = JSON.stringify(program);
  if (done.error !== undefined) {
    const missing = "code" in done.error && done.error.code === "ENOENT";
    const reason = missing ? "No such file or directory" : done.error.message;
    throw new FirnError("program-failed", `executing ${shown}: ${reason}`);
  }
  if (done.signal !== null)
    throw new FirnError("program-failed", `program ${shown} failed due to signal ${done.signal}`);
  if (done.status !== 0) throw new FirnError("program-failed", `program ${shown} failed with exit code ${done.status}`);
  return done.stdout.toString("latin1");
}

/** Makes a host over the file system, with `services` for store, builds and fetches. */
export function createNodeHost(
  config: HostConfig,
  services: SyncServices,
  ends: {
    report(message: EvalMessage): void;
    interrupted(): boolean;
    readonly shownTrees?: ShownTrees;
    /** The trees that are read where they lie. */
    readonly trees?: PlacedTrees;
    /** Hashes files in advance, where another thread can. */
    readAhead?(request: ReadAheadRequest): void;
  },
): EvalHost {
  const { mode, storeDir } = config;
  const guarded = mode.pure || mode.restricted;
  const named = new Set(config.searchPath.map(({ path }) => path));
  const kept = config.codeDirectory === undefined ? undefined : openKeptFiles(config.codeDirectory);
  const ahead = kept === undefined || ends.readAhead === undefined ? undefined : new FilesAhead(kept, ends.readAhead);
  const resolvedEntries = new Map<string, string | undefined>();
  const realStoreDir = config.realStoreDir ?? storeDir;
  const guard = new PathGuard(
    {
      storeDir,
      forbidden: mode.pure
        ? "in pure evaluation mode (use '--impure' to override)"
        : mode.restricted
          ? "in restricted mode"
          : undefined,
      allowed: config.allowedPaths,
      showsParents: !mode.pure,
    },
    {
      kindOf: kindOnTheWay,
      targetOf: (path) => fs.readlinkSync(onDisk(path), "latin1"),
    },
  );
  if (mode.restricted && !mode.pure) {
    for (const path of named) if (!isUrl(path)) guard.allow(absolutePath(path));
  }

  /** Allows reading a store path that was built, and all that it refers to. */
  function allowClosure(root: string): void {
    const closure = new Set([root]);
    for (const path of closure) {
      guard.allow(path);
      for (const reference of services.queryPath(path)?.references ?? []) closure.add(reference);
    }
  }

  function absolutePath(path: string): string {
    const base = config.workingDirectory ?? workingDirectory();
    return canonicalPath(path.startsWith("/") ? path : `${base}/${path}`);
  }

  /** Returns the place of a logical path on disk, as a byte string. */
  const placeInStore = storePlaces({
    storeDir,
    realStoreDir,
    pure: mode.pure,
    has: (at) => fs.lstatSync(at, { throwIfNoEntry: false }) !== undefined,
  });

  const { trees } = ends;

  function place(path: string): string {
    const placed = trees?.placeOf(path);
    if (placed === undefined || placed.kind === "absent") return placeInStore(path);
    return placed.kind === "local" ? placed.place : placeInStore(placed.place);
  }

  /** Tells whether a logical path lies in a tree that is read where it lies. */
  function isLocal(path: string): boolean {
    return trees?.placeOf(path)?.kind === "local";
  }

  /** The path on disk of a logical path. */
  function onDisk(path: string): string {
    if (path.includes(".drv") || path === storeDir) services.settle?.();
    return place(path);
  }

  // Where the store's files lie elsewhere the system would follow the links between them to another place.
  const resolves = guarded || realStoreDir !== storeDir;

  /** Returns the place that a path reaches; fails when the evaluation may not read it. */
  function reach(path: string, last: LastComponent): string {
    return resolves && !path.startsWith(corePackages) ? reachGuarded(path, last) : path;
  }

  function reachGuarded(path: string, last: LastComponent): string {
    try {
      return guard.reach(path, last);
    } catch (error) {
      if (!(error instanceof FirnError) || error.code !== "restricted-path") throw error;
      if (!path.startsWith(`${storeDir}/`) || trees?.settles(path) !== true) throw error;
      return guard.reach(path, last);
    }
  }

  /** Makes sure that a store path which the program has is allowed if it is that of a tree. */
  function settle(path: string): void {
    if (trees?.isAnyPending === true && !guard.coversTree(path)) trees.settles(path);
  }

  /** Does the work of `reach` for a whole file or directory: the store directory itself may neither be listed nor copied. */
  function reachContents(path: string, last: LastComponent): string {
    const place = reach(path, last);
    if (mode.pure && place === storeDir) {
      throw new FirnError("not-in-store", `path '${storeDir}/' is not in the Nix store`);
    }
    return place;
  }

  /** Returns the place at which an operation failed, for its message. */
  function placeOfFailure(path: string): string {
    try {
      return guard.reach(path, "follow");
    } catch (error) {
      if (error instanceof FirnError) throw error;
      return path;
    }
  }

  function systemError(error: unknown, action: string, path: string): FirnError {
    return systemErrorAt(error, { action, path, whyMissing: ends.shownTrees?.whyUnreadable(path) });
  }

  const forProgram = makeFileReader();
  // A reader of its own: the code cache may use a source's bytes long after the program has read other files.
  const forCode = makeFileReader();
  /** The file that was looked at last: code that is imported is read next, and its end need not be looked for. */
  let seen: { readonly path: string; readonly status: Stats } | undefined;

  /** Returns the kind of the file at a place, whether it may be read or not. */
  function look(path: string): FileType | undefined {
    const found = fs.lstatSync(onDisk(path), { throwIfNoEntry: false });
    trees?.look(path, found);
    if (found === undefined) return undefined;
    const type = kindOf(found);
    seen = type === "regular" ? { path, status: found } : undefined;
    return type;
  }

  /** Does the work of `look`, with undefined for files whose status cannot be read; the error follows when they are read. */
  function kindOnTheWay(path: string): FileType | undefined {
    if (seen?.path === path) return "regular";
    try {
      return look(path);
    } catch (error) {
      if (machineError(error) === undefined) throw error;
      return undefined;
    }
  }

  /** The status of a regular file; what cannot be looked at has its error when it is read. */
  function statusOfFile(place: string): Stats | undefined {
    if (place.startsWith(corePackages)) return undefined;
    return kindOnTheWay(place) === "regular" && seen?.path === place ? seen.status : undefined;
  }

  function fileType(path: string): FileType | undefined {
    if (path.startsWith(corePackages)) return path === `${corePackages}fetchurl.nix` ? "regular" : undefined;
    const place = reach(path, "keep");
    try {
      return look(place);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw systemError(error, "getting status of", placeOfFailure(path));
    }
  }

  function resolveSymlinks(path: string): string {
    if (path.startsWith(corePackages)) return path;
    if (resolves) return reachGuarded(path, "follow");
    try {
      return fs.realpathSync(onDisk(path));
    } catch (error) {
      throw systemError(error, "resolving", placeOfFailure(path));
    }
  }

  /** Tells whether the links of an allowed path lead to an allowed path. */
  function leadsToAllowed(path: string): boolean {
    try {
      reach(path, "follow");
      return true;
    } catch (error) {
      if (error instanceof FirnError && error.code === "restricted-path") return false;
      throw error;
    }
  }

  function searchPathEntry(path: string): string | undefined {
    if (isUrl(path)) {
      if (!named.has(path)) checkUri(path);
      const fetched = services.resolveSearchPathUrl(path);
      if (fetched === undefined) return missingEntry(path);
      guard.allow(fetched);
      return fetched;
    }
    const absolute = absolutePath(path);
    guard.check(absolute);
    if (leadsToAllowed(absolute) && fileType(absolute) !== undefined) return absolute;
    return missingEntry(path);
  }

  function missingEntry(path: string): undefined {
    ends.report({ kind: "warning", text: `Nix search path entry '${path}' does not exist, ignoring` });
    return undefined;
  }

  /** Returns the size of a file whose status was read just before. */
  function sizeSeen(path: string): number | undefined {
    const size = seen?.path === path ? seen.status.size : undefined;
    seen = undefined;
    return size;
  }

  function readBytes(path: string, readFile: FileReader): Buffer {
    if (path === `${corePackages}fetchurl.nix`) return Buffer.from(fetchurlSource, "latin1");
    const place = reachContents(path, "follow");
    try {
      return readFile(onDisk(place), sizeSeen(place), isLocal(place));
    } catch (error) {
      throw systemError(error, "reading", placeOfFailure(path));
    }
  }

  function checkUri(uri: string): void {
    if (!mode.restricted) return;
    for (const prefix of config.allowedUris) if (uriAllowed(uri, prefix)) return;
    throw new FirnError("restricted-uri", `access to URI '${uri}' is forbidden in restricted mode`);
  }

  function digestAhead(method: Hashed, file: string): ReturnType<FilesAhead["digest"]> {
    // Another thread would follow links that are new.
    return isLocal(file) ? undefined : ahead?.digest(method, place(file), () => statusOfFile(file));
  }

  /** Returns a filter that also leaves out files that a listing of the tree would not show. */
  function shownOnly(root: string, filter: PathFilter | undefined): PathFilter | undefined {
    if (guard.coversTree(root)) return filter;
    return (path, type) => {
      const slash = path.lastIndexOf("/");
      const shown = guard.shows(path.slice(0, Math.max(1, slash)), path.slice(slash + 1));
      return shown && (filter === undefined || filter(path, type));
    };
  }

  return {
    mode,
    storeDir,
    ...(kept === undefined
      ? {}
      : {
          codeCache: {
            ...openCodeCache(kept, {
              bytes: (path) => readBytes(path, forCode),
              ahead: (path) => (ahead === undefined ? undefined : digestAhead("flat", reach(path, "follow"))),
            }),
            finish: () => ahead?.finish(),
          },
        }),
    currentSystem: config.currentSystem,
    nixVersion: config.nixVersion,
    searchPath: config.searchPath,
    currentTime: () => config.currentTime,
    environment: (name) => config.environment[name] ?? "",
    homeDirectory: () => config.homeDirectory,
    readFile: (path) => readBytes(path, forProgram).toString("latin1"),
    readDirectory(path) {
      const place = reachContents(path, "follow");
      try {
        const listing = isLocal(place) ? entriesInPlace(onDisk(place)) : entriesIn(onDisk(place));
        const shown = trees?.shown(place, listing) ?? listing;
        const entries = shown.map(({ name, kind }) => [name, kind] as const);
        return guard.coversTree(place) ? entries : entries.filter(([name]) => guard.shows(place, name));
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOTDIR") {
          throw new FirnError("not-a-directory", `cannot read directory "${resolveSymlinks(path)}": Not a directory`);
        }
        throw systemError(error, "reading directory", placeOfFailure(path));
      }
    },
    fileType,
    resolveSymlinks,
    whyMissing: (path) => ends.shownTrees?.whyMissing(path),
    allowPath(path) {
      guard.allow(path);
    },
    checkUri,
    addPathToStore(request) {
      let path = reachContents(request.path, "keep");
      if (fileType(path) === undefined) throw notFound(path, ends.shownTrees?.whyMissing(path));
      const placed = trees?.placeOf(path);
      if (placed?.kind === "local") {
        const include = trees?.pathsBelow(path);
        return services.addPath({ ...request, path: placed.place, ...(include === undefined ? {} : { include }) });
      }
      if (placed?.kind === "stored") path = placed.place;
      const filter = shownOnly(path, request.filter);
      const narHash = filter === undefined && request.method === "nar" ? digestAhead("nar", path)?.digest : undefined;
      return services.addPath({
        ...request,
        path,
        onDisk,
        ...(filter === undefined ? {} : { filter }),
        ...(narHash === undefined ? {} : { narHash }),
      });
    },
    addTextToStore: services.addText,
    writeDerivation: services.writeDerivation,
    readDerivation: services.readDerivation,
    realiseContext(elements) {
      const built = elements.find((element) => element.kind === "output");
      if (built !== undefined) {
        const what = `${built.drvPath}^${built.output}`;
        if (!mode.allowImportFromDerivation) {
          for (const element of elements) {
            const path = element.kind === "opaque" ? element.path : element.drvPath;
            if (services.queryPath(path) === undefined)
              throw new FirnError("invalid-path", `path '${storePathBaseName(path)}' is not valid`);
          }
          throw new FirnError(
            "import-from-derivation-disabled",
            `cannot build '${what}' during evaluation because the option 'allow-import-from-derivation' is disabled`,
          );
        }
        if (mode.traceImportFromDerivation) {
          ends.report({
            kind: "warning",
            text: `built '${what}' during evaluation due to an import from derivation`,
          });
        }
      }
      for (const element of elements) if (element.kind === "opaque") settle(element.path);
      const outputs = services.realise(elements);
      for (const element of elements) if (element.kind === "opaque") guard.allow(element.path);
      if (guarded) for (const path of outputs.values()) allowClosure(path);
      return outputs;
    },
    ensurePath(path) {
      settle(path);
      services.ensurePath(path);
    },
    queryPath(path) {
      const placed = trees?.placeOf(path);
      if (placed === undefined) {
        settle(path);
        return services.queryPath(path);
      }
      // What has no store path yet refers to nothing.
      return placed.kind === "stored" ? services.queryPath(placed.place) : undefined;
    },
    runProgram,
    fetch(request) {
      const fetched = services.fetch(request);
      if (fetched.shown !== undefined) ends.shownTrees?.add(fetched.storePath, fetched.shown);
      return fetched;
    },
    resolveSearchPathEntry(path) {
      if (!resolvedEntries.has(path)) resolvedEntries.set(path, searchPathEntry(path));
      return resolvedEntries.get(path);
    },
    report: ends.report,
    interrupted: ends.interrupted,
  };
}
