/** The EvalHost over Node: files are read here, everything else goes to services. Runs inside the evaluator's worker. */
import fs from "node:fs";
import { byteStringOf, FirnError, storePathBaseName, textOf } from "@firn/formats";
import {
  canonicalPath,
  type EvalHost,
  type EvalMessage,
  type EvalMode,
  type FileType,
  fetchurlSource,
  type SearchPathEntry,
} from "@firn/language";
import { entriesIn, fsPath, kindOf, machineError, runProgramSync } from "@firn/store";
import { openCodeCache } from "./code-cache.ts";
import { FilesAhead, type ReadAheadRequest } from "./files-ahead.ts";
import { openKeptFiles } from "./kept-files.ts";
import type { SyncServices } from "./services.ts";

/** Everything about an evaluation that is plain data. */
export interface HostConfig {
  readonly mode: EvalMode;
  readonly storeDir: string;
  /** Where the store's files lie when that is elsewhere (a chroot store). */
  readonly realStoreDir?: string;
  readonly currentSystem: string;
  readonly nixVersion: string;
  readonly searchPath: readonly SearchPathEntry[];
  /** Where relative search path entries start. */
  readonly workingDirectory?: string;
  readonly homeDirectory: string;
  /** Seconds since 1970. */
  readonly currentTime: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** In pure and restricted mode: what may be read besides what the evaluation itself allows. */
  readonly allowedPaths: readonly string[];
  readonly allowedUris: readonly string[];
  readonly showTrace: boolean;
  /** Evaluation stops at errors and breakpoints (`--debugger`). */
  readonly debugger?: { readonly ignoreTry: boolean; readonly stopOnTrace: boolean; readonly stopOnWarning: boolean };
  /** Where lowered code is kept; absent: nowhere. */
  readonly codeDirectory?: string;
}

const corePackages = "/__corepkgs__/";

function systemError(error: unknown, action: string, path: string): FirnError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const missing = code === "ENOENT" || code === "ENOTDIR";
  if (missing) return new FirnError("path-not-found", `path '${path}' does not exist`);
  const reasons: Readonly<Record<string, string>> = {
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
    ELOOP: "Too many levels of symbolic links",
    ENAMETOOLONG: "File name too long",
  };
  return new FirnError("system-error", `${action} '${path}': ${reasons[code] ?? code}`, { cause: error });
}

/** Whether `path` is at, below or above `allowed`: parents may be looked at to get there. */
function related(path: string, allowed: string): boolean {
  if (path === allowed || allowed === "/" || path === "/") return true;
  return path.startsWith(`${allowed}/`) || allowed.startsWith(`${path}/`);
}

function uriAllowed(uri: string, prefix: string): boolean {
  if (uri === prefix) return true;
  if (!uri.startsWith(prefix)) return false;
  if (prefix.endsWith("/") || uri[prefix.length] === "/") return true;
  return /^[a-z+]+:$/.test(prefix);
}

/** Gives the bytes of a file, which is over after `size` bytes if those are known, until it gives the next. */
type FileReader = (path: string | Buffer, size?: number) => Buffer;

/** Most files are small: they are read into one place, since buffers of their own would have the engine collect garbage. */
function makeFileReader(): FileReader {
  let buffer: Buffer | undefined;
  return (path, size) => {
    buffer ??= Buffer.allocUnsafeSlow(512 * 1024);
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY);
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

/** Whether a search path entry is fetched. */
function isUrl(path: string): boolean {
  return /^(channel:|flake:|https?:|file:|tarball\+|git\+)/.test(path) || /^[a-z+]+:\/\//.test(path);
}

/** Runs a program; its standard error stays that of the evaluation. */
function runProgram(words: readonly string[]): string {
  const [program = "", ...args] = words.map(textOf);
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

export function createNodeHost(
  config: HostConfig,
  services: SyncServices,
  ends: {
    report(message: EvalMessage): void;
    interrupted(): boolean;
    /** Hashes files while the evaluation goes on, where another thread can. */
    readAhead?(request: ReadAheadRequest): void;
  },
): EvalHost {
  const { mode, storeDir } = config;
  const guarded = mode.pure || mode.restricted;
  const allowed = new Set(config.allowedPaths);
  if (mode.restricted && !mode.pure) {
    for (const { path } of config.searchPath) if (!isUrl(path)) allowed.add(absolutePath(path));
  }
  const kept = config.codeDirectory === undefined ? undefined : openKeptFiles(config.codeDirectory);
  const ahead = kept === undefined || ends.readAhead === undefined ? undefined : new FilesAhead(kept, ends.readAhead);
  const resolvedEntries = new Map<string, string | undefined>();
  const realStoreDir = config.realStoreDir ?? storeDir;

  function absolutePath(path: string): string {
    const base = config.workingDirectory ?? byteStringOf(process.cwd());
    return canonicalPath(path.startsWith("/") ? path : `${base}/${path}`);
  }

  /** Where a logical path lies on disk, as a byte string. */
  function place(path: string): string {
    return realStoreDir !== storeDir && path.startsWith(`${storeDir}/`)
      ? realStoreDir + path.slice(storeDir.length)
      : path;
  }

  /** The path on disk of a logical path. */
  function onDisk(path: string): string | Buffer {
    if (path.includes(".drv") || path === storeDir) services.settle?.();
    return fsPath(place(path));
  }

  /** The logical path of one on disk. */
  function logical(path: string): string {
    return realStoreDir !== storeDir && path.startsWith(`${realStoreDir}/`)
      ? storeDir + path.slice(realStoreDir.length)
      : path;
  }

  function check(path: string): void {
    if (!guarded || path.startsWith(corePackages)) return;
    for (const prefix of allowed) if (related(path, prefix)) return;
    const where = mode.pure ? "in pure evaluation mode (use '--impure' to override)" : "in restricted mode";
    throw new FirnError("restricted-path", `access to absolute path '${path}' is forbidden ${where}`);
  }

  const forProgram = makeFileReader();
  // A reader of its own: the code cache may use a source's bytes long after the program has read other files.
  const forCode = makeFileReader();
  /** The file that was looked at last: code that is imported is read next, and its end need not be looked for. */
  let seen: { readonly path: string; readonly status: fs.Stats } | undefined;

  function stat(path: string): FileType | undefined {
    check(path);
    const found = fs.lstatSync(onDisk(path), { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const type = kindOf(found);
    seen = type === "regular" ? { path, status: found } : undefined;
    return type;
  }

  /** The status of a regular file; what cannot be looked at has its error when it is read. */
  function statusOfFile(path: string): fs.Stats | undefined {
    if (path.startsWith(corePackages)) return undefined;
    if (seen?.path !== path) {
      try {
        stat(path);
      } catch (error) {
        if (!(error instanceof FirnError) && machineError(error) === undefined) throw error;
        return undefined;
      }
    }
    return seen?.path === path ? seen.status : undefined;
  }

  function fileType(path: string): FileType | undefined {
    if (path.startsWith(corePackages)) return path === `${corePackages}fetchurl.nix` ? "regular" : undefined;
    try {
      return stat(path);
    } catch (error) {
      if (error instanceof FirnError) throw error;
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw systemError(error, "getting status of", path);
    }
  }

  function resolveSymlinks(path: string): string {
    if (path.startsWith(corePackages)) return path;
    check(path);
    try {
      const real = logical(fs.realpathSync.native(onDisk(path), { encoding: "latin1" }));
      check(real);
      return real;
    } catch (error) {
      if (error instanceof FirnError) throw error;
      throw systemError(error, "resolving", path);
    }
  }

  function searchPathEntry(path: string): string | undefined {
    if (isUrl(path)) {
      return services.resolveSearchPathUrl(path);
    }
    const absolute = absolutePath(path);
    const type = fileType(absolute);
    if (type !== undefined) {
      if (!mode.pure) allowed.add(absolute);
      return absolute;
    }
    ends.report({ kind: "warning", text: textOf(`Nix search path entry '${path}' does not exist, ignoring`) });
    return undefined;
  }

  /** The size of a file that was looked at just before. */
  function sizeSeen(path: string): number | undefined {
    const size = seen?.path === path ? seen.status.size : undefined;
    seen = undefined;
    return size;
  }

  function readBytes(path: string, readFile: FileReader, size?: number): Buffer {
    if (path === `${corePackages}fetchurl.nix`) return Buffer.from(fetchurlSource, "latin1");
    check(path);
    try {
      return readFile(onDisk(path), size);
    } catch (error) {
      throw systemError(error, "reading", path);
    }
  }

  return {
    mode,
    storeDir,
    ...(kept === undefined
      ? {}
      : {
          codeCache: {
            ...openCodeCache(kept, {
              bytes: (path) => readBytes(path, forCode, sizeSeen(path)),
              ahead: (path) => ahead?.digest("flat", place(path), () => statusOfFile(path)),
            }),
            finish: () => ahead?.finish(),
          },
        }),
    currentSystem: config.currentSystem,
    nixVersion: config.nixVersion,
    searchPath: config.searchPath,
    currentTime: () => config.currentTime,
    environment: (name) => byteStringOf(config.environment[name] ?? ""),
    homeDirectory: () => config.homeDirectory,
    readFile: (path) => readBytes(path, forProgram).toString("latin1"),
    readDirectory(path) {
      check(path);
      try {
        return entriesIn(onDisk(path)).map(({ name, kind }) => [name, kind] as const);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOTDIR") {
          throw new FirnError("not-a-directory", `cannot read directory "${resolveSymlinks(path)}": Not a directory`);
        }
        throw systemError(error, "reading directory", path);
      }
    },
    fileType,
    resolveSymlinks,
    checkAllowed: check,
    allowPath(path) {
      if (guarded) allowed.add(path);
    },
    checkUri(uri) {
      if (!mode.restricted) return;
      for (const prefix of config.allowedUris) if (uriAllowed(uri, prefix)) return;
      throw new FirnError("restricted-uri", `access to URI '${uri}' is forbidden in restricted mode`);
    },
    addPathToStore(request) {
      if (fileType(request.path) === undefined) {
        throw new FirnError("path-not-found", `path '${request.path}' does not exist`);
      }
      const narHash =
        request.filter === undefined && request.method === "nar"
          ? ahead?.digest("nar", place(request.path), () => statusOfFile(request.path))?.digest
          : undefined;
      return services.addPath({ ...request, onDisk, ...(narHash === undefined ? {} : { narHash }) });
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
            text: `built '${textOf(what)}' during evaluation due to an import from derivation`,
          });
        }
      }
      const outputs = services.realise(elements);
      for (const element of elements) if (element.kind === "opaque") allowed.add(element.path);
      for (const path of outputs.values()) allowed.add(path);
      return outputs;
    },
    ensurePath: services.ensurePath,
    queryPath: services.queryPath,
    runProgram,
    fetch: services.fetch,
    resolveSearchPathEntry(path) {
      if (!resolvedEntries.has(path)) resolvedEntries.set(path, searchPathEntry(path));
      return resolvedEntries.get(path);
    },
    report: ends.report,
    interrupted: ends.interrupted,
  };
}
