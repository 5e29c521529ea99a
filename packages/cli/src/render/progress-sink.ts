/** The interface of renderers of progress. */
import type { FirnEvent } from "@firn/store";

/** A sink of events, with control over the live block. */
export interface Progress {
  event(event: FirnEvent): void;
  warn(text: string): void;
  /** Announces the planned numbers, for the summary line. */
  expect(plan: { readonly builds: number; readonly copies: number }): void;
  /** Removes the live block, so that something else can be printed. */
  clear(): void;
  /** Removes the live block for good. */
  finish(): void;
}
