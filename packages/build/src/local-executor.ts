/** Builds on this machine. */
import { interrupted, storePathName } from "@firn/formats";
import { type EventSink, hasFeature, requireFeature, type Settings } from "@firn/store";
import { BuildFailure, type BuildServer, buildDerivation, recursiveNix } from "./build-derivation.ts";
import type { BuildStore } from "./build-store.ts";
import { externalBuilderOf } from "./external-builder.ts";
import type { BuildExecutor, BuildJob } from "./goals/executor.ts";
import { Semaphore } from "./goals/semaphore.ts";
import { readBuildOptions } from "./options.ts";

/** Limit of concurrent downloads. */
const downloads = 8;

/** The executor of builds on this machine. */
export interface LocalExecutor extends BuildExecutor {
  /** Returns the reason for which a derivation can never be built here; undefined when it can. */
  obstacle(job: Pick<BuildJob, "drvPath" | "derivation">): BuildFailure | undefined;
  /** Starts a build if there is room for it now; undefined when there is none. */
  tryBuild(job: BuildJob): ReturnType<BuildExecutor["build"]> | undefined;
}

/** The surroundings of builds on this machine. */
export interface LocalBuildOptions {
  readonly store: BuildStore;
  readonly settings: Settings;
  readonly events: EventSink;
  readonly offline: boolean;
  readonly logCommand?: string;
  readonly serveBuild?: BuildServer;
}

/** An executor that starts builders on this machine, with outputs in `store`; as many at a time as the setting max-jobs says. */
export function localExecutor(options: LocalBuildOptions): LocalExecutor {
  const { settings } = options;
  const builds = new Semaphore(Math.max(1, settings.get("max-jobs")));
  const fetches = new Semaphore(downloads);
  // Downloads wait for the network, not for the processor.
  const slotsOf = (job: BuildJob): Semaphore => (job.derivation.builder === "builtin:fetchurl" ? fetches : builds);
  const start = (job: BuildJob) => async () => {
    if (job.signal.aborted) throw interrupted();
    if (externalBuilderOf(settings, job.derivation) !== undefined) requireFeature(settings, "external-builders");
    return (await buildDerivation({ ...options, ...job, onStart: () => job.onStart() })).outputs;
  };
  const executor: LocalExecutor = {
    obstacle: (job) => obstacle(job, options),
    async build(job) {
      const reason = executor.obstacle(job);
      if (reason !== undefined) throw reason;
      return slotsOf(job).run(start(job), storePathName(job.drvPath));
    },
    tryBuild: (job) => slotsOf(job).tryRun(start(job)),
  };
  return executor;
}

/** An executor for a store that no builder of this machine can write to: refuses every build. */
export function refusingExecutor(): LocalExecutor {
  const refusal = (drvPath: string): BuildFailure =>
    new BuildFailure(
      drvPath,
      "Unable to build with a primary store that isn't a local store; either pass a different '--store' or enable remote builds.\n\nFor more information check 'man nix.conf' and search for '/machines'.",
      100,
    );
  return {
    obstacle: ({ drvPath }) => refusal(drvPath),
    tryBuild: () => undefined,
    async build({ drvPath }) {
      throw refusal(drvPath);
    },
  };
}

function obstacle(
  { drvPath, derivation }: Pick<BuildJob, "drvPath" | "derivation">,
  { settings, store }: LocalBuildOptions,
): BuildFailure | undefined {
  const failure = (reason: string): BuildFailure =>
    new BuildFailure(drvPath, `Cannot build '${drvPath}'.\nReason: ${reason}`, 100);
  if (externalBuilderOf(settings, derivation) !== undefined) return undefined;
  const { system } = derivation;
  const builtin = system === "builtin" || derivation.builder.startsWith("builtin:");
  const supported = system === settings.get("system") || settings.get("extra-platforms").includes(system);
  if (!builtin && !supported) {
    return failure(`platform mismatch\nRequired system: '${system}'\nCurrent system: '${settings.get("system")}'`);
  }
  const features = readBuildOptions(derivation, store.storeDir).requiredSystemFeatures;
  const available = store.systemFeatures ?? settings.get("system-features");
  const has = (feature: string): boolean =>
    available.includes(feature) ||
    feature === "ca-derivations" ||
    (feature === recursiveNix && hasFeature(settings, recursiveNix));
  if (!features.every(has)) {
    return failure(
      `missing system features\nRequired features: {${features.join(", ")}}\nAvailable features: {${available.join(", ")}}`,
    );
  }
  if (settings.get("max-jobs") === 0 && !builtin) {
    return failure(
      "local builds are disabled (max-jobs = 0)\nHint: set 'max-jobs' to a non-zero value to enable local builds, or configure remote builders via 'builders'",
    );
  }
  return undefined;
}
