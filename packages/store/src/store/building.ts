/** Building and fetching by stores that do it themselves: those of a daemon or of another machine. */
import type { DerivedPath, FirnError, wire } from "@firn/formats";

/** The purpose of a build: make what is missing, build again and compare, or replace what is damaged. */
export type BuildMode = "normal" | "check" | "repair";

/** The result of one request; `outputs` for derivations. */
export interface BuildResult {
  readonly path: DerivedPath;
  readonly outputs: ReadonlyMap<string, string>;
  readonly error?: FirnError;
}

/** The plan of a build: derivations to build and paths to fetch, both sorted; sizes in bytes. */
export interface Missing {
  readonly willBuild: readonly string[];
  readonly willSubstitute: readonly string[];
  readonly unknown: readonly string[];
  readonly downloadSize: number;
  readonly narSize: number;
}

/** Options of a build. When `signal` aborts, the build ends with the error `aborted`. */
export interface BuildRequestOptions {
  readonly mode?: BuildMode;
  readonly signal?: AbortSignal;
}

/** A store that builds and fetches. */
export interface PathBuilder {
  /** Fetches or builds every path; returns one result for each. A failed build is a result, not an exception. */
  buildPaths(paths: readonly DerivedPath[], options?: BuildRequestOptions): Promise<readonly BuildResult[]>;
  /** Builds a derivation that need not be in the store, but whose inputs are; `outputs` are those that were built. */
  buildDerivation(
    target: { readonly drvPath: string; readonly derivation: wire.BasicDerivation },
    options?: BuildRequestOptions,
  ): Promise<Omit<BuildResult, "path">>;
  /** Returns the plan of building; nothing is changed. */
  queryMissing(paths: readonly DerivedPath[]): Promise<Missing>;
}

/** A store with a server that knows its clients. */
export interface ServedStore {
  /** Returns the server's version and its trust in this client, each undefined when it is not told. */
  queryServer(): Promise<wire.DaemonFacts>;
}
