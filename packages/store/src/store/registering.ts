/** Operations of builders on a store of their own machine: putting trees into place and registering them. */
import type { PathInfo, wire } from "@firn/formats";
import type { PathLocks } from "../locks/path-lock.ts";

/** Options of putting a tree into its place. */
export interface PlacingOptions {
  /** True when the tree replaces a damaged one: files that it could share are checked first. */
  readonly repair?: boolean;
}

/** A store that a builder of this machine writes its outputs to. */
export interface OutputRegistry {
  /** The features of its builders when the store's URL says them; otherwise those of the settings. */
  readonly systemFeatures: readonly string[] | undefined;
  /** Takes the locks of store paths; reports when it has to wait. */
  lockPaths(paths: Iterable<string>): Promise<PathLocks>;
  /** Collects garbage when the disk has less free space than the settings ask for (`min-free`); else does nothing. */
  makeRoom(): Promise<void>;
  /** Returns a neighbour of the path on disk, protected with it from garbage collection. */
  temporaryPath(path: string): string;
  /** Moves a finished, canonical tree to the place of a path (deleting unregistered files there). */
  replaceReal(temporary: string, path: string, options?: PlacingOptions): void;
  /** Shares the files of a tree in its place with equal ones of the store, if the store is to do that with new paths. */
  shareFiles(path: string, options?: PlacingOptions): void;
  /** Makes paths valid, all or none; their references must be valid or among them. Errors `invalid-path`, `cycle`. */
  registerValidPaths(infos: readonly PathInfo[]): void;
  /** Tells whether a path may be added: no signatures demanded, content-addressed, or signed by a trusted key. */
  isTrusted(info: PathInfo): boolean;
  /** Tells whether another store's record of what an output was built to may be used: no signatures demanded, or signed by a trusted key. */
  isTrustedRealisation(realisation: wire.Realisation): boolean;
}
