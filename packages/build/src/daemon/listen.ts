/** The socket of a daemon: who connects is identified, and served by a process of its own. */
import net from "node:net";
import { FirnError } from "@firn/formats";
import {
  disk,
  type EventSink,
  machineError,
  peerCredentials,
  type RunningProgram,
  removePath,
  withPlace,
  withSocketPath,
} from "@firn/store";
import type { ClientRights } from "./client-settings.ts";
import { type AdmittedClient, admitClient } from "./clients.ts";
import { Workers } from "./workers.ts";

/** Options of listening. */
export interface ListenOptions {
  /** The path of the socket, or the number of the descriptor that the service manager opened. */
  readonly socket: string | number;
  /** Rights that every client has; without them they follow from its user. */
  readonly forced?: ClientRights;
  readonly settings: Parameters<typeof admitClient>[1];
  /** Starts a process that serves clients, with a channel for messages. */
  readonly startWorker: () => RunningProgram;
  readonly events: EventSink;
  /** Ends the daemon; clients are served to their end. */
  readonly signal: AbortSignal;
}

/** Listens until the signal aborts. Errors `system-error` when the socket cannot be made. */
export async function listenForClients(options: ListenOptions): Promise<void> {
  const { events } = options;
  const workers = new Workers(options.startWorker);
  const serve = (socket: net.Socket): void => {
    const peer = options.forced === undefined ? peerCredentials(socket) : undefined;
    const client: AdmittedClient =
      options.forced === undefined
        ? admitClient(peer, options.settings)
        : { rights: options.forced, user: "<unknown>" };
    const trusted = client.rights === "untrusted" ? "" : " (trusted)";
    const text = `accepted connection from pid ${peer?.pid ?? "<unknown>"}, user ${client.user}${trusted}`;
    events({ kind: "message", level: "info", text });
    workers.serve(socket, { kind: "client", rights: client.rights });
  };
  try {
    // Nothing is read here: the bytes are for the process that serves the client.
    await listen(options, { pauseOnConnect: true, serve });
  } finally {
    workers.close();
  }
}

type Listening = Pick<ListenOptions, "socket" | "events" | "signal">;

/** Answers each client with the same kind of answer, made anew, until the signal aborts. Errors `system-error` when the socket cannot be made. */
export function answerClients({
  answer,
  ...options
}: Listening & { readonly answer: () => Uint8Array }): Promise<void> {
  return listen(options, { serve: (socket) => void socket.end(answer()) });
}

/** Gives each connection to `serve` until the signal aborts; tells what goes wrong with one, and goes on. */
async function listen(
  { socket: place, events, signal }: Listening,
  { serve, ...options }: net.ServerOpts & { readonly serve: (socket: net.Socket) => void },
): Promise<void> {
  const server = net.createServer(options, (socket) => {
    socket.on("error", () => undefined);
    try {
      serve(socket);
    } catch (error) {
      const told = error instanceof FirnError ? error : machineError(error);
      if (told === undefined) throw error;
      events({ kind: "message", level: "error", text: `error: error processing connection: ${told.message}` });
      socket.destroy();
    }
  });
  try {
    await listening(server, place);
  } catch (error) {
    throw machineError(error, "cannot listen for clients") ?? error;
  }
  server.on("error", (error) => {
    const text = `error: ${machineError(error, "cannot take a client")?.message ?? error.message}`;
    events({ kind: "message", level: "error", text });
  });
  await aborted(signal);
  server.close();
  if (typeof place === "string") removePath(place);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Makes a server listen; everybody may connect, and is then let in or not. */
function listening(server: net.Server, place: string | number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    if (typeof place === "number") {
      server.listen({ fd: place }, () => resolve());
      return;
    }
    disk.mkdirs(place.slice(0, place.lastIndexOf("/")));
    // What an earlier daemon left.
    removePath(place);
    withSocketPath(place, (path) =>
      server.listen(path, () => {
        withPlace(place, (file) => file.chmod(0o666));
        resolve();
      }),
    );
  });
}
