/** Connections to the stores of machines that build; each is used by one build at a time, and again by later ones. */
import { FirnError, textOf } from "@firn/formats";
import {
  type EventSink,
  isMachineStore,
  type MachineStore,
  noEvents,
  type OpenContext,
  type OutputRegistry,
  offered,
  openStore,
  type PathBuilder,
  type Settings,
  SshStore,
  type Store,
  takesOutputs,
} from "@firn/store";
import type { Machine } from "./machines.ts";

/** A connection to a machine. */
export interface MachineConnection {
  readonly remote: Store;
  readonly builder: PathBuilder;
  /** True when the messages of the machine are the log of its build. */
  readonly printsLog: boolean;
  /** Sends the machine's events to another place. */
  listen(events: EventSink): void;
}

/** Makes what builds in a store that this process writes to. */
export type BuilderMaker = (
  store: MachineStore & OutputRegistry,
  context: { readonly settings: Settings; readonly events: EventSink },
) => PathBuilder;

/** Milliseconds that a machine has to answer. */
const greetingTime = 60_000;

/** Words by which ssh finds out that the other machine is gone; the user's own words come before them and count. */
const keepAlive = "-oServerAliveInterval=20 -oServerAliveCountMax=3";

/** Milliseconds for which a machine that failed is left alone. */
const restingTime = 60_000;

/** Opens connections, keeps those that are idle, and knows the machines that failed. */
export class MachineConnections {
  readonly #context: OpenContext;
  readonly #makeBuilder: BuilderMaker;
  readonly #idle = new Map<string, MachineConnection[]>();
  /** Machines that failed, with the time in milliseconds until which they are left alone. */
  readonly #resting = new Map<string, number>();

  constructor(context: OpenContext, makeBuilder: BuilderMaker) {
    this.#context = context;
    this.#makeBuilder = makeBuilder;
  }

  /** Takes a connection to a machine that answers. Errors of opening stores and of the other end. */
  async take(machine: Machine): Promise<MachineConnection> {
    return this.#idle.get(machine.uri)?.pop() ?? this.#open(machine);
  }

  /** Keeps a connection for the next build on the machine. */
  giveBack(machine: Machine, connection: MachineConnection): void {
    connection.listen(noEvents);
    const idle = this.#idle.get(machine.uri);
    if (idle === undefined) this.#idle.set(machine.uri, [connection]);
    else idle.push(connection);
  }

  /** Returns the machines that are not left alone. */
  awake(machines: readonly Machine[]): Machine[] {
    const now = Date.now();
    return machines.filter(({ uri }) => (this.#resting.get(uri) ?? 0) <= now);
  }

  /** Leaves a machine alone for a while because it failed, and tells why. What is no FirnError is thrown. */
  rest({ uri }: Machine, error: unknown, events: EventSink): void {
    if (!(error instanceof FirnError)) throw error;
    this.#resting.set(uri, Date.now() + restingTime);
    events({ kind: "message", level: "error", text: `cannot build on '${uri}': error: ${error.message}` });
  }

  /** Closes idle connections. */
  async close(): Promise<void> {
    const all = [...this.#idle.values()].flat();
    this.#idle.clear();
    for (const { remote } of all) await remote.close();
  }

  async #open(machine: Machine): Promise<MachineConnection> {
    let listener = noEvents;
    const { environment = {} } = this.#context;
    const settings = this.#context.settings.copy();
    settings.assign("builders", "");
    settings.assign("max-jobs", 1);
    settings.assign("system-features", [...machine.supportedFeatures, ...machine.mandatoryFeatures]);
    const context: OpenContext = {
      ...this.#context,
      settings,
      greetingTime,
      events: (event) => listener(event),
      environment: {
        ...environment,
        NIX_SSHOPTS: `${environment.NIX_SSHOPTS ?? ""} ${keepAlive}`,
        // Nobody is asked for a password on a screen.
        DISPLAY: undefined,
        SSH_ASKPASS: undefined,
      },
    };
    const remote = await openStore(completeUri(machine), context);
    try {
      const { building, server } = remote.offers;
      if (server === undefined) await remote.queryValidPaths([]);
      else await server.queryServer();
      const here = isMachineStore(remote) && takesOutputs(remote);
      return {
        remote,
        builder: here
          ? this.#makeBuilder(remote, { settings, events: (event) => listener(event) })
          : (building ?? offered(remote, "building")),
        printsLog: remote instanceof SshStore,
        listen(events) {
          listener = events;
        },
      };
    } catch (error) {
      await remote.close();
      throw error;
    }
  }
}

/** Makes the sink for what a machine tells of one build: lines of its log, and the rest without its own account of the build. */
export function buildSink(
  { printsLog }: Pick<MachineConnection, "printsLog">,
  { line, other }: { line(text: string): void; readonly other: EventSink },
): EventSink {
  return (event) => {
    if (event.kind === "build-log") line(event.line);
    else if (printsLog && event.kind === "message" && event.level === "error") line(event.text);
    else if (event.kind !== "build-start" && event.kind !== "build-end") other(event);
  };
}

/** Completes the URL of a machine with its keys. */
function completeUri({ uri, sshKey, hostKey }: Machine): string {
  if (!/^ssh(?:-ng)?:/.test(uri)) return uri;
  const keys = Object.entries({ "ssh-key": sshKey, "base64-ssh-public-host-key": hostKey });
  const parameters = keys.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(textOf(value))}`],
  );
  if (parameters.length === 0) return uri;
  return `${uri}${uri.includes("?") ? "&" : "?"}${parameters.join("&")}`;
}
