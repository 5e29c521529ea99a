/** Realisations in stores: which path an output of a content-addressed derivation, or of one that depends on such, was built to. */
import type { wire } from "@firn/formats";

/** Tells realisations. */
export interface RealisationReader {
  /** Returns what an output was built to, or undefined when the store does not know. */
  queryRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined>;
}

/** Keeps realisations. */
export interface RealisationWriter {
  /**
   * Records what an output was built to; its path must be valid. Signatures are added to those of an equal record. With
   * `checkSignatures`, a store that demands signatures of paths demands one here too. Errors `untrusted-realisation`,
   * `other-realisation` when the output was built to another path, `invalid-path`.
   */
  registerRealisation(realisation: wire.Realisation, options?: { readonly checkSignatures?: boolean }): Promise<void>;
}

/** Tells and keeps realisations. */
export type RealisationRegistry = RealisationReader & RealisationWriter;
