/** The steps of building that a store's server does. */
import { type DerivedPath, nestedOutput } from "@firn/formats";
import {
  type BuildMode,
  type BuildRequestOptions,
  type BuildResult,
  copyClosure,
  type EventSink,
  type MachineStore,
  offered,
  type Store,
} from "@firn/store";
import { type FailureForm, requireBuilt } from "./goals/scheduler.ts";
import type { StoreBuilder } from "./store-builder.ts";

/** The steps that differ between a store that is written here and one with a server. */
export type Steps = Pick<StoreBuilder, "missing" | "substitutable" | "repair" | "derivation"> & {
  build(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
  results(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
};

/** The steps by the server of a store. */
export function stepsOfServer(
  store: Store,
  options: {
    readonly events: EventSink;
    readonly signal?: AbortSignal;
    readonly evalStore?: MachineStore;
    readonly failures?: FailureForm;
  },
): Steps {
  const server = offered(store, "building");
  const how = (mode: BuildMode = "normal"): BuildRequestOptions => ({
    mode,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  /** Gives the server the derivations that are in the store of the evaluation. */
  const bring = async (paths: readonly DerivedPath[]): Promise<void> => {
    const { evalStore, events } = options;
    if (evalStore === undefined) return;
    const roots = paths.map((path) => (path.kind === "opaque" ? path.path : innermost(path.drvPath)));
    const known = await evalStore.queryValidPaths(roots);
    if (known.size > 0) await copyClosure(known, { from: evalStore, to: store, checkSignatures: false, events });
  };
  const resultsOf: Steps["results"] = async (paths, mode) => {
    await bring(paths);
    return server.buildPaths(paths, how(mode));
  };
  const build: Steps["build"] = async (paths, mode) => {
    const results = await resultsOf(paths, mode);
    const statuses = results.flatMap(({ error }) => (error === undefined ? [] : [error.exitStatus]));
    return requireBuilt(results, { ...options, exitStatus: statuses.reduce((all, one) => all | one, 100) });
  };
  return {
    build,
    results: resultsOf,
    async derivation(target, mode) {
      const { outputs, error } = await server.buildDerivation(target, how(mode));
      if (error !== undefined) throw error;
      return outputs;
    },
    async missing(paths) {
      await bring(paths);
      return server.queryMissing(paths);
    },
    async substitutable(paths) {
      const plan = await server.queryMissing(paths.map((path) => ({ kind: "opaque", path })));
      return new Set(plan.willSubstitute.filter((path) => paths.includes(path)));
    },
    async repair(path) {
      await build([{ kind: "opaque", path }], "repair");
    },
  };
}

/** Returns the path of the derivation that is built first when an output of it is to be built. */
function innermost(drvPath: string): string {
  const nested = nestedOutput(drvPath);
  return nested === undefined ? drvPath : innermost(nested.drvPath);
}
