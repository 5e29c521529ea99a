/**
 * Processes that serve clients. Each client has one of its own, so that whatever it does to it ends nobody else's work; only beyond a
 * number of processes that fits into the machine's memory do clients share them.
 */
import type { Socket } from "node:net";
import type { RunningProgram } from "@firn/store";
import type { ClientRights } from "./client-settings.ts";

/** Facts about a client that go to the process that serves it, together with its socket. */
export interface ClientMessage {
  readonly kind: "client";
  readonly rights: ClientRights;
}

/** Tells whether a message to a process of a daemon is about a client. */
export function isClientMessage(message: unknown): message is ClientMessage {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "client";
}

/** The message of such a process that it has finished with a client. */
export const clientDone = "client done";

interface Worker {
  readonly program: RunningProgram;
  clients: number;
}

/** The largest number of processes; each takes about 100 MB, of which a part is shared. */
const MAX_WORKERS = 16;

/** The processes of a daemon. One waits for the next client, which then need not wait for its start. */
export class Workers {
  readonly #start: () => RunningProgram;
  readonly #limit: number;
  readonly #all = new Set<Worker>();

  /** Takes a function that starts a process with a channel for messages, and the largest number of processes. */
  constructor(start: () => RunningProgram, limit: number = MAX_WORKERS) {
    this.#start = start;
    this.#limit = limit;
    this.#add();
  }

  /** Gives a client to a process. */
  serve(socket: Socket, client: ClientMessage): void {
    const worker = this.#free();
    worker.clients++;
    worker.program.send(client, socket, {}, (error) => {
      if (error !== null) socket.destroy();
    });
    if (this.#all.size < this.#limit && ![...this.#all].some(({ clients }) => clients === 0)) this.#add();
  }

  /** Ends the process that waits; those with clients go on. */
  close(): void {
    for (const { program } of this.#all) {
      program.disconnect();
      // The daemon itself need not wait for them.
      program.unref();
    }
  }

  #free(): Worker {
    const workers = [...this.#all];
    const waiting = workers.find(({ clients }) => clients === 0);
    if (waiting !== undefined) return waiting;
    if (workers.length < this.#limit) return this.#add();
    return workers.reduce((least, worker) => (worker.clients < least.clients ? worker : least));
  }

  #add(): Worker {
    const worker: Worker = { program: this.#start(), clients: 0 };
    this.#all.add(worker);
    const gone = (): void => void this.#all.delete(worker);
    worker.program.on("message", (message) => {
      if (message !== clientDone) return;
      worker.clients--;
      if (worker.clients > 0) return;
      // One that has served somebody is not used again: nothing of a client may be left in it.
      gone();
      worker.program.disconnect();
    });
    worker.program.on("exit", gone);
    worker.program.on("error", gone);
    worker.program.on("disconnect", gone);
    return worker;
  }
}
