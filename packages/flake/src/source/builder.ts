/** Building and substituting for evaluations and commands, over one local store. */
import {
  type BuildPathsOptions,
  type BuildResult,
  buildPaths,
  buildPathsWithResults,
  type Missing,
  queryMissing,
} from "@firn/build";
import { type DerivedPath, FirnError } from "@firn/formats";
import type { ContextElement } from "@firn/language";
import { computeClosure, type EventSink, type MachineStore, repairPath, type Settings, type Store } from "@firn/store";

/** The surroundings of building. */
export interface BuilderOptions {
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
export interface Builder {
  /** True while a build or substitution is in progress. */
  readonly busy: boolean;
  build(paths: readonly DerivedPath[], mode?: "normal" | "check" | "repair"): Promise<readonly BuildResult[]>;
  /** Builds as `build` does; a failure is the result of its path instead of an exception. */
  results(paths: readonly DerivedPath[]): Promise<readonly BuildResult[]>;
  missing(paths: readonly DerivedPath[]): Promise<Missing>;
  /** Makes a path valid by substitution if possible; resolves to true when it is valid afterwards. */
  substitute(path: string): Promise<boolean>;
  /**
   * Makes a damaged or missing path good again: by a copy from a substituter, else by building its derivation again. Error
   * `cannot-repair`, those of builds.
   */
  repair(path: string): Promise<void>;
  /** Realises the elements of a context; resolves to `drvPath!output` → path for every output. */
  realise(elements: readonly ContextElement[]): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/** Makes a builder; substituters are opened at their first use. */
export function makeBuilder(options: BuilderOptions): Builder {
  const { store, settings, events, offline } = options;
  let opened: Promise<readonly Store[]> | undefined;
  let runs = 0;
  const substituters = (): Promise<readonly Store[]> => {
    if (!settings.get("substitute") || offline) return Promise.resolve([]);
    opened ??= options.substituters();
    return opened;
  };
  const running = async <Result>(work: (options: BuildPathsOptions) => Promise<Result>): Promise<Result> => {
    runs++;
    try {
      return await work({
        store,
        settings,
        events,
        offline,
        substituters,
        ...(options.logCommand === undefined ? {} : { logCommand: options.logCommand }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } finally {
      runs--;
    }
  };
  const build: Builder["build"] = (paths, mode = "normal") =>
    running((options) => buildPaths(paths, { ...options, mode }));
  const repair = async (path: string): Promise<void> => {
    if (await repairPath(store, path, await substituters())) return;
    const deriver = (await store.queryPathInfo(path))?.deriver;
    if (deriver === undefined || !(await store.isValidPath(deriver))) {
      throw new FirnError("cannot-repair", `cannot repair path '${path}'`);
    }
    await build([{ kind: "built", drvPath: deriver, outputs: "*" }], "repair");
  };
  return {
    get busy() {
      return runs > 0;
    },
    async build(paths, mode) {
      const results = await build(paths, mode);
      if (mode !== "repair") return results;
      // What the results refer to may be damaged as well.
      const roots = results.flatMap(({ path, outputs }) =>
        path.kind === "opaque" ? [path.path] : [...outputs.values()],
      );
      for (const path of await computeClosure(store, roots)) if (!store.isIntact(path)) await repair(path);
      return results;
    },
    results: (paths) => running((options) => buildPathsWithResults(paths, options)),
    missing: (paths) => queryMissing(paths, { store, settings, substituters }),
    async substitute(path) {
      if (await store.isValidPath(path)) return true;
      const plan = await queryMissing([{ kind: "opaque", path }], {
        store,
        settings,
        substituters,
      });
      if (!plan.willSubstitute.includes(path)) return false;
      await build([{ kind: "opaque", path }]);
      return true;
    },
    repair,
    async realise(elements) {
      const outputs = new Map<string, string>();
      const wanted: DerivedPath[] = [];
      for (const element of elements) {
        if (element.kind === "output") {
          wanted.push({ kind: "built", drvPath: element.drvPath, outputs: [element.output] });
          continue;
        }
        // Sources of flakes are valid nearly always: no cache is asked, nor even opened, for them.
        const path = element.kind === "deep" ? element.drvPath : element.path;
        if (!(await store.isValidPath(path))) wanted.push({ kind: "opaque", path });
      }
      if (wanted.length === 0) return outputs;
      for (const result of await build(wanted)) {
        if (result.path.kind !== "built") continue;
        for (const [name, path] of result.outputs) outputs.set(`${result.path.drvPath}!${name}`, path);
      }
      return outputs;
    },
    async close() {
      for (const substituter of (await opened) ?? []) await substituter.close();
    },
  };
}
