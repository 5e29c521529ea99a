/** Checking and repairing a store. */
import type { PathFacts } from "./paths.ts";

/** What to check; `substituters` give good copies when repairing. */
export interface VerifyOptions {
  readonly checkContents?: boolean;
  readonly repair?: boolean;
  readonly substituters?: readonly PathFacts[];
}
