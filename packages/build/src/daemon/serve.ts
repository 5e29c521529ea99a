/** Serves a store to one client by the worker protocol: the daemon's side of a connection. */
import { FirnError, nixVersion, wire } from "@firn/formats";
import {
  type EventSink,
  type FirnEvent,
  type MachineStore,
  machineError,
  NoticeWriter,
  type Store,
  WireConnection,
} from "@firn/store";
import type { StoreBuilder } from "../store-builder.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ClientRights } from "./client-settings.ts";
import { type OperationContext, performOperation } from "./operations.ts";

/** An open store with what builds in it. */
export interface OpenStore {
  readonly store: MachineStore;
  readonly builder: StoreBuilder;
  substituters(): Promise<readonly Store[]>;
  close(): Promise<void>;
}

/** The surroundings of one connection. */
export interface ConnectionOptions {
  readonly rights: ClientRights;
  /** The directory of the store's paths. */
  readonly storeDir: string;
  /** Opens the store, when the client's settings are known. `gone` aborts when the client is gone. */
  open(events: EventSink, gone: AbortSignal): Promise<OpenStore>;
  /** Takes the settings that the client wants. */
  applyOptions(options: wire.WireValue<typeof wire.clientOptions>, events: EventSink): void;
  /** The protocol; one with an older version makes this end speak as an older program does. */
  readonly protocol?: wire.WireProtocol;
}

/** Number of bytes waiting for the client above which lines of build logs are left out; the whole log is in the store. */
const TOO_MUCH = 1 << 26;

/**
 * Answers a client until it closes the connection. A failed operation is told to the client; one that leaves the connection in an
 * unknown state ends it.
 */
export async function serveConnection(client: ClientConnection, options: ConnectionOptions): Promise<void> {
  const session = new Session(client, options);
  try {
    await session.run();
  } finally {
    await session.close();
  }
}

class Session {
  readonly #client: ClientConnection;
  readonly #options: ConnectionOptions;
  readonly #ends: WireConnection;
  readonly #notices: NoticeWriter;
  #peer: wire.WirePeer | undefined;
  /** True while messages may be sent: between a request and its answer. */
  #working = false;
  #opened: Promise<OpenStore> | undefined;

  constructor(client: ClientConnection, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#ends = new WireConnection(client);
    this.#notices = new NoticeWriter((notice) => this.#notice(notice));
  }

  async run(): Promise<void> {
    const { rights, storeDir, protocol } = this.#options;
    const facts = { nixVersion, trusted: rights !== "untrusted" };
    const ends = this.#ends;
    const greeting = { storeDir, facts, ...(protocol === undefined ? {} : { protocol }) };
    const peer = await ends.converse(wire.answerDaemonClient(ends.input, greeting));
    this.#peer = peer;
    await this.#send({ kind: "last" });
    try {
      while (!(await ends.atEnd())) await this.#perform(peer, await ends.read(wire.number, peer));
    } catch (error) {
      // A client that is gone, or that does not speak the protocol: it is told where that can be.
      const told = asError(error);
      if (told.code !== "connection-closed") await this.#fail(told);
    }
  }

  async close(): Promise<void> {
    // The error of a store that could not be opened has been told.
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.close();
  }

  async #perform(peer: wire.WirePeer, number: number): Promise<void> {
    const name = wire.operationName(wire.workerOperations, number, peer.version);
    if (name === undefined) throw wire.protocolError(`invalid operation ${number}`);
    const { rights } = this.#options;
    const context: OperationContext = {
      ends: this.#ends,
      peer,
      rights,
      gone: this.#client.gone,
      store: async () => (await this.#open()).store,
      builder: async () => (await this.#open()).builder,
      substituters: async () => (await this.#open()).substituters(),
      events: (event) => this.#event(event),
      applyOptions: (options) => {
        this.#notices.verbosity = options.verbosity;
        this.#options.applyOptions(options, (event) => this.#event(event));
      },
      ask: (length) => this.#send({ kind: "read", length }),
      answering: async (work) => {
        this.#working = true;
        let result: Awaited<ReturnType<typeof work>>;
        try {
          result = await work();
        } catch (error) {
          const told = asError(error);
          // The rest of a request that cannot be read is no request.
          if (told.code === "connection-closed") throw told;
          await this.#fail(told);
          return undefined;
        }
        this.#working = false;
        await this.#send({ kind: "last" });
        return { result };
      },
    };
    await performOperation(name, context);
  }

  #open(): Promise<OpenStore> {
    this.#opened ??= this.#options.open((event) => this.#event(event), this.#client.gone);
    return this.#opened;
  }

  #event(event: FirnEvent): void {
    if (!this.#working) return;
    if (event.kind === "build-log" && this.#client.waiting > TOO_MUCH) return;
    this.#notices.write(event);
  }

  #notice(notice: wire.StderrMessage): void {
    // Not awaited: the stream keeps the order, and what a client does not take is bounded above.
    void this.#send(notice);
  }

  async #fail(error: FirnError): Promise<void> {
    this.#working = false;
    await this.#send({ kind: "error", error: wireError(error) });
  }

  #send(message: wire.StderrMessage): Promise<void> {
    const peer = this.#peer ?? { storeDir: this.#options.storeDir, version: 0, features: new Set<string>() };
    return this.#client.write(wire.encodeWire(wire.stderrMessage, message, peer));
  }
}

/** Returns an error for the client; mistakes of our own keep their text. */
function asError(error: unknown): FirnError {
  if (error instanceof FirnError) return error;
  return (
    machineError(error) ??
    new FirnError("internal", error instanceof Error ? error.message : String(error), { cause: error })
  );
}

/** An error in the form of the protocol, which has no positions: they stand in the texts. */
function wireError(error: FirnError): wire.WireError {
  const at = ({ position }: Pick<FirnError, "position">): string =>
    position === undefined ? "" : `\nat ${position.file}:${position.line}:${position.column}`;
  return {
    level: 0,
    message: `${error.message}${at(error)}`,
    status: error.exitStatus,
    traces: error.trace.map((frame) => `${frame.message}${at({ position: frame.position })}`),
  };
}
