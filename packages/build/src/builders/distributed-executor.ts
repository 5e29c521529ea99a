/** Builds on this machine and on those of the setting `builders`. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, FirnError, interrupted } from "@firn/formats";
import { computeClosure, type EventSink, type PathFacts, type PathWriter, type Settings } from "@firn/store";
import { BuildFailure, buildDerivation } from "../build-derivation.ts";
import type { BuildExecutor, BuildJob } from "../goals/executor.ts";
import type { LocalBuildOptions, LocalExecutor } from "../local-executor.ts";
import { readBuildOptions } from "../options.ts";
import { buildSink, type MachineConnection, type MachineConnections } from "./machine-connections.ts";
import { MachineLoad, type Slot } from "./machine-load.ts";
import type { Machine, Needs } from "./machines.ts";
import { buildRemotely } from "./remote-build.ts";

type Outputs = Awaited<ReturnType<BuildExecutor["build"]>>;

/** The surroundings of builds on several machines. */
export interface DistributedBuildOptions {
  /** The store that has the inputs and gets the outputs. */
  readonly store: PathFacts & PathWriter;
  readonly settings: Settings;
  readonly events: EventSink;
  /** The directory of this machine's state, in which the load of the others is known. */
  readonly stateDir: string;
  readonly local: LocalExecutor;
  /** The surroundings of builds on this machine; undefined when no builder of this machine can write to the store. */
  readonly here?: LocalBuildOptions;
  readonly machines: readonly Machine[];
  readonly connections: MachineConnections;
}

/** Error codes of a machine that is lost while it builds. */
const lossCodes: ReadonlySet<ErrorCode> = new Set([
  ...(["cannot-connect", "connection-closed", "daemon-error", "protocol", "remote-store"] as const),
]);

/** Milliseconds between two looks for a free machine. */
const pollInterval = 500;

/** Milliseconds that a machine has beyond the limits of a build to end it itself. */
const grace = 15_000;

/** An executor that gives each build to the best machine that suits and is free, and builds here what none of them can take. */
export function distributedExecutor(options: DistributedBuildOptions): BuildExecutor {
  return { build: (job) => new DistributedBuild(job, options).run() };
}

/** Tells whether a build is one of this machine: a comparison or repair, or one that says so and can be done here. */
export function staysHere(job: BuildJob, { local, store }: Pick<DistributedBuildOptions, "local" | "store">): boolean {
  if (job.mode !== "normal") return true;
  return readBuildOptions(job.derivation, store.storeDir).preferLocalBuild && local.obstacle(job) === undefined;
}

class DistributedBuild {
  readonly #job: BuildJob;
  readonly #options: DistributedBuildOptions;
  readonly #load: MachineLoad;

  constructor(job: BuildJob, options: DistributedBuildOptions) {
    this.#job = job;
    this.#options = options;
    this.#load = new MachineLoad(options.stateDir);
  }

  async run(): Promise<Outputs> {
    const { local, store, machines, connections } = this.#options;
    const job = this.#job;
    if (staysHere(job, this.#options)) return local.build(job);
    const { requiredSystemFeatures } = readBuildOptions(job.derivation, store.storeDir);
    const obstacle = local.obstacle(job);
    const needs: Needs = {
      system: job.derivation.system,
      features: requiredSystemFeatures.filter((feature) => feature !== "ca-derivations"),
    };
    for (;;) {
      if (job.signal.aborted) throw interrupted();
      const choice = await this.#load.choose(connections.awake(machines), needs);
      if (typeof choice === "object") {
        const outputs = await this.#tryRemote(choice);
        if (outputs !== undefined) return outputs;
        continue;
      }
      if (choice === "none") {
        this.#tellNoMachine(needs, obstacle === undefined);
        return local.build(job);
      }
      const started = obstacle === undefined ? local.tryBuild(job) : undefined;
      if (started !== undefined) return started;
      await sleep(pollInterval);
    }
  }

  /** Builds on a machine; undefined when the machine fails. */
  async #tryRemote({ machine, release }: Slot): Promise<Outputs | undefined> {
    const { connections, events } = this.#options;
    let connection: MachineConnection | undefined;
    try {
      events({ kind: "message", level: "talkative", text: `connecting to '${machine.uri}'...` });
      try {
        connection = await connections.take(machine);
      } catch (error) {
        connections.rest(machine, error, events);
        return undefined;
      }
      const outputs = await this.#runOn(machine, connection);
      connections.giveBack(machine, connection);
      return outputs;
    } catch (error) {
      await connection?.remote.close();
      if (this.#job.signal.aborted) throw interrupted();
      if (!(error instanceof FirnError && lossCodes.has(error.code))) throw error;
      connections.rest(machine, error, events);
      return undefined;
    } finally {
      release();
    }
  }

  async #runOn(machine: Machine, connection: MachineConnection): Promise<Outputs> {
    const { store, here, events } = this.#options;
    const job = this.#job;
    const { drvPath } = job;
    const onStart = (): void => job.onStart(machine.uri);
    if (here === undefined) {
      onStart();
      const inputs = await computeClosure(store, job.inputs);
      const line = (text: string): void => events({ kind: "build-log", drvPath, line: text });
      return this.#buildOn(machine, connection, { inputs, line });
    }
    const { outputs } = await buildDerivation({
      ...here,
      ...job,
      onStart,
      elsewhere: ({ inputs, log }) => {
        const line = (text: string): void => void log.write(Buffer.from(`${text}\n`, "latin1"));
        return this.#buildOn(machine, connection, { inputs, line });
      },
    });
    return outputs;
  }

  /** Copies the closed inputs to a machine, builds there, and copies the outputs back; `line` is called with each line of the log. */
  async #buildOn(
    machine: Machine,
    connection: MachineConnection,
    { inputs, line }: { readonly inputs: readonly string[]; line(text: string): void },
  ): Promise<Outputs> {
    const { store, settings, events } = this.#options;
    const job = this.#job;
    const { drvPath } = job;
    const limits = new Limits(job, this.#options);
    connection.listen(
      buildSink(connection, {
        line(text) {
          limits.heard();
          line(text);
        },
        other: (event) => events(event.kind === "build-phase" ? { ...event, drvPath } : event),
      }),
    );
    try {
      return await buildRemotely(
        { ...job, inputs },
        {
          ...connection,
          store,
          settings,
          events,
          machine,
          load: this.#load,
          signal: AbortSignal.any([job.signal, limits.signal]),
        },
      );
    } catch (error) {
      throw limits.failure ?? error;
    } finally {
      limits.end();
    }
  }

  /** Tells that no machine suits; with a warning when this one cannot build it either. */
  #tellNoMachine({ system, features }: Needs, buildsHere: boolean): void {
    const { machines, events } = this.#options;
    const list = (words: readonly string[]): string => `[${[...words].sort().join(", ")}]`;
    const lines = machines.map(
      ({ systems, maxJobs, supportedFeatures, mandatoryFeatures }) =>
        `\n(${list(systems)}, ${maxJobs}, ${list(supportedFeatures)}, ${list(mandatoryFeatures)})`,
    );
    const name = this.#job.drvPath.slice(this.#job.drvPath.lastIndexOf("/") + 1);
    events({
      kind: "message",
      level: buildsHere ? "chatty" : "warn",
      text: `Failed to find a machine for remote build!\nderivation: ${name}\nrequired (system, features): (${system}, ${list(features)})\n${machines.length} available machines:\n(systems, maxjobs, supportedFeatures, mandatoryFeatures)${lines.join("")}`,
    });
  }
}

/** The time limits of a build, watched from here in case that the machine does not. */
class Limits {
  readonly #abort = new AbortController();
  readonly #fail: (seconds: number) => void;
  readonly #silence: number;
  readonly #whole: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  /** The failure of a build that took too long. */
  failure: BuildFailure | undefined;

  constructor({ drvPath }: BuildJob, { settings }: DistributedBuildOptions) {
    this.#fail = (seconds) => {
      this.failure = new BuildFailure(drvPath, `timed out after ${seconds} seconds`, 101);
      this.#abort.abort();
    };
    const timeout = settings.get("timeout");
    this.#silence = settings.get("max-silent-time");
    if (timeout > 0) this.#whole = setTimeout(() => this.#fail(timeout), timeout * 1000 + grace);
    this.heard();
  }

  /** Aborts when a limit is reached. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Notes that the builder has printed something. */
  heard(): void {
    clearTimeout(this.#quiet);
    if (this.#silence > 0) {
      this.#quiet = setTimeout(() => this.#fail(this.#silence), this.#silence * 1000 + grace);
    }
  }

  end(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#quiet);
  }
}
