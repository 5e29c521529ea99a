/**
 * EvalHost is the evaluator's only door to the world. Every method is synchronous and names the builtins that need it, so
 * that everything that an evaluation reads can be recorded, forbidden or replaced in one place.
 *
 * All strings are byte strings (one char per byte, 0–255), paths are absolute and canonical ("/a/b", never a trailing slash,
 * no "." or ".."). A failing method throws a FirnError whose message is the reference's text; the evaluator adds position and
 * trace.
 */

import type { SourcePosition } from "@firn/formats";

/** The type of a file, as `builtins.readFileType` names it. */
export type FileType = "regular" | "directory" | "symlink" | "unknown";

/** The form in which a store object is hashed: the file alone, its NAR, or a text with references. */
export type IngestionMethod = "flat" | "nar" | "text";

/** Name of a hash algorithm. */
export type HashAlgorithmName = "md5" | "sha1" | "sha256" | "sha512" | "blake3";

/** A request of `builtins.path`, `filterSource` or the coercion of a path to a string. */
export interface AddPathRequest {
  /** Absolute path of the file or directory to copy. */
  readonly path: string;
  /** Name part of the resulting store path. */
  readonly name: string;
  readonly method: "flat" | "nar";
  /** Called once for each file below `path` (not for `path` itself) in byte order; false excludes it. */
  readonly filter?: (path: string, type: FileType) => boolean;
  /** Expected SHA-256 in SRI form (`sha256-…`); the host may skip the copy when that object is already valid. */
  readonly expectedHash?: string;
  /** References of the new object; none by default. */
  readonly references?: readonly string[];
}

/** One entry of the context of a string, seen from the store. */
export type ContextElement =
  /** A store path as such. */
  | { readonly kind: "opaque"; readonly path: string }
  /** A derivation with its whole closure and all outputs (`.drvPath`). */
  | { readonly kind: "deep"; readonly drvPath: string }
  /** One output of a derivation; with dynamic derivations `drvPath` may itself be an output: `!output!drvPath`. */
  | { readonly kind: "output"; readonly drvPath: string; readonly output: string };

/** Attributes of `fetchTree` in its plain form: strings, integers, booleans. */
export type FetchValue = string | number | bigint | boolean;

/** Attributes of a fetch or of a fetched tree, by name. */
export type FetchAttributes = { readonly [name: string]: FetchValue };

/** A fetch: the builtin that requests it, and its arguments. */
export type FetchRequest =
  /** `builtins.fetchurl`: one file, flat hash. */
  | { readonly kind: "url"; readonly url: string; readonly name: string; readonly sha256?: string }
  /** `builtins.fetchTarball`: unpacked tree, NAR hash. */
  | { readonly kind: "tarball"; readonly url: string; readonly name: string; readonly sha256?: string }
  /** `builtins.fetchGit`, `fetchMercurial` and `fetchTree` with attributes; `getFlake` for locked inputs. */
  | {
      readonly kind: "tree";
      readonly attributes: FetchAttributes;
      /** The calling builtin; the scheme is already in `attributes.type`. */
      readonly builtin: "fetchGit" | "fetchMercurial" | "fetchTree" | "fetchFinalTree";
      /** `fetchTree "github:owner/repo"`: a flake reference in URL form instead of attributes. */
      readonly reference?: string;
    }
  /** `builtins.fetchClosure`: a path with its closure from a binary cache. */
  | {
      readonly kind: "closure";
      readonly fromStore: string;
      readonly fromPath: string;
      /** True to rewrite to a content-addressed path: the expected one, or the empty string when the error is to name it. */
      readonly toPath?: string;
      readonly inputAddressed: boolean;
    };

/** The result of a fetch. */
export interface FetchResult {
  /** Valid store path; evaluation may read below it. */
  readonly storePath: string;
  /** For trees, the attributes known to the fetcher, in the reference's names (`rev`, `revCount`, `narHash`, `lastModified`, …). */
  readonly attributes: FetchAttributes;
}

/** The parts of a derivation that `derivationStrict` hands over; the host prints and adds it. */
export interface DerivationRequest {
  /** Name without `.drv`. */
  readonly name: string;
  /** ATerm text, ready to be stored. */
  readonly contents: string;
  /** Store paths that it refers to (input sources and input derivations), sorted. */
  readonly references: readonly string[];
  /** The path that the evaluator computed for it. */
  readonly drvPath: string;
}

/** Facts about a store path, for `builtins.storePath` and the flake code. */
export interface PathFacts {
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

/** One entry of the search path: `prefix=path`, or a bare path with an empty prefix. */
export interface SearchPathEntry {
  readonly prefix: string;
  readonly path: string;
}

/** Switches of an evaluation, fixed for its lifetime. */
export interface EvalMode {
  /** `pure-eval`: no environment, no time, no search path, only allowed paths. */
  readonly pure: boolean;
  /** `restrict-eval`: only the search path, `allowedPaths` and `allowed-uris`. */
  readonly restricted: boolean;
  /** `--readonly-mode`: compute paths, write nothing. */
  readonly readOnly: boolean;
  readonly maxCallDepth: number;
  /** Bytes that all values of the process may take together; 0 for no other limit than the heap's. */
  readonly maxMemory: number;
  readonly experimentalFeatures: readonly string[];
  readonly allowImportFromDerivation: boolean;
  /** True to warn of every build that an evaluation waits for. */
  readonly traceImportFromDerivation: boolean;
  /** `allow-unsafe-native-code-during-evaluation`: the builtins `exec` and `importNative` exist. */
  readonly allowNativeCode: boolean;
  /** True when `fetchClosure` also takes stores in files. */
  readonly allowFileClosures?: boolean;
  readonly traceVerbose: boolean;
  readonly abortOnWarn: boolean;
  readonly lints: Readonly<Record<LintName, LintLevel>>;
}

/** The default mode of hosts: impure, without a store. */
export const defaultEvalMode: EvalMode = {
  pure: false,
  restricted: false,
  readOnly: true,
  maxCallDepth: 10000,
  maxMemory: 0,
  experimentalFeatures: [],
  allowImportFromDerivation: false,
  traceImportFromDerivation: false,
  allowNativeCode: false,
  traceVerbose: false,
  abortOnWarn: false,
  lints: { "url-literals": "ignore", "short-path-literals": "ignore", "absolute-path-literals": "ignore" },
};

/** Literals that the reference can warn about. */
export type LintName = "url-literals" | "short-path-literals" | "absolute-path-literals";

/** Reaction to such a literal: none, a warning, or an error. */
export type LintLevel = "ignore" | "warn" | "fatal";

/** A report of `trace`, `warn` or the evaluator itself. `text` is ordinary text, not a byte string. */
export type EvalMessage =
  | { readonly kind: "trace"; readonly text: string }
  /** Begin or end of a call, for `trace-function-calls`. */
  | { readonly kind: "call"; readonly text: string }
  /** `builtins.warn`: printed as "evaluation warning: …". */
  | { readonly kind: "evaluation-warning"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string; readonly position?: SourcePosition };

/** A cache of lowered code between evaluations, and access to the sources. */
export interface CodeCache {
  /** Returns the identity of a source file: 16 bytes of its hash, and its length. Errors are those of `readFile`. */
  identify(path: string): { readonly hash: string; readonly length: number };
  /**
   * Returns the text, as `readFile` does, and its hash. Right after an `identify` that read the file, both are those of the
   * same bytes.
   */
  read(path: string): { readonly hash: string; readonly text: string };
  /** Returns the bytes last stored under a key, if present and undamaged. */
  load(key: string): Uint8Array | undefined;
  /** Returns a character for each byte, as `byteString` does, in the fastest way that the host has. */
  decode(bytes: Uint8Array): string;
  /** Stores these bytes, one piece after the other, under a key. Never fails: a cache that cannot be written stores nothing. */
  store(key: string, pieces: readonly Uint8Array[]): void;
  /** Called at the end of an evaluation, for data that the host keeps itself. Never fails. */
  finish?(): void;
}

/** The only door between the evaluator and the world. */
export interface EvalHost {
  readonly mode: EvalMode;
  /** The store directory, usually "/nix/store": `builtins.storeDir` and every path computation. */
  readonly storeDir: string;
  /** `builtins.currentSystem`, e.g. "x86_64-linux". */
  readonly currentSystem: string;
  /** `builtins.nixVersion`. */
  readonly nixVersion: string;
  /** `builtins.nixPath` and `<name>`. */
  readonly searchPath: readonly SearchPathEntry[];

  /** Returns `builtins.currentTime`, in seconds; called once per evaluator. */
  currentTime(): number;
  /** Returns a variable for `builtins.getEnv`; the empty string when unset. */
  environment(name: string): string;
  /** Returns the absolute path of the user's home directory, for the `~/…` literal. */
  homeDirectory(): string;

  /** Returns whole contents as a byte string, for `import`, `readFile`, `hashFile`. Symbolic links are followed. */
  readFile(path: string): string;
  /** Returns entries in any order, for `readDir`; links are followed for `path` itself, entry types are those of lstat. */
  readDirectory(path: string): readonly (readonly [name: string, type: FileType])[];
  /**
   * Returns the type by lstat, for `readFileType`, `import` of directories, `pathExists`; undefined when nothing is there.
   * Links in parents are followed.
   */
  fileType(path: string): FileType | undefined;
  /** Resolves every symbolic link of an existing path, for `import`, `readFile`, `path`. */
  resolveSymlinks(path: string): string;
  /** Returns the error's text for a path at which there is nothing, where the host knows better than that it does not exist. */
  whyMissing?(path: string): string | undefined;
  /** Allows reading at and below a path (a fetched tree, a flake's source, a realised output) for this evaluation. */
  allowPath(path: string): void;
  /**
   * Checks a URI in restricted evaluation; throws "access to URI '…' is forbidden in restricted mode" when `allowed-uris`
   * does not cover it.
   */
  checkUri(uri: string): void;

  /**
   * Copies a path into the store (in read-only mode: only computes), for `builtins.path`, `filterSource`, `${./path}`.
   * Returns the store path.
   */
  addPathToStore(request: AddPathRequest): string;
  /** Adds a text with references, for `toFile`; returns the store path. */
  addTextToStore(name: string, contents: string, references: readonly string[]): string;
  /** Stores a derivation unless read-only, for `derivationStrict`. */
  writeDerivation(request: DerivationRequest): void;
  /** Returns the text of a derivation that this evaluation did not write itself (`import x.drv`, contexts of `.drv` paths). */
  readDerivation(drvPath: string): string;
  /**
   * Builds missing outputs of a context and allows reading them, for `import`, `readFile`, `readDir`, `pathExists`, … of a
   * string with context (import from derivation). Returns the output paths of `output` elements: key `drvPath!output`.
   */
  realiseContext(elements: readonly ContextElement[]): ReadonlyMap<string, string>;
  /** Makes a store path valid (by substitution if needed), else throws; for `storePath`, `appendContext`. */
  ensurePath(path: string): void;
  /** Returns facts about a path, for `storePath`, `fetchClosure`, flakes; undefined when it is not valid. */
  queryPath(path: string): PathFacts | undefined;

  /** Runs a program and returns its standard output, for `exec`; fails when the program does. */
  runProgram(words: readonly string[]): string;
  /**
   * Fetches, for `fetchurl`, `fetchTarball`, `fetchGit`, `fetchMercurial`, `fetchTree`, flake inputs. The result is allowed
   * for reading.
   */
  fetch(request: FetchRequest): FetchResult;
  // `getFlake`, `parseFlakeRef` and `flakeRefToString` are not part of the language: the embedder adds them as extra builtins.

  /** Returns the local path of a search path entry that is not one (`channel:…`, `https://…`, `flake:…`), or undefined with a warning. */
  resolveSearchPathEntry(path: string): string | undefined;

  /** The cache of lowered code; when absent, every file is parsed. */
  readonly codeCache?: CodeCache;

  /** Receives reports of `trace`, `traceVerbose`, `warn`, deprecations. */
  report(message: EvalMessage): void;

  /** Polled from time to time: true ends the evaluation with an `interrupted` error, after which it can be resumed. */
  interrupted?(): boolean;
}
