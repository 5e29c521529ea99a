/** Operations of builders on a store of their own machine: putting trees into place and registering them. */
import type { PathInfo } from "@firn/formats";
import type { PathLocks } from "../locks/path-lock.ts";

/** A store that a builder of this machine writes its outputs to. */
export interface OutputRegistry {
  /** Takes the locks of store paths; reports when it has to wait. */
  lockPaths(paths: Iterable<string>): Promise<PathLocks>;
  /** Returns a neighbour of the path on disk, protected with it from garbage collection. */
  temporaryPath(path: string): string;
  /** Moves a finished, canonical tree to the place of a path (deleting unregistered files there). */
  replaceReal(temporary: string, path: string): void;
  /** Shares the files of a tree in its place with equal ones of the store, if the store is to do that with new paths. */
  shareFiles(path: string): void;
  /** Makes paths valid, all or none; their references must be valid or among them. Errors `invalid-path`, `cycle`. */
  registerValidPaths(infos: readonly PathInfo[]): void;
  /** Tells whether a path may be added: no signatures demanded, content-addressed, or signed by a trusted key. */
  isTrusted(info: PathInfo): boolean;
  /** Records the paths of a derivation's outputs as built; its hashes modulo (`sha256:…`) and the paths are by output name. */
  registerRealisations(drvHashes: ReadonlyMap<string, string>, outputs: ReadonlyMap<string, string>): void;
}
