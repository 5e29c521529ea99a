/** What builders do to a store on their own machine: they put trees in its place and register them. */
import type { PathInfo } from "@firn/formats";
import type { PathLocks } from "../locks/path-lock.ts";

/** A store that a builder of this machine writes its outputs to. */
export interface OutputRegistry {
  /** Takes the locks of store paths; waits, saying so. */
  lockPaths(paths: Iterable<string>): Promise<PathLocks>;
  /** A neighbour of the path on disk, protected with it from garbage collection. */
  temporaryPath(path: string): string;
  /** Moves a finished, canonical tree to the place of a path (deleting what may lie there, unregistered). */
  replaceReal(temporary: string, path: string): void;
  /** Makes paths valid, all or none; their references must be valid or among them. Errors `invalid-path`, `cycle`. */
  registerValidPaths(infos: readonly PathInfo[]): void;
  /** Tells whether a path may be added: no signatures demanded, content-addressed, or signed by a trusted key. */
  isTrusted(info: PathInfo): boolean;
  /** Records which paths the outputs of a derivation have become; its hashes modulo (`sha256:…`) and the paths are by output name. */
  registerRealisations(drvHashes: ReadonlyMap<string, string>, outputs: ReadonlyMap<string, string>): void;
}
