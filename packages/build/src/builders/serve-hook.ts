/** The hook of other programs: builds on the machines of the setting `builders` what they ask for. */
import { type Derivation, derivationKind } from "@firn/formats";
import {
  type Connection,
  DerivationHashes,
  type Environment,
  type EventSink,
  type MachineStore,
  type Settings,
  settingNamed,
  WireConnection,
} from "@firn/store";
import { machineConnections } from "../builder.ts";
import { recordRealisation } from "../record-realisation.ts";
import { answerMark, type HookAnswer, hookCodecs, hookPeer, questionWord } from "./build-hook.ts";
import { buildSink, type MachineConnection, type MachineConnections } from "./machine-connections.ts";
import { MachineLoad, type Slot } from "./machine-load.ts";
import { type Machine, type Needs, readMachines } from "./machines.ts";
import { buildRemotely } from "./remote-build.ts";

/** The surroundings of a hook. */
export interface HookOptions {
  readonly connection: Connection;
  /** The settings, which the asker's replace. */
  readonly settings: Settings;
  readonly events: EventSink;
  /** Writes an answer, one line without its end. */
  answer(line: string): void;
  /** Writes a line of the build's log. */
  log(line: string): void;
  /** Opens the store, when the settings are known. */
  openStore(): Promise<MachineStore>;
  /** The environment of programs that reach other machines. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/**
 * Answers questions until one is accepted, and builds that derivation; returns when it is built, or nothing more is asked. Errors
 * `build-failed`, those of the stores.
 */
export async function serveBuildHook(options: HookOptions): Promise<void> {
  const { settings } = options;
  const ends = new WireConnection(options.connection);
  const peer = hookPeer("/nix/store");
  while (await ends.read(hookCodecs.more, peer)) {
    const { name, value } = await ends.read(hookCodecs.setting, peer);
    if (settingNamed(name) !== undefined) settings.set(name, value);
  }
  const machines = readMachines(settings);
  if (machines.length === 0) {
    options.answer(`${answerMark}decline-permanently`);
    return;
  }
  const store = await options.openStore();
  const connections = machineConnections(settings, options.environment);
  try {
    await new Hook(options, { ends, store, machines, connections }).run();
  } finally {
    await connections.close();
    await store.close();
  }
}

interface Question {
  readonly drvPath: string;
  readonly willing: boolean;
  readonly needs: Needs;
}

interface Accepted {
  readonly slot: Slot;
  readonly connection: MachineConnection;
}

class Hook {
  readonly #options: HookOptions;
  readonly #ends: WireConnection;
  readonly #store: MachineStore;
  readonly #machines: readonly Machine[];
  readonly #connections: MachineConnections;
  readonly #load: MachineLoad;

  constructor(
    options: HookOptions,
    context: {
      readonly ends: WireConnection;
      readonly store: MachineStore;
      readonly machines: readonly Machine[];
      readonly connections: MachineConnections;
    },
  ) {
    this.#options = options;
    this.#ends = context.ends;
    this.#store = context.store;
    this.#machines = context.machines;
    this.#connections = context.connections;
    this.#load = new MachineLoad(context.store.location.stateDir);
  }

  async run(): Promise<void> {
    const peer = hookPeer(this.#store.storeDir);
    while (!(await this.#ends.atEnd())) {
      const { word, willing, system, drvPath, features } = await this.#ends.read(hookCodecs.question, peer);
      if (word !== questionWord) return;
      const accepted = await this.#decide({ drvPath, willing, needs: { system, features } });
      if (accepted === undefined) continue;
      try {
        const { inputs } = await this.#ends.read(hookCodecs.build, peer);
        await this.#build(drvPath, inputs, accepted);
      } finally {
        accepted.slot.release();
        await accepted.connection.remote.close();
      }
      return;
    }
  }

  async #decide({ willing, needs }: Question): Promise<Accepted | undefined> {
    const { settings, answer, events } = this.#options;
    for (;;) {
      const choice = await this.#load.choose(this.#connections.awake(this.#machines), needs);
      if (typeof choice !== "object") {
        const here = [settings.get("system"), ...settings.get("extra-platforms")].includes(needs.system);
        const available = new Set(settings.get("system-features"));
        const buildsHere =
          willing && here && settings.get("max-jobs") > 0 && needs.features.every((f) => available.has(f));
        const kind: HookAnswer["kind"] = choice === "busy" && !buildsHere ? "postpone" : "decline";
        answer(`${answerMark}${kind}`);
        return undefined;
      }
      try {
        const connection = await this.#connections.take(choice.machine);
        answer(`${answerMark}accept`);
        answer(choice.machine.uri);
        return { slot: choice, connection };
      } catch (error) {
        choice.release();
        this.#connections.rest(choice.machine, error, events);
      }
    }
  }

  async #build(drvPath: string, inputs: readonly string[], { slot, connection }: Accepted): Promise<void> {
    const { settings, events, log, signal } = this.#options;
    const store = this.#store;
    const derivation: Derivation = store.readDerivation(drvPath);
    connection.listen(buildSink(connection, { line: log, other: events }));
    const { machine } = slot;
    const outputs = await buildRemotely(
      { drvPath, derivation, inputs },
      { ...connection, store, settings, events, machine, load: this.#load, signal },
    );
    if (derivationKind(derivation) !== "floating") return;
    const context = { store, settings, hashes: new DerivationHashes(store) };
    for (const [name, outPath] of outputs) await recordRealisation(context, derivation, { name, outPath });
  }
}
