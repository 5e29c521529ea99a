/** One connection to a daemon: greeting, settings, and operations one after the other. */
import { FirnError, wire } from "@firn/formats";
import type { EventSink } from "../events.ts";
import { NoticeReader } from "./daemon-events.ts";
import { type Transport, withinTime } from "./transport.ts";
import { WireConnection } from "./wire.ts";

/** The largest piece of framed data, in bytes. */
const PIECE = 1 << 16;

/** Options of a connection. */
export interface DaemonConnectionOptions {
  readonly storeDir: string;
  /** The protocol; one with an older version makes this end speak as an older program does. */
  readonly protocol?: wire.WireProtocol;
  /** The settings to send; none when the machine has its own. */
  readonly settings?: () => wire.WireValue<typeof wire.clientOptions>;
  readonly events: EventSink;
  /** Milliseconds that the daemon has to answer the greeting; by default any number. */
  readonly greetingTime?: number;
}

/** Data after a request, in chunks. */
type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A connection is used by one operation at a time. */
export class DaemonConnection {
  readonly peer: wire.WirePeer & wire.DaemonFacts;
  /** Time in milliseconds at which it was opened. */
  readonly opened = Date.now();
  /** False once an operation was left unfinished: nothing more can be asked. */
  usable = true;
  readonly #transport: Transport;
  readonly #ends: WireConnection;
  readonly #notices: NoticeReader;

  private constructor(
    transport: Transport,
    ends: WireConnection,
    { peer, events }: { readonly peer: wire.WirePeer & wire.DaemonFacts; readonly events: EventSink },
  ) {
    this.#transport = transport;
    this.#ends = ends;
    this.peer = peer;
    this.#notices = new NoticeReader(events);
  }

  /** Greets a daemon and sends it the settings. Errors `protocol`, `connection-closed`, `daemon-error`, those of the transport. */
  static async open(transport: Transport, options: DaemonConnectionOptions): Promise<DaemonConnection> {
    const ends = new WireConnection(transport);
    const failed = transport.failure.then((error) => Promise.reject(error));
    try {
      const greeting = async (): Promise<DaemonConnection> => {
        const peer = await ends.converse(wire.greetDaemon(ends.input, options));
        const connection = new DaemonConnection(transport, ends, { peer, events: options.events });
        await connection.#messages(undefined);
        return connection;
      };
      const connection = await withinTime(Promise.race([failed, greeting()]), options.greetingTime);
      if (options.settings !== undefined) await connection.call(wire.workerOperations.SetOptions, options.settings());
      return connection;
    } catch (error) {
      if (error instanceof FirnError && error.code === "connection-closed") await transport.lastWords();
      transport.abort();
      throw error;
    }
  }

  /**
   * Sends an operation and returns its answer. Errors `daemon-error` with what the daemon says, `connection-closed`, `protocol`,
   * those of reading the body.
   */
  async call<Request, Answer>(
    operation: wire.WireOperation<Request, Answer>,
    request: Request,
    body?: Body,
  ): Promise<Answer> {
    const { version } = this.peer;
    if (operation.since > version) {
      throw new FirnError(
        "protocol",
        `the daemon is too old for this operation: it speaks version ${wire.showWireVersion(version)} of its protocol`,
      );
    }
    this.usable = false;
    const output = new wire.WireOutput();
    output.number(operation.number);
    operation.request.write(output, request, this.peer);
    await this.#ends.write(output.finish());
    try {
      if (body !== undefined) await this.#sendBody(wire.requestBody(operation, version), body);
      else await this.#messages(undefined);
    } catch (error) {
      // A daemon that has read the whole request is ready for the next one.
      if (body === undefined && error instanceof FirnError && error.code === "daemon-error") this.usable = true;
      throw error;
    }
    const answer = await this.#ends.read(operation.answer, this.peer);
    this.usable = operation.answerBody === undefined;
    return answer;
  }

  /** Sends several requests of an operation at once and returns the answers. Errors as `call`. */
  async callMany<Request, Answer>(
    operation: wire.WireOperation<Request, Answer>,
    requests: readonly Request[],
  ): Promise<Answer[]> {
    this.usable = false;
    const output = new wire.WireOutput();
    for (const request of requests) {
      output.number(operation.number);
      operation.request.write(output, request, this.peer);
    }
    await this.#ends.write(output.finish());
    const answers: Answer[] = [];
    for (const _ of requests) {
      await this.#messages(undefined);
      answers.push(await this.#ends.read(operation.answer, this.peer));
    }
    this.usable = true;
    return answers;
  }

  /** Yields so many bytes after an answer. */
  async *rest(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#ends.bytes(length);
    this.usable = true;
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.usable = false;
    this.#notices.end();
    await this.#transport.close();
  }

  /** Ends the connection at once, with what the daemon is doing for it. */
  abort(): void {
    this.usable = false;
    this.#notices.end();
    this.#transport.abort();
  }

  async #sendBody(form: wire.WireBody | undefined, body: Body): Promise<void> {
    if (form === "pulled") {
      await this.#messages(pieces(body));
      return;
    }
    // The daemon may report, or refuse the whole, before it has read everything.
    let refused: unknown;
    const answered = this.#messages(undefined).catch((error: unknown) => {
      refused = error;
    });
    if (form === "framed") {
      for await (const piece of pieces(body)) {
        if (refused !== undefined) break;
        await this.#ends.write(wire.frame(piece));
      }
      if (refused === undefined) await this.#ends.write(wire.framesEnd());
    } else {
      for await (const chunk of body) {
        if (refused !== undefined) break;
        await this.#ends.write(chunk);
      }
    }
    await answered;
    if (refused !== undefined) throw refused;
  }

  /** Reads messages to the end of the daemon's work; `source` is what it may ask for. */
  async #messages(source: AsyncGenerator<Uint8Array, void, undefined> | undefined): Promise<void> {
    let left: Uint8Array = new Uint8Array(0);
    for (;;) {
      const message = await this.#ends.read(wire.stderrMessage, this.peer);
      switch (message.kind) {
        case "last":
          return;
        case "error":
          throw daemonError(message.error);
        case "write":
          throw wire.protocolError("the daemon sent data that were not asked for");
        case "read": {
          if (source === undefined) throw wire.protocolError("the daemon asks for data that there are not");
          if (left.length === 0) left = (await source.next()).value ?? left;
          const piece = left.subarray(0, message.length);
          left = left.subarray(piece.length);
          await this.#ends.write(sizedPiece(piece));
          break;
        }
        default:
          this.#notices.read(message);
      }
    }
  }
}

/** Cuts data into pieces that are not too large. */
async function* pieces(body: Body): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
  }
}

/** A piece as a byte string of the protocol. */
function sizedPiece(piece: Uint8Array): Uint8Array {
  const output = new wire.WireOutput();
  output.number(piece.length);
  output.bytes(piece);
  output.bytes(new Uint8Array((8 - (piece.length % 8)) % 8));
  return output.finish();
}

/** Makes the error that a daemon tells. */
function daemonError({ message, status, traces }: wire.WireError): FirnError {
  return new FirnError("daemon-error", withoutLabel(message), {
    exitStatus: status,
    trace: traces.map((text) => ({ message: text })),
  });
}

/** Returns a message without the word `error:` before it, which the command line says by itself. */
export function withoutLabel(message: string): string {
  return message.replace(/^(?:\x1b\[[0-9;]*m)*error:(?:\x1b\[[0-9;]*m)*\s*/, "").trimEnd();
}
