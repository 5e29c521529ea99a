/** The files of a store on this machine. */
import type { Derivation } from "@firn/formats";
import type { StoreLocation } from "./location.ts";

/** Places of paths on disk, and the files there. */
export interface StoreFiles {
  readonly location: StoreLocation;
  /** Returns the place of a store path on disk. */
  realPath(path: string): string;
  /** Makes the files of a valid path be in their place; present in stores that have them elsewhere. */
  fetchFiles?(path: string): Promise<void>;
  /** Reads the derivation at `path`, valid or not; error `invalid-path` when there is no file. */
  readDerivation(path: string): Derivation;
}
