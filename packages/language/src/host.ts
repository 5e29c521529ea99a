/**
 * EvalHost is the evaluator's only door to the world. Every method is synchronous and names the builtins that need it,
 * so that whatever an evaluation reads can be recorded, forbidden or replaced in one place.
 *
 * All strings are byte strings (one char per byte, 0–255), paths are absolute and canonical ("/a/b", never a trailing
 * slash, no "." or ".."). A failing method throws a FirnError whose message is the reference's text; the evaluator adds
 * position and trace.
 */

import type { SourcePosition } from "@firn/formats";

export type FileType = "regular" | "directory" | "symlink" | "unknown";

/** How the bytes of a store object were hashed: the file alone, its NAR, or a text with references. */
export type IngestionMethod = "flat" | "nar" | "text";

export type HashAlgorithmName = "md5" | "sha1" | "sha256" | "sha512" | "blake3";

/** What `builtins.path`, `filterSource` and the coercion of a path to a string ask for. */
export interface AddPathRequest {
  /** Absolute path of the file or directory to copy. */
  readonly path: string;
  /** Name part of the resulting store path. */
  readonly name: string;
  readonly method: "flat" | "nar";
  /** Called once for each file below `path` (not for `path` itself) in byte order; false leaves it out. */
  readonly filter?: (path: string, type: FileType) => boolean;
  /** Expected SHA-256 in SRI form (`sha256-…`); the host may skip the copy when that object is already valid. */
  readonly expectedHash?: string;
}

/** One entry of the context of a string, seen from the store. */
export type ContextElement =
  /** A store path as such. */
  | { readonly kind: "opaque"; readonly path: string }
  /** A derivation with its whole closure and all outputs (`.drvPath`). */
  | { readonly kind: "deep"; readonly drvPath: string }
  /** One output of a derivation. */
  /** One output of a derivation; with dynamic derivations `drvPath` may itself be an output: `!output!drvPath`. */
  | { readonly kind: "output"; readonly drvPath: string; readonly output: string };

/** Attributes of `fetchTree` in its plain form: strings, integers, booleans. */
export type FetchValue = string | number | bigint | boolean;
export type FetchAttributes = { readonly [name: string]: FetchValue };

/** A fetch: which builtin asks, and with what. */
export type FetchRequest =
  /** `builtins.fetchurl`: one file, flat hash. */
  | { readonly kind: "url"; readonly url: string; readonly name: string; readonly sha256?: string }
  /** `builtins.fetchTarball`: unpacked tree, NAR hash. */
  | { readonly kind: "tarball"; readonly url: string; readonly name: string; readonly sha256?: string }
  /** `builtins.fetchGit`, `fetchMercurial` and `fetchTree` with attributes; `getFlake` for locked inputs. */
  | {
      readonly kind: "tree";
      readonly attributes: FetchAttributes;
      /** Which builtin; the scheme is already in `attributes.type`. */
      readonly builtin: "fetchGit" | "fetchMercurial" | "fetchTree" | "fetchFinalTree";
      /** `fetchTree "github:owner/repo"`: a flake reference in URL form instead of attributes. */
      readonly reference?: string;
    }
  /** `builtins.fetchClosure`: a path with its closure from a binary cache. */
  | {
      readonly kind: "closure";
      readonly fromStore: string;
      readonly fromPath: string;
      /** Rewrite to a content-addressed path: the one expected, or the empty string when the error is to name it. */
      readonly toPath?: string;
      readonly inputAddressed: boolean;
    };

/** What came of a fetch. */
export interface FetchResult {
  /** Valid store path; evaluation may read below it. */
  readonly storePath: string;
  /** For trees: what the fetcher knows, in the reference's names (`rev`, `revCount`, `narHash`, `lastModified`, …). */
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

/** `builtins.storePath` and the flake code ask what is known of a path. */
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
  readonly experimentalFeatures: readonly string[];
  readonly allowImportFromDerivation: boolean;
  /** Warns of every build that an evaluation waits for. */
  readonly traceImportFromDerivation: boolean;
  /** `allow-unsafe-native-code-during-evaluation`: the builtins `exec` and `importNative` exist. */
  readonly allowNativeCode: boolean;
  readonly traceVerbose: boolean;
  readonly abortOnWarn: boolean;
  readonly lints: Readonly<Record<LintName, LintLevel>>;
}

/** Impure, without a store: what hosts start from. */
export const defaultEvalMode: EvalMode = {
  pure: false,
  restricted: false,
  readOnly: true,
  maxCallDepth: 10000,
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
export type LintLevel = "ignore" | "warn" | "fatal";

/** What `trace`, `warn` and the evaluator itself report while running. `text` is ordinary text, not a byte string. */
export type EvalMessage =
  | { readonly kind: "trace"; readonly text: string }
  /** `builtins.warn`: printed as "evaluation warning: …". */
  | { readonly kind: "evaluation-warning"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string; readonly position?: SourcePosition };

/** A place where lowered code is kept between evaluations, and the sources it belongs to. */
export interface CodeCache {
  /** The content of a source file: 16 bytes of its hash, and its length. Errors are those of `readFile`. */
  identify(path: string): { readonly hash: string; readonly length: number };
  /** Its text, as `readFile` gives it, and the hash of that; right after `identify` both are those of the same bytes if that read the file. */
  read(path: string): { readonly hash: string; readonly text: string };
  /** What was last stored under a key, if that is there and undamaged. */
  load(key: string): Uint8Array | undefined;
  /** A character for each byte, as `byteString` gives it, in the fastest way that the host knows. */
  decode(bytes: Uint8Array): string;
  /** Stores these bytes, one piece after the other, under a key. Never fails: a cache that cannot be written is none. */
  store(key: string, pieces: readonly Uint8Array[]): void;
  /** Called when an evaluation is over, for what the host keeps of its own. Never fails. */
  finish?(): void;
}

/** The only door between the evaluator and the world. */
export interface EvalHost {
  readonly mode: EvalMode;
  /** Usually "/nix/store"; `builtins.storeDir` and every path computation. */
  readonly storeDir: string;
  /** `builtins.currentSystem`, e.g. "x86_64-linux". */
  readonly currentSystem: string;
  /** `builtins.nixVersion`. */
  readonly nixVersion: string;
  /** `builtins.nixPath` and `<name>`. */
  readonly searchPath: readonly SearchPathEntry[];

  /** `builtins.currentTime`, in seconds; asked once per evaluator. */
  currentTime(): number;
  /** `builtins.getEnv`; the empty string when unset. */
  environment(name: string): string;
  /** Absolute path of the user's home directory: the `~/…` literal. */
  homeDirectory(): string;

  /** `import`, `readFile`, `hashFile`: whole contents as a byte string. Symbolic links are followed. */
  readFile(path: string): string;
  /** `readDir`: entries in any order; links are followed for `path` itself, entry types are those of lstat. */
  readDirectory(path: string): readonly (readonly [name: string, type: FileType])[];
  /** `readFileType`, `import` of directories, `pathExists`: lstat; undefined when nothing is there. Links in parents are followed. */
  fileType(path: string): FileType | undefined;
  /** `import`, `readFile`, `path`: resolve every symbolic link of an existing path. */
  resolveSymlinks(path: string): string;
  /** Allows reading at and below a path (a fetched tree, a flake's source, a realised output) for this evaluation. */
  allowPath(path: string): void;
  /** `restrict-eval`: throws "access to URI '…' is forbidden in restricted mode" for a URI that `allowed-uris` does not cover. */
  checkUri(uri: string): void;

  /** `builtins.path`, `filterSource`, `${./path}`: copies into the store (in read-only mode: only computes). Returns the store path. */
  addPathToStore(request: AddPathRequest): string;
  /** `toFile`: adds a text with references; returns the store path. */
  addTextToStore(name: string, contents: string, references: readonly string[]): string;
  /** `derivationStrict`: stores the derivation unless read-only. */
  writeDerivation(request: DerivationRequest): void;
  /** Text of a derivation that this evaluation did not write itself (`import x.drv`, contexts of `.drv` paths). */
  readDerivation(drvPath: string): string;
  /**
   * `import`, `readFile`, `readDir`, `pathExists`, … of a string with context (import from derivation): builds what is
   * missing and allows reading it. Returns the output paths of `output` elements: key `drvPath!output`.
   */
  realiseContext(elements: readonly ContextElement[]): ReadonlyMap<string, string>;
  /** `storePath`, `appendContext`: makes sure a store path is valid (substitutes if need be), else throws. */
  ensurePath(path: string): void;
  /** `storePath`, `fetchClosure`, flakes: undefined when the path is not valid. */
  queryPath(path: string): PathFacts | undefined;

  /** `exec`: runs a program and gives its standard output; fails when it does. */
  runProgram(words: readonly string[]): string;
  /** `fetchurl`, `fetchTarball`, `fetchGit`, `fetchMercurial`, `fetchTree`, flake inputs. The result is allowed for reading. */
  fetch(request: FetchRequest): FetchResult;
  /** `getFlake`, `parseFlakeRef`, `flakeRefToString` live outside the language: the embedder adds them as extra builtins. */

  /** Search path entries that are not local paths (`channel:…`, `https://…`, `flake:…`): the local path, or undefined with a warning. */
  resolveSearchPathEntry(path: string): string | undefined;

  /** Absent where code is not kept: every file is parsed. */
  readonly codeCache?: CodeCache;

  /** `trace`, `traceVerbose`, `warn`, deprecations. */
  report(message: EvalMessage): void;

  /** Asked now and then: true ends the evaluation with an `interrupted` error, after which it can be taken up again. */
  interrupted?(): boolean;
}
