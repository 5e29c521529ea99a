/** Building and fetching over one store of this machine: with the scheduler here, or by the store's own server. */
import { basename } from "node:path";
import { FirnError } from "@firn/formats";
import {
  type BuildMode,
  computeClosure,
  defaultStateDir,
  type Environment,
  type EventSink,
  type MachineStore,
  offered,
  type PathBuilder,
  queryMassPaths,
  repairPath,
  requirePathInfo,
  type Settings,
  type Store,
  takesOutputs,
} from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import type { BuildStore } from "./build-store.ts";
import { type DistributedBuildOptions, distributedExecutor } from "./builders/distributed-executor.ts";
import { hookExecutor } from "./builders/hook-executor.ts";
import { type BuilderMaker, MachineConnections } from "./builders/machine-connections.ts";
import { readMachines } from "./builders/machines.ts";
import type { BuildExecutor } from "./goals/executor.ts";
import { queryMissing } from "./goals/query-missing.ts";
import {
  type BuildPathsOptions,
  buildGivenDerivation,
  buildPaths,
  buildPathsWithResults,
  type FailureForm,
} from "./goals/scheduler.ts";
import { type LocalBuildOptions, localExecutor, refusingExecutor } from "./local-executor.ts";
import { serveBuild } from "./recursive/build-socket.ts";
import { type Steps, stepsOfServer } from "./server-steps.ts";
import type { StoreBuilder } from "./store-builder.ts";

/** The surroundings of building. */
export interface StoreBuilderOptions {
  readonly store: MachineStore;
  /** The store that has the derivations and their sources, when it is another one. */
  readonly evalStore?: MachineStore;
  readonly settings: Settings;
  readonly events: EventSink;
  readonly offline: boolean;
  readonly signal?: AbortSignal;
  /** The command that shows logs, for messages; by default `nix log`. */
  readonly logCommand?: string;
  /** The form in which several failures are told; by default `requests`. */
  readonly failures?: FailureForm;
  /** The environment of programs that reach other machines; by default this process's. */
  readonly environment?: Environment;
  /** Opens the configured substituters; called at most once. */
  substituters(): Promise<readonly Store[]>;
}

/** Makes a builder; substituters are opened at their first use. */
export function makeStoreBuilder(options: StoreBuilderOptions): StoreBuilder {
  const { store, settings } = options;
  let opened: Promise<readonly Store[]> | undefined;
  let runs = 0;
  const substituters = (): Promise<readonly Store[]> => {
    if (!settings.get("substitute")) return Promise.resolve([]);
    opened ??= options.substituters();
    return opened;
  };
  const connections = machineConnections(settings, options.environment ?? processEnvironment());
  const steps = takesOutputs(store)
    ? stepsHere(options, store, { substituters, connections })
    : store.offers.building === undefined
      ? stepsWithoutBuilders(options, { substituters, connections })
      : stepsOfServer(options.store, options);
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
    substitutable: steps.substitutable,
    async substitute(path) {
      if (await store.isValidPath(path)) return true;
      const plan = await steps.missing([{ kind: "opaque", path }]);
      if (!plan.willSubstitute.includes(path)) return false;
      await running(() => steps.build([{ kind: "opaque", path }], "normal"));
      return true;
    },
    repair: (path) => running(() => steps.repair(path)),
    async close() {
      await connections.close();
      for (const substituter of (await opened) ?? []) await substituter.close();
    },
  };
}

/** Tells whether a hook is the one of the reference, in whose place the machines of the setting builders are asked here. */
function isOwnHook(program: string, words: readonly string[]): boolean {
  return basename(program) === "nix" && words.length === 1 && words[0] === "__build-remote";
}

/** Makes the executor of the builds of one request: on this machine, and on those of the setting builders. */
function executorOf(here: LocalBuildOptions, connections: MachineConnections): BuildExecutor {
  const { store, settings, events } = here;
  const local = localExecutor(here);
  const [program, ...words] = settings.get("build-hook");
  if (program === undefined || settings.get("builders") === "") return local;
  if (!isOwnHook(program, words)) return hookExecutor({ ...here, local, command: [program, ...words] });
  return onMachines({ store, settings, events, here, local, connections }, () => store.location.stateDir);
}

/** Makes the executor of builds into a store that no builder here can write to: on the machines of the setting builders. */
function executorElsewhere(
  { store, settings, events, environment = processEnvironment() }: StoreBuilderOptions,
  connections: MachineConnections,
): BuildExecutor {
  const local = refusingExecutor();
  const [program, ...words] = settings.get("build-hook");
  if (program === undefined || !isOwnHook(program, words)) return local;
  return onMachines({ store, settings, events, local, connections }, () => defaultStateDir(environment));
}

/** Makes the executor of builds on the machines of the setting builders; that of this machine alone where there are none. */
function onMachines(
  options: Omit<DistributedBuildOptions, "machines" | "stateDir">,
  stateDir: () => string,
): BuildExecutor {
  const machines = readMachines(options.settings);
  return machines.length === 0 ? options.local : distributedExecutor({ ...options, machines, stateDir: stateDir() });
}

/** Makes connections to machines that build, from an environment with the user's words for ssh. */
export function machineConnections(settings: Settings, environment: Environment): MachineConnections {
  return new MachineConnections({ settings, environment }, buildIn);
}

/** Makes what builds in the store of a machine whose directory is on this one. */
const buildIn: BuilderMaker = (store, { settings, events }) => {
  const substituters = async (): Promise<readonly Store[]> => [];
  const connections = new MachineConnections({ settings }, buildIn);
  return builderOf(
    stepsHere({ store, settings, events, offline: false, substituters }, store, { substituters, connections }),
  );
};

/** The surroundings that the steps over a store share with its builder. */
interface StepsContext {
  readonly substituters: () => Promise<readonly Store[]>;
  readonly connections: MachineConnections;
}

/** The steps over a store that builders of this process write to. */
function stepsHere(
  options: StoreBuilderOptions,
  store: MachineStore & BuildStore,
  { substituters, connections }: StepsContext,
): Steps {
  const { settings, events, offline } = options;
  const local: LocalBuildOptions = {
    store,
    settings,
    events,
    offline,
    serveBuild: (request) => serveBuild({ ...request, store, building: builderOf(steps) }),
    ...(options.logCommand === undefined ? {} : { logCommand: options.logCommand }),
  };
  // The signal is read anew for each build: it may be another one.
  const evalStore = options.evalStore === undefined ? {} : { evalStore: options.evalStore };
  const told = options.failures === undefined ? {} : { failures: options.failures };
  const context = (mode?: BuildMode): BuildPathsOptions => ({
    store,
    ...evalStore,
    settings,
    events,
    substituters,
    ...told,
    executor: executorOf(local, connections),
    ...(mode === undefined ? {} : { mode }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const isIntact = async (path: string): Promise<boolean> => {
    events({ kind: "message", level: "notice", text: `checking path '${path}'...` });
    if (await offered(store, "upkeep").isIntact(path)) return true;
    events({ kind: "message", level: "error", text: `path '${path}' is corrupted or missing!` });
    return false;
  };
  const repair = async (path: string): Promise<void> => {
    if (await repairPath(store, path, await substituters())) return;
    const { deriver } = await requirePathInfo(store, path);
    if (deriver === undefined || !(await store.isValidPath(deriver))) {
      throw new FirnError("cannot-repair", `cannot repair path '${path}'`);
    }
    if (await isIntact(path)) return;
    await buildPaths([{ kind: "built", drvPath: deriver, outputs: "*" }], context("repair"));
  };
  const steps: Steps = {
    async build(paths, mode) {
      if (mode !== "repair") return buildPaths(paths, context(mode));
      const results = await buildPaths(paths, { ...context(mode), isIntact });
      // What the results refer to may be damaged as well.
      const roots = results.flatMap(({ path, outputs }) =>
        path.kind === "opaque" ? [path.path] : [...outputs.values()],
      );
      const checked = new Set(results.flatMap(({ outputs }) => [...outputs.values()]));
      for (const path of await computeClosure(store, roots))
        if (!checked.has(path) && !(await isIntact(path))) await repair(path);
      return results;
    },
    results: (paths, mode) => buildPathsWithResults(paths, context(mode)),
    derivation: (target, mode) => buildGivenDerivation(target, context(mode)),
    missing: (paths) => queryMissing(paths, { store, ...evalStore, settings, substituters }),
    substitutable: async (paths) => queryMassPaths(await substituters(), paths),
    repair,
  };
  return steps;
}

/** The steps over a store that no builder can write to: what it has is found, and what caches have is fetched. */
function stepsWithoutBuilders(options: StoreBuilderOptions, { substituters, connections }: StepsContext): Steps {
  const { store, evalStore, settings, events, signal, failures } = options;
  const stores = {
    store,
    ...(evalStore === undefined ? {} : { evalStore }),
    ...(failures === undefined ? {} : { failures }),
  };
  const until = signal === undefined ? {} : { signal };
  const context = (mode: BuildMode): BuildPathsOptions => ({
    ...stores,
    ...until,
    settings,
    events,
    substituters,
    mode,
    executor: executorElsewhere(options, connections),
  });
  return {
    build: (paths, mode) => buildPaths(paths, context(mode)),
    results: (paths, mode) => buildPathsWithResults(paths, context(mode)),
    derivation: (target, mode = "normal") => buildGivenDerivation(target, context(mode)),
    missing: (paths) => queryMissing(paths, { ...stores, settings, substituters }),
    substitutable: async (paths) => queryMassPaths(await substituters(), paths),
    async repair(path) {
      throw new FirnError("cannot-repair", `cannot repair path '${path}'`);
    },
  };
}

/** The steps as a store offers them. */
function builderOf(steps: Steps): PathBuilder {
  return {
    buildPaths: (paths, { mode = "normal" } = {}) => steps.results(paths, mode),
    buildDerivation: async (target, { mode } = {}) => ({ outputs: await steps.derivation(target, mode) }),
    queryMissing: (paths) => steps.missing(paths),
  };
}
