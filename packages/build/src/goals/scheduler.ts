/** Builds and fetches whole graphs: each derivation and path once, as many at a time as allowed, dependencies first. */
import {
  type ContentAddress,
  compareByteStrings,
  type Derivation,
  type DerivedPath,
  derivationKind,
  derivationOutputPath,
  derivationStorePath,
  FirnError,
  interrupted,
  nestedOutput,
  printDerivationOf,
  printDerivedPath,
  storePathName,
  wire,
} from "@firn/formats";
import {
  type BuildMode,
  type BuildResult,
  cannotSubstitute,
  copyClosure,
  DerivationHashes,
  type EventSink,
  errorEvent,
  hasFeature,
  machineError,
  type Settings,
  type Store,
  takesOutputs,
} from "@firn/store";
import { BuildFailure, showOutputs } from "../build-derivation.ts";
import type { DerivationStore, GraphStore } from "../build-store.ts";
import { localExecutor, refusingExecutor } from "../local-executor.ts";
import { readBuildOptions } from "../options.ts";
import { recordRealisation } from "../record-realisation.ts";
import { DerivationSource } from "./derivation-source.ts";
import type { BuildExecutor } from "./executor.ts";
import { inputRequests, needsResolution, resolveDerivation } from "./resolve.ts";
import { StartOrder } from "./start-order.ts";
import { Substitution } from "./substitution.ts";

/**
 * The forms in which several failures are told, of the reference's new and old commands: those of what was requested, in its order; or those
 * of goals in the order of their names, the first of them last, with derivations for their outputs.
 */
export type FailureForm = "requests" | "goals";

/** Options of building. */
export interface BuildPathsOptions {
  readonly store: GraphStore;
  /** The store that has the derivations and their sources, when it is another one. */
  readonly evalStore?: DerivationStore;
  readonly settings: Settings;
  readonly events: EventSink;
  /** Opens the stores to query for outputs; not called when nothing may be substituted. */
  readonly substituters?: () => Promise<readonly Store[]>;
  readonly mode?: BuildMode;
  /** Tells whether a valid path is as it was registered: in mode `repair` such outputs are not built. */
  readonly isIntact?: (path: string) => Promise<boolean>;
  readonly signal?: AbortSignal;
  /** The form in which several failures are told; by default `requests`. */
  readonly failures?: FailureForm;
  /** The executor of builds; by default this machine, if the store is on it. */
  readonly executor?: BuildExecutor;
}

type Outputs = ReadonlyMap<string, string>;

/** Store paths of a derivation's inputs, and outputs by derivation as {@link resolveDerivation} takes them. */
interface BuildInputs {
  readonly paths: readonly string[];
  readonly byDerivation: ReadonlyMap<string, Outputs>;
}

/** A derivation to build, and the names of the outputs that are wanted of it. */
interface Wanted {
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly outputs: readonly string[];
  readonly mode: "normal" | "check" | "repair";
}

/** Exit status bits of failures, as the reference's. */
class FailureStatus {
  #bits = 0;

  add(error: FirnError): void {
    if (error.exitStatus >= 100 && error.exitStatus < 128) this.#bits |= error.exitStatus - 96;
  }

  /** Exit status of the command line: 96 plus bits: 4 failed build, 1 timeout, 2 hash mismatch, 8 not deterministic; 1 without any. */
  get exitStatus(): number {
    return this.#bits === 0 ? 1 : 96 + this.#bits;
  }
}

class Scheduler {
  readonly #options: BuildPathsOptions;
  readonly #substitution: Substitution;
  readonly #order = new StartOrder();
  readonly #executor: BuildExecutor;
  readonly #inputs = new Map<string, Promise<BuildInputs>>();
  readonly #derivations = new Map<string, Promise<Outputs>>();
  /** Outputs of impure derivations, which are built once in each run. */
  readonly #impure = new Map<string, Promise<Outputs>>();
  /** Derivations that were seen with outputs whose paths are only known after building. */
  readonly #unknown = new Set<string>();
  readonly #source: DerivationSource;
  readonly #hashes: DerivationHashes;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly status = new FailureStatus();
  #building = 0;
  #ended = false;

  constructor(options: BuildPathsOptions) {
    this.#options = options;
    this.#source = new DerivationSource(options.store, options.evalStore);
    this.#hashes = new DerivationHashes(this.#source);
    const { settings } = options;
    this.#signal =
      options.signal === undefined ? this.#abort.signal : AbortSignal.any([options.signal, this.#abort.signal]);
    this.#substitution = new Substitution({
      store: options.store,
      substituters: async () => (settings.get("substitute") ? ((await options.substituters?.()) ?? []) : []),
      maxJobs: settings.get("max-substitution-jobs"),
      events: options.events,
      signal: this.#signal,
    });
    this.#executor = options.executor ?? executorHere(options);
  }

  /** Fetches or builds paths, begun in the order of their names as in the reference; results come in the order of the paths. */
  async requestAll(paths: readonly DerivedPath[]): Promise<BuildResult[]> {
    const results = new Map<DerivedPath, Promise<BuildResult>>();
    for (const path of sortedByName(paths, requestName)) results.set(path, this.request(path));
    return Promise.all(paths.map((path) => results.get(path)!));
  }

  async request(path: DerivedPath): Promise<BuildResult> {
    try {
      if (path.kind === "opaque") {
        await this.#order.looking(() => this.#ensurePath(path.path));
        return { path, outputs: new Map() };
      }
      const all = await this.#ensureOutputs(path.drvPath, path.outputs, true);
      const wanted = path.outputs === "*" ? [...all.keys()] : path.outputs;
      return { path, outputs: new Map([...all].filter(([name]) => wanted.includes(name))) };
    } catch (error) {
      // After the first failure of what was asked for, the rest counts as ended by it, also what depends on what failed.
      const failure = this.#ended ? interrupted() : error instanceof FirnError ? error : wrap(error);
      this.status.add(failure);
      // What cannot be checked ends the rest even when builds that fail do not.
      if (!this.#options.settings.get("keep-going") || failure.code === "not-built") {
        this.#ended = true;
        this.#abort.abort();
      }
      return { path, outputs: new Map(), error: failure };
    }
  }

  /** Builds or fetches a derivation as it is given, whose inputs are plain paths. Fails as builds do. */
  async requestDerivation(drvPath: string, derivation: Derivation): Promise<Outputs> {
    const { store, mode = "normal" } = this.#options;
    const wanted: Wanted = { drvPath, derivation, outputs: [...derivation.outputs.keys()], mode };
    const known = derivationKind(derivation) === "impure" ? new Map<string, string>() : await this.#locate(derivation);
    const valid = await store.queryValidPaths(known.values());
    const missing = wanted.outputs.filter((name) => !valid.has(known.get(name) ?? ""));
    if (mode === "normal") {
      for (const path of known.values()) await store.addTempRoot(path);
      if (missing.length === 0) return known;
      const substituted = await this.#substituteOutputs(wanted, { known, missing });
      if (substituted !== undefined) return substituted;
    }
    const { paths } = await this.#ensureInputs(drvPath, derivation);
    return this.#buildHere(wanted, paths, mode);
  }

  async #ensurePath(path: string): Promise<void> {
    const { store } = this.#options;
    await store.addTempRoot(path);
    if (await store.isValidPath(path)) return;
    if (await this.#order.waiting(this.#substitution.obtain(path))) return;
    throw cannotSubstitute(path);
  }

  /** Makes a derivation's file valid. Fails with `build-failed` when it cannot be had. */
  async #ensureDerivation(drvPath: string): Promise<void> {
    try {
      await this.#ensurePath(drvPath);
    } catch (error) {
      if (!(error instanceof FirnError) || error.code !== "cannot-substitute") throw error;
      throw new BuildFailure(drvPath, `failed to obtain derivation of '${drvPath}'`, error.exitStatus);
    }
  }

  /** Makes a source of a derivation valid, which may be in the store of the evaluation. */
  async #ensureSource(path: string): Promise<void> {
    const { store, evalStore, events } = this.#options;
    await store.addTempRoot(path);
    if (evalStore !== undefined && !(await store.isValidPath(path)) && (await evalStore.isValidPath(path))) {
      await this.#order.waiting(copyClosure([path], { from: evalStore, to: store, checkSignatures: false, events }));
      return;
    }
    await this.#ensurePath(path);
  }

  /** Returns the store path of a derivation that may be the output of another one (`!output!drvPath`), and builds that. */
  async #derivationPath(drvPath: string): Promise<string> {
    const nested = nestedOutput(drvPath);
    if (nested === undefined) return drvPath;
    try {
      const outputs = await this.#order.waiting(this.#ensureOutputs(nested.drvPath, [nested.output]));
      return outputs.get(nested.output)!;
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === "aborted") throw error;
      this.#reportOnce(error);
      throw new BuildFailure(
        drvPath,
        `failed to obtain derivation of '${printDerivationOf(drvPath)}'`,
        error.exitStatus,
      );
    }
  }

  /** Makes outputs of a derivation valid by fetching or building them. */
  #ensureOutputs(requested: string, outputs: readonly string[] | "*", top = false): Promise<Outputs> {
    return this.#order.looking(() => this.#obtainOutputs(requested, outputs, top));
  }

  async #obtainOutputs(requested: string, outputs: readonly string[] | "*", top: boolean): Promise<Outputs> {
    const { store } = this.#options;
    const drvPath = await this.#derivationPath(requested);
    await (this.#options.evalStore ?? store).addTempRoot(drvPath);
    if (!(await this.#source.isValidPath(drvPath))) await this.#ensureDerivation(drvPath);
    const derivation = this.#source.readDerivation(drvPath);
    const kind = derivationKind(derivation);
    if (kind !== "input-addressed" && kind !== "fixed") this.#unknown.add(requested);
    const names = outputs === "*" ? [...derivation.outputs.keys()] : outputs;
    for (const name of names) {
      if (!derivation.outputs.has(name)) {
        throw new FirnError("no-output", `derivation '${drvPath}' does not have output '${name}'`);
      }
    }
    const mode = top ? (this.#options.mode ?? "normal") : "normal";
    const wanted: Wanted = { drvPath, derivation, outputs: names, mode };
    if (kind === "impure") {
      let goal = this.#impure.get(drvPath);
      if (goal === undefined) {
        const all: Wanted = { ...wanted, outputs: [...derivation.outputs.keys()] };
        goal = this.#order.looking(() => this.#build(all));
        goal.catch(() => {});
        this.#impure.set(drvPath, goal);
      }
      return this.#order.waiting(goal);
    }
    const known = await this.#locate(derivation);
    const missing: string[] = [];
    for (const name of names) {
      const path = known.get(name);
      if (path !== undefined) await store.addTempRoot(path);
      if (path === undefined || !(await store.isValidPath(path))) missing.push(name);
    }
    if (missing.length > 0 && mode === "check") {
      throw new FirnError(
        "not-built",
        `some outputs of '${drvPath}' are not valid, so checking is not possible\nHint: --rebuild and --check error if the derivation was not previously built and cannot be substituted.\n      Remove it to perform a fresh build, or use --repair to rewrite missing or corrupted builds in the store.`,
      );
    }
    if (mode === "repair" && missing.length === 0 && (await this.#areIntact(names, known))) return known;
    if (mode !== "normal") return this.#build(wanted);
    if (missing.length === 0) {
      await this.#recordStatic(wanted, known);
      return known;
    }
    const substituted = await this.#order.waiting(this.#substituteOutputs(wanted, { known, missing }));
    return substituted ?? this.#build(wanted);
  }

  async #areIntact(names: readonly string[], known: Outputs): Promise<boolean> {
    const { isIntact } = this.#options;
    if (isIntact === undefined) return false;
    for (const name of names) if (!(await isIntact(known.get(name) ?? ""))) return false;
    return true;
  }

  /** Returns the paths of a derivation's outputs as far as they are known: from itself, or from earlier builds. */
  async #locate(derivation: Derivation): Promise<Map<string, string>> {
    const known = knownOutputs(derivation, this.#options.store.storeDir);
    if (known.size === derivation.outputs.size) return known;
    for (const name of derivation.outputs.keys()) {
      const id = this.#hashes.outputId(derivation, name);
      const realisation = await this.#options.store.queryRealisation(id);
      if (realisation !== undefined) known.set(name, realisation.outPath);
    }
    return known;
  }

  /** Records realisations of outputs whose paths were known before, so that caches of realisations have them too. */
  async #recordStatic({ derivation, outputs }: Wanted, known: Outputs): Promise<void> {
    const { store, settings } = this.#options;
    if (!hasFeature(settings, "ca-derivations") || knownOutputs(derivation, store.storeDir).size === 0) return;
    for (const name of outputs) await this.#record(derivation, name, known.get(name)!);
  }

  async #record(derivation: Derivation, name: string, outPath: string): Promise<void> {
    const { store, settings } = this.#options;
    await recordRealisation({ store, settings, hashes: this.#hashes }, derivation, { name, outPath });
  }

  /** Fetches missing outputs when substituters have all of them; returns the paths of the wanted ones then. */
  async #substituteOutputs(
    { drvPath, derivation, outputs }: Wanted,
    { known, missing }: { readonly known: Outputs; readonly missing: readonly string[] },
  ): Promise<Outputs | undefined> {
    const { store, settings } = this.#options;
    if (!settings.get("substitute") || this.#options.substituters === undefined) return undefined;
    const options = readBuildOptions(derivation, store.storeDir);
    if (!options.allowSubstitutes && !settings.get("always-allow-substitutes")) return undefined;
    const found = new Map(known);
    const realised: wire.Realisation[] = [];
    for (const name of missing) {
      if (found.has(name)) continue;
      const realisation = await this.#substitution.realisation(this.#hashes.outputId(derivation, name));
      if (realisation === undefined) return undefined;
      if (store.offers.registry?.isTrustedRealisation(realisation) === false) {
        const id = wire.printDrvOutput(realisation.id);
        const text = `ignoring the realisation of '${id}' because it lacks a signature by a trusted key`;
        this.#options.events({ kind: "message", level: "warn", text });
        return undefined;
      }
      realised.push(realisation);
      found.set(name, realisation.outPath);
    }
    const paths = missing.map((name) => found.get(name)!);
    const addresses = missing.map((name) => fixedAddress(derivation, name));
    const offered = await Promise.all(
      paths.map(
        async (path, i) =>
          addresses[i] !== undefined ||
          (await store.isValidPath(path)) ||
          (await this.#substitution.offer(path)) !== undefined,
      ),
    );
    if (offered.includes(false)) return undefined;
    const got = await Promise.all(paths.map((path, i) => this.#substitution.obtain(path, addresses[i])));
    if (!got.includes(false)) {
      for (const realisation of realised) await store.registerRealisation(realisation, { checkSignatures: true });
      await this.#recordStatic({ drvPath, derivation, outputs, mode: "normal" }, found);
      return found;
    }
    if (settings.get("fallback") || !paths.some((path) => this.#substitution.isBroken(path))) return undefined;
    throw new FirnError(
      "substitution-failed",
      `some substitutes for the outputs of derivation '${drvPath}' failed (usually happens due to networking issues); try '--fallback' to build derivation from source `,
    );
  }

  async #build(wanted: Wanted): Promise<Outputs> {
    const { drvPath, derivation, mode } = wanted;
    this.#hashes.check(drvPath, derivation);
    await this.#checkInputsPure(drvPath, derivation);
    let inputs = this.#inputs.get(drvPath);
    if (inputs === undefined) {
      inputs = this.#ensureInputs(drvPath, derivation);
      inputs.catch(() => {});
      this.#inputs.set(drvPath, inputs);
    }
    const { paths, byDerivation } = await this.#order.waiting(inputs);
    const unknown = inputRequests(derivation).some((input) => this.#unknown.has(input.drvPath));
    if (needsResolution(derivation, unknown)) return this.#buildResolved(wanted, byDerivation);
    let goal = this.#derivations.get(drvPath);
    if (goal === undefined) {
      goal = this.#buildHere(wanted, paths, mode);
      goal.catch(() => {});
      this.#derivations.set(drvPath, goal);
    }
    return this.#order.waiting(goal);
  }

  async #buildHere(
    { drvPath, derivation }: Wanted,
    inputs: readonly string[],
    mode: "normal" | "check" | "repair",
  ): Promise<Outputs> {
    const outputs = await this.#run({ drvPath, derivation, inputs, mode });
    const kind = derivationKind(derivation);
    if (kind === "floating" && mode !== "check") {
      for (const [name, path] of outputs) await this.#record(derivation, name, path);
    } else if (kind !== "impure" && mode !== "check") {
      await this.#recordStatic({ drvPath, derivation, outputs: [...outputs.keys()], mode }, outputs);
    }
    return outputs;
  }

  async #run(job: {
    drvPath: string;
    derivation: Derivation;
    inputs: readonly string[];
    mode: "normal" | "check" | "repair";
  }): Promise<Outputs> {
    const { events } = this.#options;
    const { drvPath } = job;
    await this.#order.turn(storePathName(drvPath));
    if (this.#signal.aborted) throw interrupted();
    let started: number | undefined;
    let ok = false;
    try {
      const outputs = await this.#executor.build({
        ...job,
        signal: this.#signal,
        onStart: (machine) => {
          started = Date.now();
          this.#building++;
          const where = machine === undefined ? {} : { machine };
          events({ kind: "build-start", drvPath, mode: job.mode, ...where, current: this.#building });
        },
      });
      ok = true;
      return outputs;
    } catch (error) {
      // What fails after the first failure counts as ended by it.
      if (this.#abort.signal.aborted && error instanceof FirnError) throw interrupted();
      throw error;
    } finally {
      if (started !== undefined) {
        this.#building--;
        events({ kind: "build-end", drvPath, ok, seconds: (Date.now() - started) / 1000 });
      }
    }
  }

  /** Makes all inputs of a build valid. */
  async #ensureInputs(drvPath: string, derivation: Derivation): Promise<BuildInputs> {
    const paths = new Set<string>();
    const byDerivation = new Map<string, Outputs>();
    const tasks: Promise<void>[] = [];
    for (const input of sortedByName(inputRequests(derivation), ({ drvPath: path }) => storePathName(path))) {
      tasks.push(
        this.#ensureOutputs(input.drvPath, input.outputs).then((outputs) => {
          byDerivation.set(input.drvPath, outputs);
          for (const name of input.outputs) {
            const path = outputs.get(name);
            if (path === undefined) {
              throw new FirnError(
                "no-output",
                `derivation '${drvPath}' requires non-existent output '${name}' from input derivation '${printDerivationOf(input.drvPath)}'`,
              );
            }
            paths.add(path);
          }
        }),
      );
    }
    for (const source of derivation.inputSrcs) {
      tasks.push(this.#order.looking(() => this.#ensureSource(source)).then(() => void paths.add(source)));
    }
    const settled = await Promise.allSettled(this.#failFast(tasks));
    const failures = settled.filter((result) => result.status === "rejected").map((result): unknown => result.reason);
    if (failures.length === 0) {
      return { paths: [...paths], byDerivation };
    }
    throw this.#dependencyFailure(drvPath, derivation, failures);
  }

  /** Lets the first failure stop everything that has not begun, unless keep-going is set. */
  #failFast(tasks: readonly Promise<void>[]): Promise<void>[] {
    return tasks.map((task) =>
      task.catch((error: unknown) => {
        if (!this.#options.settings.get("keep-going")) this.#abort.abort();
        throw error;
      }),
    );
  }

  #dependencyFailure(drvPath: string, derivation: Derivation, failures: readonly unknown[]): FirnError {
    const errors = failures.map((failure) => (failure instanceof FirnError ? failure : wrap(failure)));
    const own = errors.filter((error) => error.code !== "aborted");
    const first = own[0];
    if (first === undefined) return errors[0]!;
    for (const error of own) this.#reportOnce(error);
    const count = own.length;
    const message = `Cannot build '${drvPath}'.\nReason: ${count} ${count === 1 ? "dependency" : "dependencies"} failed.${showOutputs(derivation, this.#options.store.storeDir)}`;
    return new BuildFailure(drvPath, message, first.exitStatus);
  }

  readonly #reported = new Set<FirnError>();

  #reportOnce(error: FirnError): void {
    if (this.#reported.has(error)) return;
    this.#reported.add(error);
    this.status.add(error);
    this.#options.events(errorEvent(error.message));
  }

  /** Builds a derivation as the one that it is when its inputs' paths are filled in. */
  async #buildResolved({ derivation, outputs, mode }: Wanted, inputs: ReadonlyMap<string, Outputs>): Promise<Outputs> {
    const { store } = this.#options;
    const resolved = resolveDerivation(derivation, inputs, store.storeDir);
    const { path, contents, references } = derivationStorePath(resolved, store.storeDir);
    await store.addTextToStore(`${resolved.name}.drv`, contents, references);
    let built: Outputs;
    try {
      built = await this.#order.waiting(this.#ensureOutputs(path, outputs, mode !== "normal"));
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === "aborted") throw error;
      this.#reportOnce(error);
      const message = `build of resolved derivation '${path}' failed`;
      throw new BuildFailure(path, message, error.exitStatus);
    }
    if (derivationKind(derivation) !== "impure") {
      for (const name of outputs) await this.#record(derivation, name, built.get(name)!);
    }
    return built;
  }

  /** Checks that no result that is kept depends on an impure one, except where its hash is fixed. */
  async #checkInputsPure(drvPath: string, derivation: Derivation): Promise<void> {
    const source = this.#source;
    const kind = derivationKind(derivation);
    if (kind === "fixed" || kind === "impure" || kind === "input-addressed") return;
    for (const input of derivation.inputDrvs.keys()) {
      if (!(await source.isValidPath(input)) || derivationKind(source.readDerivation(input)) !== "impure") continue;
      const message = `pure derivation '${drvPath}' depends on impure derivation '${input}'`;
      throw new FirnError("bad-derivation", message);
    }
  }
}

/** Makes the executor of builds on this machine. */
function executorHere({ store, settings, events }: BuildPathsOptions): BuildExecutor {
  return takesOutputs(store) ? localExecutor({ store, settings, events, offline: false }) : refusingExecutor();
}

function wrap(error: unknown): FirnError {
  return (
    machineError(error) ??
    new FirnError("internal", error instanceof Error ? error.message : String(error), { cause: error })
  );
}

function knownOutputs(derivation: Derivation, storeDir: string): Map<string, string> {
  const known = new Map<string, string>();
  for (const name of derivation.outputs.keys()) {
    const path = derivationOutputPath(derivation, name, storeDir);
    if (path !== undefined) known.set(name, path);
  }
  return known;
}

/** Fetches or builds every path; returns one result for each. A failed build is a result, not an exception. */
export async function buildPathsWithResults(
  paths: readonly DerivedPath[],
  options: BuildPathsOptions,
): Promise<readonly BuildResult[]> {
  const scheduler = new Scheduler(options);
  return scheduler.requestAll(paths);
}

/**
 * Fetches or builds every path. Throws the one failure, or `build-failed` for several (each is then an error message event
 * before); the exit status is that of the reference: 96 plus 4 failed build, 1 timeout, 2 hash mismatch, 8 not deterministic.
 */
export async function buildPaths(
  paths: readonly DerivedPath[],
  options: BuildPathsOptions,
): Promise<readonly BuildResult[]> {
  const scheduler = new Scheduler(options);
  const results = await scheduler.requestAll(paths);
  return requireBuilt(results, { ...options, exitStatus: scheduler.status.exitStatus });
}

/** Returns results unless some are failures: throws the one, or `build-failed` for several, each of which is then an error message. */
export function requireBuilt(
  results: readonly BuildResult[],
  options: Pick<BuildPathsOptions, "events" | "signal" | "failures"> & { readonly exitStatus: number },
): readonly BuildResult[] {
  const failed = results.filter((result) => result.error !== undefined);
  if (failed.length === 0) return results;
  const told = new Map(failed.map((result) => [printDerivedPath(result.path), result]));
  const real = [...told.values()].filter((result) => result.error!.code !== "aborted");
  const [first] = real.length > 0 ? real : failed;
  if (options.signal?.aborted === true || real.length <= 1) throw first!.error!;
  const goals = options.failures === "goals";
  const byName = goals ? sortedByName(real, ({ path }) => requestName(path)) : [];
  for (const result of goals ? [...byName.slice(1), byName[0]!] : real)
    options.events(errorEvent(result.error!.message));
  const shown = ({ path }: BuildResult): string =>
    goals && path.kind === "built" ? printDerivationOf(path.drvPath) : printDerivedPath(path);
  const names = [...new Set(real.map(shown))]
    .sort(compareByteStrings)
    .map((name) => `'${name}'`)
    .join(", ");
  throw new FirnError("build-failed", `build of ${names} failed`, { exitStatus: options.exitStatus });
}

/**
 * Builds or fetches a derivation as it is given, whose inputs are plain paths; its file need not be in the store, and its output
 * paths are taken as they are. Fails as builds do.
 */
export function buildGivenDerivation(
  { drvPath, derivation }: { readonly drvPath: string; readonly derivation: wire.BasicDerivation },
  options: BuildPathsOptions,
): Promise<ReadonlyMap<string, string>> {
  return new Scheduler(options).requestDerivation(drvPath, { ...derivation, inputDrvs: new Map() });
}

/** Returns the content address of a fixed output. */
function fixedAddress(derivation: Derivation, name: string): ContentAddress | undefined {
  const output = derivation.outputs.get(name);
  return output?.kind === "fixed" ? output.address : undefined;
}

/** Returns the name of what is requested, by which the reference orders its goals. */
function requestName(path: DerivedPath): string {
  return storePathName(path.kind === "opaque" ? path.path : path.drvPath);
}

function sortedByName<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const named = items.map((item) => ({ item, name: nameOf(item) }));
  return named.sort((a, b) => compareByteStrings(a.name, b.name)).map(({ item }) => item);
}
