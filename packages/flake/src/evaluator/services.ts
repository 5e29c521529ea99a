/**
 * The services of store, builders and fetchers to an evaluation: the synchronous form inside the worker, the asynchronous one
 * outside.
 */
import type { ContextElement, DerivationRequest, FetchRequest, FetchResult, FileType, PathFacts } from "@firn/language";
import type { TreeFacts } from "./placed-trees.ts";
import type { TreeName } from "./shown-trees.ts";

/** A copy into the store. `include`, when given, lists the paths below the root (`/a/b`) that a filter kept. */
export interface AddPathServiceRequest {
  readonly path: string;
  readonly name: string;
  readonly method: "flat" | "nar";
  readonly expectedHash?: string;
  readonly include?: readonly string[];
  /** References of the new object; none by default. */
  readonly references?: readonly string[];
}

/** A source that was fetched; `shown` is its name in errors, where it is not the store path. */
export interface FetchedSource extends FetchResult {
  readonly shown?: TreeName;
}

/** The main thread's side; the command line implements it over store, build and fetch. All strings are byte strings. */
export interface HostServices {
  /** Copies a path into the store; returns its store path. In read-only mode only computes it. */
  addPath(request: AddPathServiceRequest): Promise<string>;
  addText(name: string, contents: string, references: readonly string[]): Promise<string>;
  /** Writes derivations; one may refer to those before it. In read-only mode nothing is written. */
  writeDerivations(requests: readonly DerivationRequest[]): Promise<void>;
  /** Returns the text of a derivation that this evaluation did not write. */
  readDerivation(drvPath: string): Promise<string>;
  /** Builds missing outputs; returns `drvPath!output` → path for every output element. */
  realise(elements: readonly ContextElement[]): Promise<ReadonlyMap<string, string>>;
  ensurePath(path: string): Promise<void>;
  queryPath(path: string): Promise<PathFacts | undefined>;
  fetch(request: FetchRequest): Promise<FetchedSource>;
  /** Resolves `channel:…`, URLs and `flake:…` of the search path; undefined when that fails. */
  resolveSearchPathUrl(url: string): Promise<string | undefined>;
  /** Answers `builtins.getFlake` with the handle of the flake's value. Absent when flakes are not evaluated. */
  getFlake?(reference: string): Promise<number>;
  /** Copies the tree of a stand-in to the store. Absent when all trees are there before they are read. */
  obtainTree?(standIn: string): Promise<TreeFacts>;
}

/** The same services, synchronous; a tree may have a `filter` in place of `include`. */
export interface SyncServices {
  addPath(
    request: AddPathServiceRequest & {
      readonly filter?: (path: string, type: FileType) => boolean;
      /** The place of a logical path on disk. */
      readonly onDisk?: (path: string) => string;
      /** The SHA-256 of its whole NAR, where that is known. */
      readonly narHash?: Uint8Array;
    },
  ): string;
  addText(name: string, contents: string, references: readonly string[]): string;
  /** Writes a derivation. The write may stay pending, errors included, until another call, the end of the request, or `settle`. */
  writeDerivation(request: DerivationRequest): void;
  /** Waits until pending writes are in the store; called before the store's files are read directly. */
  settle?(): void;
  readDerivation(drvPath: string): string;
  realise(elements: readonly ContextElement[]): ReadonlyMap<string, string>;
  ensurePath(path: string): void;
  queryPath(path: string): PathFacts | undefined;
  fetch(request: FetchRequest): FetchedSource;
  resolveSearchPathUrl(url: string): string | undefined;
  getFlake?(reference: string): number;
  obtainTree?(standIn: string): TreeFacts;
}
