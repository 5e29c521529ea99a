/** Host services for the old commands: the store is opened at an evaluation's first use of it. */
import {
  type Builder,
  defaultLockOptions,
  Evaluation,
  type Evaluator,
  type HostServices,
  makeBuilder,
  makeFetchContext,
  makeHostServices,
  type ServiceContext,
} from "@firn/flake";
import {
  type EventSink,
  type MachineStore,
  openMachineStore,
  openStore,
  openSubstituters,
  type Settings,
  type Store,
} from "@firn/store";
import type { Io } from "../io.ts";
import { makeProgress } from "../render/progress.ts";

/** Services of an evaluation that can be closed. */
export interface OpenServices {
  readonly services: HostServices;
  /** Opens the store. */
  store(): Promise<MachineStore>;
  /** Makes services that only compute store paths. */
  computing(): Promise<HostServices>;
  /** Makes `link` point to a valid path and registers it as a root; returns the link. */
  addRoot(path: string, link: string): Promise<string>;
  close(): Promise<void>;
}

/** Options of opening a store with its builder. */
interface BuildingOptions {
  readonly events: EventSink;
  /** Ends the builds. */
  readonly signal?: AbortSignal;
  /** True for an evaluation, which can use a store elsewhere. */
  readonly stages?: boolean;
  /** URL of the store that evaluations write to, when it is another one. */
  readonly evalStore?: string | undefined;
}

/** A store, the one that evaluations write to (mostly the same), and a builder; the builder is to be closed first. */
interface BuildingStore {
  readonly store: MachineStore;
  readonly evalStore: MachineStore;
  readonly builder: Builder;
}

/** Opens the configured store and a builder for it. Errors of opening stores. */
export async function openBuildingStore(
  settings: Settings,
  io: Io,
  { events, signal, stages = false, evalStore: evalStoreUrl }: BuildingOptions,
): Promise<BuildingStore> {
  const context = { settings, environment: io.env, events, stages };
  const store = await openMachineStore(context);
  const evalStore = evalStoreUrl === undefined ? store : await openMachineStore(context, evalStoreUrl);
  const substituters = (): Promise<readonly Store[]> => openSubstituters({ settings, environment: io.env, events });
  const until = signal === undefined ? {} : { signal };
  const other = evalStore === store ? {} : { evalStore };
  const builder = makeBuilder({ store, ...other, settings, events, offline: false, substituters, ...until });
  return { store, evalStore, builder };
}

/** The evaluation that services are for. */
export interface ServicesFor {
  /** True when derivations are not written to the store. */
  readonly readOnly: boolean;
  /** URL of the store that the evaluation writes to; by default the configured one. */
  readonly evalStore: string | undefined;
  /** Returns the evaluator that uses the services. */
  evaluator(): Evaluator;
}

interface Opened {
  readonly services: HostServices;
  readonly computing: HostServices;
  readonly store: MachineStore;
  close(): Promise<void>;
}

/** Makes services over the configured store; nothing is opened before the first call. */
export function lazyServices(
  settings: Settings,
  io: Io,
  { readOnly, evaluator, evalStore }: ServicesFor,
): OpenServices {
  const progress = makeProgress({ io, verbosity: 0, buildLogs: "plain" });
  let opened: Promise<Opened> | undefined;
  const open = async (): Promise<Opened> => {
    const events = progress.event.bind(progress);
    const { builder, ...stores } = await openBuildingStore(settings, io, { events, stages: true, evalStore });
    const store = stores.evalStore;
    const substitute = (path: string): Promise<boolean> => builder.obtain(path);
    const fetch = makeFetchContext({ settings, store, environment: io.env, events, offline: false, substitute });
    let flakes: Evaluation | undefined;
    const openFlakes = (): Evaluation =>
      new Evaluation({
        evaluator: evaluator(),
        settings,
        environment: io.env,
        cwd: io.cwd,
        store,
        builder,
        events,
        offline: false,
        readOnly,
        includes: [],
        registryFlags: [],
        inputsFrom: [],
        lock: defaultLockOptions((text) => progress.warn(text)),
        report: () => undefined,
        warn: (text) => progress.warn(text),
      });
    const context: ServiceContext = {
      store,
      fetch,
      readOnly,
      pure: settings.get("pure-eval"),
      realise: (elements) => builder.realise(elements),
      substitute,
      openStore: (url) => openStore(url, { settings, environment: io.env, events }),
      warn: (text) => progress.warn(text),
      async fetchFlake(reference) {
        flakes ??= openFlakes();
        return flakes.fetchFlake(reference);
      },
      async getFlake(reference) {
        flakes ??= openFlakes();
        return (await flakes.getFlake(reference)).handle;
      },
    };
    return {
      services: makeHostServices(context),
      computing: makeHostServices({ ...context, readOnly: true }),
      store,
      async close() {
        await flakes?.fetch.close();
        await builder.close();
        await fetch.close();
        await store.close();
        if (stores.store !== store) await stores.store.close();
      },
    };
  };
  const all = (): Promise<Opened> => {
    opened ??= open();
    return opened;
  };
  const get = async (): Promise<HostServices> => (await all()).services;
  return {
    services: {
      addPath: async (request) => (await get()).addPath(request),
      addText: async (name, contents, references) => (await get()).addText(name, contents, references),
      writeDerivations: async (requests) => (await get()).writeDerivations(requests),
      readDerivation: async (path) => (await get()).readDerivation(path),
      realise: async (elements) => (await get()).realise(elements),
      ensurePath: async (path) => (await get()).ensurePath(path),
      queryPath: async (path) => (await get()).queryPath(path),
      fetch: async (request) => (await get()).fetch(request),
      getFlake: async (reference) => (await get()).getFlake!(reference),
      resolveSearchPathUrl: async (url) => (await get()).resolveSearchPathUrl(url),
    },
    store: async () => (await all()).store,
    computing: async () => (await all()).computing,
    addRoot: async (path, link) => (await all()).store.addPermRoot(path, link),
    async close() {
      progress.finish();
      if (opened !== undefined) await (await opened).close();
    },
  };
}
