/** Builds and fetches whole graphs: each derivation and path once, as many at a time as allowed, dependencies first. */
import {
  type Derivation,
  type DerivedPath,
  derivationKind,
  derivationOutputPath,
  derivationStorePath,
  FirnError,
  hashDerivationModulo,
  makeOutputPath,
  printDerivedPath,
} from "@firn/formats";
import type { EventSink, Settings, SourceWriter, Store } from "@firn/store";
import { BuildFailure, showOutputs } from "../build-derivation.ts";
import type { BuildStore } from "../build-store.ts";
import { DerivationHashes } from "../derivation-hashes.ts";
import { localExecutor } from "../local-executor.ts";
import { readBuildOptions } from "../options.ts";
import type { BuildExecutor } from "./executor.ts";
import { needsResolution, resolveDerivation } from "./resolve.ts";
import { Semaphore } from "./semaphore.ts";
import { Substitution } from "./substitution.ts";

/** Options of building. */
export interface BuildPathsOptions {
  readonly store: BuildStore & SourceWriter;
  readonly settings: Settings;
  readonly events: EventSink;
  /** Opens the stores to query for outputs; not called when nothing may be substituted. */
  readonly substituters?: () => Promise<readonly Store[]>;
  readonly mode?: "normal" | "check" | "repair";
  readonly signal?: AbortSignal;
  readonly offline?: boolean;
  /** The command that shows logs, for messages; by default `nix log`. */
  readonly logCommand?: string;
  /** The executor of builds; by default this machine. */
  readonly executor?: BuildExecutor;
}

/** The result of one request; `outputs` for derivations. */
export interface BuildResult {
  readonly path: DerivedPath;
  readonly outputs: ReadonlyMap<string, string>;
  readonly error?: FirnError;
}

/** Limit of concurrent downloads. */
const DOWNLOADS = 8;

type Outputs = ReadonlyMap<string, string>;

/** Exit status bits of failures, as the reference's. */
class FailureStatus {
  #bits = 0;

  add(error: FirnError): void {
    if (error.exitStatus >= 100 && error.exitStatus < 128) this.#bits |= error.exitStatus - 100;
    else if (error.exitStatus === 130) this.#bits |= 0;
  }

  /** Exit status of the command line: 100 plus bits: 1 timeout, 2 hash mismatch, 4 not deterministic. */
  get exitStatus(): number {
    return 100 + this.#bits;
  }
}

class Scheduler {
  readonly #options: BuildPathsOptions;
  readonly #substitution: Substitution;
  readonly #executor: BuildExecutor;
  readonly #slots: Semaphore;
  readonly #downloads = new Semaphore(DOWNLOADS);
  readonly #derivations = new Map<string, Promise<Outputs>>();
  readonly #realised = new Map<string, Outputs>();
  readonly #hashes: DerivationHashes;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly status = new FailureStatus();
  #building = 0;

  constructor(options: BuildPathsOptions) {
    this.#options = options;
    this.#hashes = new DerivationHashes(options.store);
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
    this.#executor =
      options.executor ??
      localExecutor({
        store: options.store,
        settings,
        events: options.events,
        offline: options.offline ?? false,
        ...(options.logCommand === undefined ? {} : { logCommand: options.logCommand }),
      });
    this.#slots = new Semaphore(Math.max(1, settings.get("max-jobs")));
  }

  async request(path: DerivedPath): Promise<BuildResult> {
    try {
      if (path.kind === "opaque") {
        await this.#ensurePath(path.path);
        return { path, outputs: new Map() };
      }
      const all = await this.#ensureOutputs(path.drvPath, path.outputs, true);
      const wanted = path.outputs === "*" ? [...all.keys()] : path.outputs;
      return { path, outputs: new Map([...all].filter(([name]) => wanted.includes(name))) };
    } catch (error) {
      const failure = error instanceof FirnError ? error : wrap(error);
      this.status.add(failure);
      if (!this.#options.settings.get("keep-going")) this.#abort.abort();
      return { path, outputs: new Map(), error: failure };
    }
  }

  async #ensurePath(path: string): Promise<void> {
    const { store } = this.#options;
    await store.addTempRoot(path);
    if (await store.isValidPath(path)) return;
    if (await this.#substitution.obtain(path)) return;
    throw new FirnError(
      "cannot-substitute",
      `path '${path}' does not exist and cannot be created: there is no substituter that can build it`,
    );
  }

  /** Makes outputs of a derivation valid by fetching or building them. */
  async #ensureOutputs(drvPath: string, outputs: readonly string[] | "*", top = false): Promise<Outputs> {
    const { store } = this.#options;
    await store.addTempRoot(drvPath);
    if (!(await store.isValidPath(drvPath))) await this.#ensurePath(drvPath);
    const derivation = store.readDerivation(drvPath);
    const wanted = outputs === "*" ? [...derivation.outputs.keys()] : outputs;
    for (const name of wanted) {
      if (!derivation.outputs.has(name)) {
        throw new FirnError("no-output", `derivation '${drvPath}' does not have output '${name}'`);
      }
    }
    const known = knownOutputs(derivation, store.storeDir);
    const mode = top ? (this.#options.mode ?? "normal") : "normal";
    const realised = this.#realised.get(drvPath);
    if (realised !== undefined && mode === "normal") return realised;
    const missing: string[] = [];
    for (const name of wanted) {
      const path = known.get(name);
      if (path !== undefined) await store.addTempRoot(path);
      if (path === undefined || !(await store.isValidPath(path))) missing.push(name);
    }
    if (missing.length === 0 && mode === "normal") return known;
    if (missing.length > 0 && mode === "check") {
      throw new FirnError(
        "not-built",
        `some outputs of '${drvPath}' are not valid, so checking is not possible\nHint: --rebuild and --check error if the derivation was not previously built and cannot be substituted.\n      Remove it to perform a fresh build, or use --repair to rewrite missing or corrupted builds in the store.`,
      );
    }
    if (mode === "normal" && (await this.#substituteOutputs(drvPath, derivation, missing))) return known;
    let goal = this.#derivations.get(drvPath);
    if (goal === undefined) {
      goal = this.#build(drvPath, derivation, mode);
      goal.catch(() => {});
      this.#derivations.set(drvPath, goal);
    }
    return goal;
  }

  async #substituteOutputs(drvPath: string, derivation: Derivation, missing: readonly string[]): Promise<boolean> {
    const { store, settings } = this.#options;
    if (!settings.get("substitute") || this.#options.substituters === undefined) return false;
    const options = readBuildOptions(derivation, store.storeDir);
    if (!options.allowSubstitutes && !settings.get("always-allow-substitutes")) return false;
    const paths = missing.map((name) => derivationOutputPath(derivation, name, store.storeDir));
    const offered = await Promise.all(
      paths.map((path) => (path === undefined ? undefined : this.#substitution.offer(path))),
    );
    if (offered.includes(undefined)) return false;
    const got = await Promise.all(paths.map((path) => this.#substitution.obtain(path!)));
    if (!got.includes(false)) return true;
    if (settings.get("fallback")) return false;
    throw new FirnError(
      "substitution-failed",
      `some substitutes for the outputs of derivation '${drvPath}' failed (usually happens due to networking issues); try '--fallback' to build derivation from source `,
    );
  }

  async #build(drvPath: string, derivation: Derivation, mode: "normal" | "check" | "repair"): Promise<Outputs> {
    this.#checkOutputPaths(drvPath, derivation);
    const inputs = await this.#ensureInputs(drvPath, derivation);
    const unknown = [...derivation.inputDrvs].some(([path]) => this.#realised.has(path));
    if (needsResolution(derivation, unknown)) return this.#buildResolved(drvPath, derivation, inputs.byDerivation);
    this.#requireBuildable(drvPath, derivation);
    // Downloads wait for the network, not for the processor.
    const slots = derivation.builder === "builtin:fetchurl" ? this.#downloads : this.#slots;
    const outputs = await slots.run(() => this.#run({ drvPath, derivation, inputs: inputs.paths, mode }));
    if (derivationKind(derivation) === "floating" || derivationKind(derivation) === "impure") {
      this.#remember(drvPath, derivation, outputs);
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
    if (this.#signal.aborted) throw new FirnError("aborted", "interrupted by the user", { exitStatus: 130 });
    const started = Date.now();
    let ok = false;
    let announced = false;
    try {
      const outputs = await this.#executor.build({
        ...job,
        signal: this.#signal,
        onStart: () => {
          announced = true;
          this.#building++;
          events({ kind: "build-start", drvPath, current: this.#building });
        },
      });
      ok = true;
      return outputs;
    } finally {
      if (announced) {
        this.#building--;
        events({ kind: "build-end", drvPath, ok, seconds: (Date.now() - started) / 1000 });
      }
    }
  }

  /** Makes all inputs of a build valid; returns their paths, and outputs by derivation. */
  async #ensureInputs(
    drvPath: string,
    derivation: Derivation,
  ): Promise<{ paths: string[]; byDerivation: Map<string, Outputs> }> {
    const paths = new Set<string>();
    const byDerivation = new Map<string, Outputs>();
    const tasks: Promise<void>[] = [];
    for (const [inputDrv, node] of derivation.inputDrvs) {
      tasks.push(
        this.#ensureOutputs(inputDrv, node.outputs).then((outputs) => {
          byDerivation.set(inputDrv, outputs);
          for (const name of node.outputs) {
            const path = outputs.get(name);
            if (path === undefined) {
              throw new FirnError(
                "no-output",
                `derivation '${drvPath}' requires non-existent output '${name}' from input derivation '${inputDrv}'`,
              );
            }
            paths.add(path);
          }
        }),
      );
    }
    for (const source of derivation.inputSrcs) {
      tasks.push(this.#ensurePath(source).then(() => void paths.add(source)));
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
    return new BuildFailure(drvPath, message, Math.max(first.exitStatus, 100));
  }

  readonly #reported = new Set<FirnError>();

  #reportOnce(error: FirnError): void {
    if (this.#reported.has(error)) return;
    this.#reported.add(error);
    this.status.add(error);
    this.#options.events({ kind: "message", level: "error", text: `error: ${error.message}` });
  }

  #requireBuildable(drvPath: string, derivation: Derivation): void {
    const { settings, store } = this.#options;
    const { system } = derivation;
    const builtin = system === "builtin" || derivation.builder.startsWith("builtin:");
    const supported = system === settings.get("system") || settings.get("extra-platforms").includes(system);
    const prefix = `Cannot build '${drvPath}'.`;
    if (!builtin && !supported) {
      throw new BuildFailure(
        drvPath,
        `${prefix}\nReason: platform mismatch\nRequired system: '${system}'\nCurrent system: '${settings.get("system")}'`,
        100,
      );
    }
    const features = readBuildOptions(derivation, store.storeDir).requiredSystemFeatures;
    const available = settings.get("system-features");
    if (features.some((feature) => !available.includes(feature) && feature !== "ca-derivations")) {
      throw new BuildFailure(
        drvPath,
        `${prefix}\nReason: missing system features\nRequired features: {${features.join(", ")}}\nAvailable features: {${available.join(", ")}}`,
        100,
      );
    }
    if (settings.get("max-jobs") === 0 && !builtin) {
      throw new BuildFailure(
        drvPath,
        `${prefix}\nReason: local builds are disabled (max-jobs = 0)\nHint: set 'max-jobs' to a non-zero value to enable local builds, or configure remote builders via 'builders'`,
        100,
      );
    }
  }

  async #buildResolved(
    drvPath: string,
    derivation: Derivation,
    inputs: ReadonlyMap<string, Outputs>,
  ): Promise<Outputs> {
    const { store } = this.#options;
    const resolved = resolveDerivation(derivation, inputs, store.storeDir);
    const { path, contents, references } = derivationStorePath(resolved, store.storeDir);
    await store.addTextToStore(`${resolved.name}.drv`, contents, references);
    const outputs = await this.#ensureOutputs(path, "*");
    this.#remember(drvPath, derivation, outputs);
    return outputs;
  }

  /** Records the resolved outputs of a derivation whose paths were unknown, for this run and in the database. */
  #remember(drvPath: string, derivation: Derivation, outputs: Outputs): void {
    const { store } = this.#options;
    this.#realised.set(drvPath, outputs);
    if (derivationKind(derivation) === "impure") return;
    const hashes = hashDerivationModulo(derivation, {
      maskOutputs: true,
      storeDir: store.storeDir,
      lookup: (path) => this.#hashes.of(path),
    }).hashes;
    store.registerRealisations(new Map([...hashes].map(([name, hash]) => [name, `sha256:${hash}`])), outputs);
  }

  /** Checks that output paths follow from the derivation: otherwise a foreign derivation could put its result in place of another's. */
  #checkOutputPaths(drvPath: string, derivation: Derivation): void {
    if (derivationKind(derivation) !== "input-addressed") return;
    const { storeDir } = this.#options.store;
    const found = hashDerivationModulo(derivation, {
      maskOutputs: true,
      storeDir,
      lookup: (path) => this.#hashes.of(path),
    });
    for (const [name, output] of derivation.outputs) {
      if (output.kind !== "input-addressed") continue;
      const bad = (what: string): FirnError =>
        new FirnError("bad-derivation", `derivation has incorrect output '${output.path}', should be ${what}`, {
          trace: [{ message: `while checking derivation '${drvPath}'` }],
        });
      if (found.deferred) throw bad("deferred");
      const right = makeOutputPath(name, found.hashes.get(name)!, { name: derivation.name, storeDir });
      if (right !== output.path) throw bad(`'${right}'`);
    }
  }
}

function wrap(error: unknown): FirnError {
  return new FirnError("internal", error instanceof Error ? error.message : String(error), { cause: error });
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
  return Promise.all(paths.map((path) => scheduler.request(path)));
}

/**
 * Fetches or builds every path. Throws the one failure, or `build-failed` for several (each is then an error message event
 * before); the exit status is that of the reference, 100, plus 1 timeout, 2 hash mismatch, 4 not deterministic.
 */
export async function buildPaths(
  paths: readonly DerivedPath[],
  options: BuildPathsOptions,
): Promise<readonly BuildResult[]> {
  const scheduler = new Scheduler(options);
  const results = await Promise.all(paths.map((path) => scheduler.request(path)));
  const failed = results.filter((result) => result.error !== undefined);
  if (failed.length === 0) return results;
  const told = new Map(failed.map((result) => [printDerivedPath(result.path), result]));
  const real = [...told.values()].filter((result) => result.error!.code !== "aborted");
  const [first] = real.length > 0 ? real : failed;
  if (options.signal?.aborted === true || real.length <= 1) throw first!.error!;
  for (const result of real) {
    options.events({ kind: "message", level: "error", text: `error: ${result.error!.message}` });
  }
  const names = real.map((result) => `'${printDerivedPath(result.path)}'`).join(", ");
  throw new FirnError("build-failed", `build of ${names} failed`, { exitStatus: scheduler.status.exitStatus });
}
