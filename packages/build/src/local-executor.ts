/** Builds on this machine. */
import type { EventSink, Settings } from "@firn/store";
import { type BuildServer, buildDerivation } from "./build-derivation.ts";
import type { BuildStore } from "./build-store.ts";
import type { BuildExecutor } from "./goals/executor.ts";

/** An executor that starts builders on this machine, with outputs in `store`. */
export function localExecutor(options: {
  readonly store: BuildStore;
  readonly settings: Settings;
  readonly events: EventSink;
  readonly offline: boolean;
  readonly logCommand?: string;
  readonly serveBuild?: BuildServer;
}): BuildExecutor {
  return {
    async build(job) {
      return (await buildDerivation({ ...options, ...job })).outputs;
    },
  };
}
