/** The connections to one daemon: each is used by one operation at a time, and more are opened up to a limit. */
import type { DaemonConnection } from "./daemon-connection.ts";

/** Bounds of a pool. */
export interface PoolOptions {
  readonly open: () => Promise<DaemonConnection>;
  readonly maxConnections: number;
  /** Age in milliseconds from which on a connection is not used again. */
  readonly maxAge: number;
  /** Is called when a connection is given up, and with it what the daemon kept for it. */
  readonly onLoss: () => void;
}

/** Opens connections when they are needed, and keeps them. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #idle: DaemonConnection[] = [];
  readonly #busy = new Set<DaemonConnection>();
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Runs `work` with a connection of its own. Errors of opening one, and of `work`. */
  async use<Result>(work: (connection: DaemonConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.take();
    try {
      return await work(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** Returns a connection for this caller alone; it is to be given back. */
  async take(): Promise<DaemonConnection> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        this.#busy.add(idle);
        return idle;
      }
      if (this.#count < this.#options.maxConnections) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#count++;
    try {
      const opened = await this.#options.open();
      this.#busy.add(opened);
      return opened;
    } catch (error) {
      this.#count--;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  /** Takes a connection back; one that is of no use any more is closed. */
  giveBack(connection: DaemonConnection): void {
    this.#busy.delete(connection);
    if (connection.usable && Date.now() - connection.opened < this.#options.maxAge) this.#idle.push(connection);
    else {
      this.#count--;
      connection.abort();
      this.#options.onLoss();
    }
    this.#waiting.shift()?.();
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    for (const connection of this.#busy) connection.abort();
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }
}
