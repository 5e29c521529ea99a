/** Building and fetching over one store of this machine: with the scheduler here, or by the store's own server. */
import { type DerivedPath, FirnError, type wire } from "@firn/formats";
import {
  type BuildMode,
  type BuildRequestOptions,
  type BuildResult,
  computeClosure,
  type EventSink,
  type MachineStore,
  type Missing,
  offered,
  repairPath,
  type Settings,
  type Store,
  takesOutputs,
} from "@firn/store";
import { queryMissing } from "./goals/query-missing.ts";
import {
  type BuildPathsOptions,
  buildGivenDerivation,
  buildPaths,
  buildPathsWithResults,
  requireBuilt,
} from "./goals/scheduler.ts";

/** The surroundings of building. */
export interface StoreBuilderOptions {
  readonly store: MachineStore;
  readonly settings: Settings;
  readonly events: EventSink;
  readonly offline: boolean;
  readonly signal?: AbortSignal;
  /** The command that shows logs, for messages; by default `nix log`. */
  readonly logCommand?: string;
  /** Opens the configured substituters; called at most once. */
  substituters(): Promise<readonly Store[]>;
}

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
  /** Makes a path valid by substitution if possible; resolves to true when it is valid afterwards. */
  substitute(path: string): Promise<boolean>;
  /**
   * Makes a damaged or missing path good again: by a copy from a substituter, else by building its derivation again. Error
   * `cannot-repair`, those of builds.
   */
  repair(path: string): Promise<void>;
  close(): Promise<void>;
}

/** The steps that differ between a store that is written here and one with a server. */
type Steps = Pick<StoreBuilder, "missing" | "repair" | "derivation"> & {
  build(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
  results(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
};

/** Makes a builder; substituters are opened at their first use. */
export function makeStoreBuilder(options: StoreBuilderOptions): StoreBuilder {
  const { store, settings, offline } = options;
  let opened: Promise<readonly Store[]> | undefined;
  let runs = 0;
  const substituters = (): Promise<readonly Store[]> => {
    if (!settings.get("substitute") || offline) return Promise.resolve([]);
    opened ??= options.substituters();
    return opened;
  };
  const steps = takesOutputs(store) ? stepsHere(options, store, substituters) : stepsOfServer(options);
  const running = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    runs++;
    try {
      return await work();
    } finally {
      runs--;
    }
  };
  return {
    get busy() {
      return runs > 0;
    },
    build: (paths, mode = "normal") => running(() => steps.build(paths, mode)),
    results: (paths, mode = "normal") => running(() => steps.results(paths, mode)),
    derivation: (target, mode) => running(() => steps.derivation(target, mode)),
    missing: steps.missing,
    async substitute(path) {
      if (await store.isValidPath(path)) return true;
      const plan = await steps.missing([{ kind: "opaque", path }]);
      if (!plan.willSubstitute.includes(path)) return false;
      await running(() => steps.build([{ kind: "opaque", path }], "normal"));
      return true;
    },
    repair: (path) => running(() => steps.repair(path)),
    async close() {
      for (const substituter of (await opened) ?? []) await substituter.close();
    },
  };
}

/** The steps over a store that builders of this process write to. */
function stepsHere(
  options: StoreBuilderOptions,
  store: MachineStore & BuildPathsOptions["store"],
  substituters: () => Promise<readonly Store[]>,
): Steps {
  const { settings, events, offline } = options;
  // The signal is read anew for each build: it may be another one.
  const context = (mode?: BuildMode): BuildPathsOptions => ({
    store,
    settings,
    events,
    offline,
    substituters,
    ...(mode === undefined ? {} : { mode }),
    ...(options.logCommand === undefined ? {} : { logCommand: options.logCommand }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const repair = async (path: string): Promise<void> => {
    if (await repairPath(store, path, await substituters())) return;
    const deriver = (await store.queryPathInfo(path))?.deriver;
    if (deriver === undefined || !(await store.isValidPath(deriver))) {
      throw new FirnError("cannot-repair", `cannot repair path '${path}'`);
    }
    await buildPaths([{ kind: "built", drvPath: deriver, outputs: "*" }], context("repair"));
  };
  return {
    async build(paths, mode) {
      const results = await buildPaths(paths, context(mode));
      if (mode !== "repair") return results;
      // What the results refer to may be damaged as well.
      const roots = results.flatMap(({ path, outputs }) =>
        path.kind === "opaque" ? [path.path] : [...outputs.values()],
      );
      for (const path of await computeClosure(store, roots)) if (!(await store.isIntact(path))) await repair(path);
      return results;
    },
    results: (paths, mode) => buildPathsWithResults(paths, context(mode)),
    derivation: (target, mode) => buildGivenDerivation(target, context(mode)),
    missing: (paths) => queryMissing(paths, { store, settings, substituters }),
    repair,
  };
}

/** The steps by the server of a store. */
function stepsOfServer(options: StoreBuilderOptions): Steps {
  const server = offered(options.store, "building");
  const how = (mode: BuildMode = "normal"): BuildRequestOptions => ({
    mode,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const build: Steps["build"] = async (paths, mode) => {
    const results = await server.buildPaths(paths, how(mode));
    const statuses = results.flatMap(({ error }) => (error === undefined ? [] : [error.exitStatus]));
    return requireBuilt(results, { ...options, exitStatus: statuses.reduce((all, one) => all | one, 100) });
  };
  return {
    build,
    results: (paths, mode) => server.buildPaths(paths, how(mode)),
    async derivation(target, mode) {
      const { outputs, error } = await server.buildDerivation(target, how(mode));
      if (error !== undefined) throw error;
      return outputs;
    },
    missing: (paths) => server.queryMissing(paths),
    async repair(path) {
      await build([{ kind: "opaque", path }], "repair");
    },
  };
}
