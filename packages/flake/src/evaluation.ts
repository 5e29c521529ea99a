/** One evaluation with its surroundings: the evaluator's session, a store, fetchers, registries, locks, builds. */
import { join } from "node:path";
import { type FetchContext, indirectInput, isLockedInput } from "@firn/fetch";
import { editDistance, FirnError, nearNames, type RegistryEntry } from "@firn/formats";
import { type EvalMessage, parseAttrPath, quoteString, type StopAnswer } from "@firn/language";
import { type EventSink, type MachineStore, openStore, type Settings } from "@firn/store";
import { lstatSync, readlinkSync } from "@firn/store/files";
import { testVariable } from "@firn/store/surroundings";
import { callFlake } from "./call/call-flake.ts";
import { Evaluator } from "./evaluator/evaluator.ts";
import { hostConfig } from "./evaluator/host-config.ts";
import type { DebuggerStop, DerivationFacts } from "./evaluator/protocol.ts";
import type { HostServices } from "./evaluator/services.ts";
import type { AutoArguments, ValueRef } from "./evaluator/value-ref.ts";
import { fileArgument } from "./installables/file-argument.ts";
import { candidates, type Installable, type Lookup } from "./installables/parse.ts";
import type { FlakeSetting, FlakeSource, PathSetting } from "./lock/flake-description.ts";
import { findInput, isLockedNode } from "./lock/graph.ts";
import { type LockedFlake, type LockOptions, lockFlake, storedLock } from "./lock/lock-flake.ts";
import { parseFlakeRef } from "./refs/flake-ref.ts";
import { type FlakeRef, flakeRefToAttributes, parseReference, showFlakeRef } from "./refs/reference.ts";
import type { ImageWork } from "./results/kept-images.ts";
import { openKeptTrees } from "./results/kept-trees.ts";
import { openImages, openResults } from "./results/open-results.ts";
import type { Builder } from "./source/builder.ts";
import { debianFlake, debianSetDirectory, debianSetFlake, templatesFlake } from "./source/debian-flake.ts";
import { makeFetchContext, makeRegistries } from "./source/fetch-context.ts";
import { makeFlakeReader } from "./source/flake-reader.ts";
import { type FlakeContext, fetchRef, shownLockedRef, storedFlake } from "./source/flake-source.ts";
import { makeHostServices, type ServiceContext } from "./source/host-services.ts";
import { LocatedTrees } from "./source/located-trees.ts";

/** Options of opening an evaluation. */
export interface EvaluationOptions {
  /** An open evaluator to use instead of a new one. */
  readonly evaluator?: Evaluator;
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly store: MachineStore;
  readonly builder: Builder;
  readonly events: EventSink;
  readonly offline: boolean;
  /** True when derivations are not written to the store. */
  readonly readOnly: boolean;
  /** Search path entries of `-I`. */
  readonly includes: readonly string[];
  readonly registryFlags: readonly RegistryEntry[];
  /** Flakes whose inputs serve as registry entries (`--inputs-from`). */
  readonly inputsFrom: readonly FlakeRef[];
  readonly lock: LockOptions;
  /** Receives, in words, which kept answers were used, or why not (`--explain-cache`). */
  explainResults?(text: string): void;
  /** Starts a process that makes an image, and does not wait for it; where it is absent, no images are used. */
  startImage?(work: ImageWork): Promise<void>;
  /** Called when evaluation stops at an error or breakpoint; resolves to the way to continue. */
  readonly onStop?: (stop: DebuggerStop) => Promise<StopAnswer>;
  /** Receives the settings of the `nixConfig` of flakes that the user names. */
  applyConfig?(nixConfig: ReadonlyMap<string, FlakeSetting>): Promise<void>;
  report(message: EvalMessage): void;
  warn(text: string): void;
}

/** The origin of installables that are not flakes. */
export type Root =
  /** A path, `<name>` or URL. */
  | { readonly kind: "file"; readonly path: string }
  /** The text of standard input. */
  | { readonly kind: "stdin"; readonly text: string }
  | { readonly kind: "expression"; readonly text: string };

/** The use of a flake: what is wanted of it, and whether its `nixConfig` has an effect (it has by default). */
export interface FlakeUse {
  readonly fragment?: string;
  readonly applyConfig?: boolean;
}

/** A value that an installable led to. */
export interface Found {
  readonly value: ValueRef;
  /** The attribute path that led to it. */
  readonly attrPath: string;
  /** The flake that contains it. */
  readonly locked?: LockedFlake;
}

/** An open evaluation; close it when done. */
export class Evaluation {
  readonly evaluator: Evaluator;
  readonly fetch: FetchContext & { close(): Promise<void> };
  readonly context: FlakeContext;
  private readonly options: EvaluationOptions;
  private readonly services: HostServices;
  private inputEntries: Promise<RegistryEntry[]> | undefined;
  /** The trees that are read where they lie. */
  private readonly located: LocatedTrees;
  /** True when trees of this machine may be read where they lie. */
  private readonly inPlace: boolean;
  private readonly called = new Map<string, { locked: LockedFlake; value: ValueRef }>();

  constructor(options: EvaluationOptions) {
    this.options = options;
    const { settings, store, environment } = options;
    this.fetch = makeFetchContext({
      settings,
      store,
      environment,
      events: options.events,
      offline: options.offline,
      substitute: (path) => options.builder.obtain(path),
    });
    const config = hostConfig(
      settings,
      { environment, cwd: options.cwd },
      {
        includes: options.includes,
        readOnly: options.readOnly,
        realStoreDir: store.location.realStoreDir,
        location: store.location,
        debugger: options.onStop !== undefined,
      },
    );
    this.located = new LocatedTrees(store.storeDir);
    // Where everything may be read, a program can look into the store by itself; a debugger shows paths in the middle of things.
    this.inPlace =
      options.evaluator === undefined &&
      config.mode.pure &&
      !config.mode.restricted &&
      config.debugger === undefined &&
      config.calls === undefined &&
      testVariable("_FIRN_TREES_TO_STORE") === undefined;
    const serviceContext: ServiceContext = {
      store,
      fetch: this.fetch,
      readOnly: options.readOnly,
      pure: config.mode.pure,
      realise: (elements) => options.builder.realise(elements),
      substitute: (path) => options.builder.obtain(path),
      openStore: (url) => openStore(url, { settings, environment, events: options.events, offline: options.offline }),
      warn: options.warn,
      fetchFlake: (reference) => this.fetchFlake(reference),
      getFlake: async (reference) => (await this.getFlake(reference)).handle,
      keptTrees: config.codeDirectory === undefined ? undefined : openKeptTrees(config.codeDirectory),
    };
    this.services = {
      ...makeHostServices(serviceContext),
      obtainTree: (standIn) => this.located.facts(standIn),
    };
    const resultsOptions = {
      settings,
      config: { ...config, storeDir: store.storeDir },
      store: async () => store,
      computing: async () => makeHostServices({ ...serviceContext, readOnly: true }),
      ...(options.explainResults === undefined ? {} : { explain: options.explainResults }),
    };
    const results = openResults(resultsOptions);
    const { startImage } = options;
    const images =
      startImage === undefined ? undefined : openImages({ ...resultsOptions, flakes: true, start: startImage });
    this.evaluator =
      options.evaluator ??
      new Evaluator({
        config: { ...config, storeDir: store.storeDir },
        flakes: true,
        services: this.services,
        report: (message) => options.report(message),
        ...(results === undefined ? {} : { results }),
        ...(images === undefined ? {} : { images }),
        ...(options.onStop === undefined ? {} : { onStop: options.onStop }),
      });
    this.context = {
      fetch: this.fetch,
      reader: makeFlakeReader(this.evaluator, this.located),
      located: this.located,
      pure: config.mode.pure,
      registries: makeRegistries({
        settings,
        environment,
        fetch: this.fetch,
        flags: async () => [...options.registryFlags, ...(await this.entriesFromInputs())],
        debianSet: { exists: debianSetDirectory() !== undefined, make: () => debianSetFlake(environment) },
        templates: templatesFlake(),
        keep: async (storePath) => {
          const link = join(this.fetch.cacheDirectory, "flake-registry.json");
          if (!leadsTo(link, storePath)) await store.addPermRoot(storePath, link);
        },
        events: options.events,
      }),
    };
  }

  /** Returns the value of a file or an expression. */
  async root(root: Root): Promise<ValueRef> {
    const directory = this.options.cwd;
    switch (root.kind) {
      case "expression":
        return this.evaluator.evaluate({ kind: "string", text: root.text, directory });
      case "stdin":
        return this.evaluator.evaluate({ kind: "stdin", text: root.text, directory });
      case "file":
        return this.evaluator.evaluate({ kind: "file", path: await this.fileArgument(root.path) });
    }
  }

  /** Returns the path that a path, `<name>` or URL on a command line names. */
  fileArgument(word: string): Promise<string> {
    const { evaluator } = this;
    return fileArgument(word, { evaluator, cwd: this.options.cwd, fetchPath: (url) => this.pathOfUrl(url) });
  }

  /** Locks a flake. The reference `deb` means the Debian set with a lock made for `fragment`. */
  async lock(ref: FlakeRef, { fragment = "", applyConfig = true }: FlakeUse = {}): Promise<LockedFlake> {
    return lockFlake(this.context, await this.debian(ref, fragment), this.lockOptions(applyConfig));
  }

  private lockOptions(applyConfig: boolean): LockOptions {
    const lock = { ...this.options.lock, impure: !this.options.settings.get("pure-eval") };
    const apply = this.options.applyConfig;
    if (!applyConfig || apply === undefined) return lock;
    return { ...lock, applyConfig: async (nixConfig) => apply(await this.withCopiedPaths(nixConfig)) };
  }

  /** Copies the paths of a flake's settings to the store, each alone. */
  private async withCopiedPaths(nixConfig: FlakeSource["nixConfig"]): Promise<ReadonlyMap<string, FlakeSetting>> {
    const settings = new Map<string, FlakeSetting>();
    for (const [name, value] of nixConfig) {
      settings.set(name, isPathSetting(value) ? await this.copied(value.path) : value);
    }
    return settings;
  }

  private async copied(path: string): Promise<string> {
    const text = `"\${/. + ${quoteString(path)}}"`;
    return (await (await this.evaluator.evaluate({ kind: "string", text, directory: "/" })).string()).text;
  }

  /** Locks and calls a flake; each flake once. */
  async flake(
    ref: FlakeRef,
    { fragment = "", applyConfig = true }: FlakeUse = {},
  ): Promise<{ readonly locked: LockedFlake; readonly value: ValueRef }> {
    const actual = await this.debian(ref, fragment);
    const key = showFlakeRef(actual);
    let entry = this.called.get(key);
    if (entry === undefined) {
      entry = await this.lockAndCall(actual, applyConfig);
      this.called.set(key, entry);
    }
    return entry;
  }

  private async lockAndCall(
    ref: FlakeRef,
    applyConfig: boolean,
  ): Promise<{ readonly locked: LockedFlake; readonly value: ValueRef }> {
    try {
      const options = { ...this.lockOptions(applyConfig), inPlace: this.inPlace };
      const locked = await lockFlake(this.context, ref, options);
      return { locked, value: await callFlake(this.evaluator, locked, this.located) };
    } catch (error) {
      if (error instanceof FirnError) throw await this.located.shownError(error);
      throw error;
    }
  }

  /** Returns a locked flake with its tree in the store. Fails as fetching does. */
  stored(locked: LockedFlake): Promise<LockedFlake> {
    return storedLock(this.context, locked);
  }

  /** Returns the locked reference of a flake as it is shown. Fails as fetching does. */
  lockedReference({ flake }: LockedFlake): Promise<string> {
    return shownLockedRef(this.context, flake);
  }

  /** Returns the store path of a locked flake's tree; undefined where it is read in place and nothing has needed it in the store. */
  async knownSource({ flake }: LockedFlake): Promise<string | undefined> {
    const isPending = this.located.find(flake.storePath) !== undefined && !this.located.isStored(flake.storePath);
    return isPending ? undefined : (await storedFlake(this.context, flake)).storePath;
  }

  /** Returns registry entries for `--inputs-from`: each locked input of the flakes under its name. */
  private entriesFromInputs(): Promise<RegistryEntry[]> {
    this.inputEntries ??= (async () => {
      const entries: RegistryEntry[] = [];
      const lock = { ...this.options.lock, write: false };
      for (const ref of this.options.inputsFrom) {
        const { root } = await lockFlake(this.context, ref, lock);
        for (const [name, edge] of root.inputs) {
          const node = edge.kind === "node" ? edge.node : findInput(root, edge.path);
          if (node === undefined || !isLockedNode(node)) continue;
          const from = indirectInput(name, undefined, undefined);
          entries.push({ from, to: flakeRefToAttributes(node.lockedRef), exact: false });
        }
      }
      return entries;
    })();
    return this.inputEntries;
  }

  /** Forgets all flakes, so that they are read and called again at the next request. */
  forgetFlakes(): void {
    this.called.clear();
  }

  /**
   * Returns the value of a flake as its lock file pins it; missing entries are locked in memory only. `action` names, for
   * messages, the operation that an unlocked flake does not permit. Without `baseDirectory` a path is taken as it is, and must be absolute.
   */
  async getFlake(
    reference: string,
    { action = "call 'getFlake'", baseDirectory }: { readonly action?: string; readonly baseDirectory?: string } = {},
  ): Promise<ValueRef> {
    const pure = this.options.settings.get("pure-eval");
    const ref = baseDirectory === undefined ? parseReference(reference) : parseFlakeRef(reference, { baseDirectory });
    if (pure && !isLockedInput(ref.input)) {
      throw new FirnError(
        "unlocked",
        `cannot ${action} on unlocked flake reference '${reference}' (use --impure to override)`,
      );
    }
    const key = `getFlake ${showFlakeRef(ref)}`;
    let entry = this.called.get(key);
    if (entry === undefined) {
      const { lock } = this.options;
      const options = {
        ...lock,
        write: false,
        allowUnlocked: !pure,
        useRegistries: lock.useRegistries && !pure,
        warn: () => undefined,
      };
      const locked = await lockFlake(this.context, ref, options);
      entry = { locked, value: await callFlake(this.evaluator, locked, this.located) };
      this.called.set(key, entry);
    }
    return entry.value;
  }

  /** Fetches the tree of a flake, with the registries; returns its store path. */
  async fetchFlake(reference: string): Promise<string> {
    return (await fetchRef(this.context, parseReference(reference), "all")).storePath;
  }

  private async debian(ref: FlakeRef, fragment: string): Promise<FlakeRef> {
    const name = fragment.split(".").at(-1) ?? "";
    if (ref.input.get("type") !== "indirect" || ref.input.get("id") !== "deb" || name === "") return ref;
    const { settings, environment, events, offline } = this.options;
    const directory = await debianFlake({ settings, environment, events, offline }, name);
    return parseFlakeRef(`path:${directory}`);
  }

  /** Finds the value of a flake installable. Fails with `missing-attribute`, which names every attribute path that was tried. */
  async findInFlake(installable: Installable & { readonly kind: "flake" }, lookup: Lookup): Promise<Found> {
    const { locked, value } = await this.flake(installable.ref, { fragment: installable.fragment });
    const tried = candidates(installable.fragment, lookup);
    const outputs = await value.attribute("outputs");
    for (const attrPath of tried) {
      const found = await (outputs ?? value).attributeAlong(parseAttrPath(attrPath));
      if (found !== undefined) return { value: found, attrPath, locked };
    }
    const quoted = tried.map((path) => `'${path}'`);
    const list = quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
    const suggestions = await this.nearNames(outputs ?? value, tried);
    throw new FirnError(
      "missing-attribute",
      `flake '${showFlakeRef(locked.flake.originalRef)}' does not provide attribute ${list}`,
      {
        ...(suggestions.length === 0 ? {} : { suggestions }),
      },
    );
  }

  /** Selects along an attribute path with automatic arguments, as the old commands do. */
  async findInValue(
    root: ValueRef,
    attrPath: string,
    { autoArgs, callResult = true }: { readonly autoArgs: AutoArguments; readonly callResult?: boolean | undefined },
  ): Promise<Found> {
    const selected = await root.select(attrPath, autoArgs);
    if (!callResult) return { value: selected, attrPath };
    return { value: await selected.autoCall(autoArgs), attrPath };
  }

  /** Returns the path for a URL or `flake:` reference in a search path. */
  pathOfUrl(url: string): Promise<string | undefined> {
    return this.services.resolveSearchPathUrl(url);
  }

  /** Returns the names nearest to those at which attribute paths come to an end, the nearest first. */
  private async nearNames(root: ValueRef, tried: readonly string[]): Promise<string[]> {
    const distances = new Map<string, number>();
    for (const path of tried) {
      let value = root;
      for (const part of parseAttrPath(path)) {
        const next = await value.attribute(part);
        if (next !== undefined) {
          value = next;
          continue;
        }
        for (const name of nearNames(part, (await value.attributeNames()) ?? [])) {
          distances.set(name, Math.min(distances.get(name) ?? Number.POSITIVE_INFINITY, editDistance(part, name)));
        }
        break;
      }
    }
    return [...distances]
      .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
      .slice(0, 5)
      .map(([name]) => name);
  }

  /** Returns the facts of a derivation value; fails with `not-a-derivation` for other values. */
  async derivation(found: Found): Promise<DerivationFacts> {
    const facts = await found.value.derivation();
    if (facts !== undefined) return facts;
    if (found.locked !== undefined) {
      const shown = `${await found.value.describe()}: ${(await found.value.show({ colors: false })).text}`;
      const text = `expected flake output attribute '${found.attrPath}' to be a derivation or path but found ${shown}`;
      throw new FirnError("not-a-derivation", text);
    }
    const where = `attribute '${found.attrPath}'`;
    throw new FirnError("not-a-derivation", `expected ${where} to be a derivation`);
  }

  async close(): Promise<void> {
    await this.evaluator.close();
    await this.fetch.close();
  }
}

function isPathSetting(value: FlakeSetting | PathSetting): value is PathSetting {
  return typeof value === "object" && "path" in value;
}

function leadsTo(link: string, path: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(link, "latin1") === path;
}
