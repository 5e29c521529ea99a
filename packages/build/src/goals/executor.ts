/** The interface of what builds derivations: this machine, or another one. */
import type { Derivation } from "@firn/formats";

/** One derivation to build, with all inputs valid in the scheduler's store. */
export interface BuildJob {
  readonly drvPath: string;
  readonly derivation: Derivation;
  /** Store paths of its inputs, not yet closed over references. */
  readonly inputs: readonly string[];
  /** `check` builds again and compares, `repair` replaces what is damaged. */
  readonly mode: "normal" | "check" | "repair";
  readonly signal: AbortSignal;
  /**
   * Is called when the build really starts, that is, when no other process has made the outputs meanwhile; with the URL of the
   * machine that builds when it is another one.
   */
  readonly onStart: (machine?: string) => void;
}

/** Builds derivations; afterwards their outputs are valid in the scheduler's store. */
export interface BuildExecutor {
  /** Builds one derivation as soon as there is room for it; returns its output paths by name. Errors `build-failed`, `output-rejected`, `hash-mismatch`, `aborted`, … */
  build(job: BuildJob): Promise<ReadonlyMap<string, string>>;
}
