/** The interface of building and fetching over one store. */
import type { DerivedPath, wire } from "@firn/formats";
import type { BuildMode, BuildResult, Missing } from "@firn/store";

/** Builds, substitutes and plans. */
export interface StoreBuilder {
  /** True while a build or substitution is in progress. */
  readonly busy: boolean;
  /** Builds and fetches; throws the one failure, or `build-failed` for several. */
  build(paths: readonly DerivedPath[], mode?: BuildMode): Promise<readonly BuildResult[]>;
  /** Builds as `build` does; a failure is the result of its path instead of an exception. */
  results(paths: readonly DerivedPath[], mode?: BuildMode): Promise<readonly BuildResult[]>;
  /** Builds a derivation as it is given, whose inputs are plain paths; its output paths are taken as they are. */
  derivation(
    target: { readonly drvPath: string; readonly derivation: wire.BasicDerivation },
    mode?: BuildMode,
  ): Promise<ReadonlyMap<string, string>>;
  /** Returns the plan of building; nothing is changed. */
  missing(paths: readonly DerivedPath[]): Promise<Missing>;
  /** Returns those of the paths that caches have which are meant to be asked about many paths. */
  substitutable(paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Makes a path valid by substitution if possible; resolves to true when it is valid afterwards. */
  substitute(path: string): Promise<boolean>;
  /**
   * Makes a damaged or missing path good again: by a copy from a substituter, else by building its derivation again. Error
   * `cannot-repair`, those of builds.
   */
  repair(path: string): Promise<void>;
  close(): Promise<void>;
}
