/** Checking and repairing a store. */
import type { PathFacts } from "./paths.ts";

/** Options of checking; `substituters` provide good copies for repairs. */
export interface VerifyOptions {
  readonly checkContents?: boolean;
  readonly repair?: boolean;
  readonly substituters?: readonly PathFacts[];
}
