/** The files of a store whose paths lie on this machine. */
import type { Derivation } from "@firn/formats";
import type { StoreLocation } from "./location.ts";

/** Where paths lie on disk, and what is read there. */
export interface StoreFiles {
  readonly location: StoreLocation;
  /** Where a store path lies on disk. */
  realPath(path: string): string;
  /** Reads the derivation at `path`, valid or not; error `invalid-path` when there is no file. */
  readDerivation(path: string): Derivation;
}
