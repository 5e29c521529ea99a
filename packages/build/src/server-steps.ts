/** The steps of building that a store's server does. */
import type { DerivedPath } from "@firn/formats";
import {
  type BuildMode,
  type BuildRequestOptions,
  type BuildResult,
  type EventSink,
  offered,
  type Store,
} from "@firn/store";
import { requireBuilt } from "./goals/scheduler.ts";
import type { StoreBuilder } from "./store-builder.ts";

/** The steps that differ between a store that is written here and one with a server. */
export type Steps = Pick<StoreBuilder, "missing" | "repair" | "derivation"> & {
  build(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
  results(paths: readonly DerivedPath[], mode: BuildMode): Promise<readonly BuildResult[]>;
};

/** The steps by the server of a store. */
export function stepsOfServer(
  store: Store,
  options: { readonly events: EventSink; readonly signal?: AbortSignal },
): Steps {
  const server = offered(store, "building");
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
