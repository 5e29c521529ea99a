/**
 * Temporary roots: paths that a garbage collector must leave alone while this process lives. They are in a locked file named
 * by the process id; a running collector is told through its socket. Both as in the reference.
 */

import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { FirnError } from "@firn/formats";
import { disk, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { withSocketPath } from "../fs/socket-path.ts";
import { lock, openLockFile, tryLock } from "../locks/flock.ts";

class Connection {
  readonly #socket: net.Socket;
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (data) => {
      for (let i = 0; i < data.length; i++) this.#waiting.shift()?.resolve();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("disconnected"));
    });
    socket.unref();
  }

  static open(directory: string): Promise<Connection | undefined> {
    return new Promise((resolve) => {
      let socket: net.Socket;
      try {
        socket = withSocketPath(`${directory}/socket`, (path) => net.connect(path));
      } catch (error) {
        if (!hasErrorCode(error, "ENOENT")) throw error;
        resolve(undefined);
        return;
      }
      socket.once("error", () => resolve(undefined));
      socket.once("connect", () => resolve(new Connection(socket)));
    });
  }

  send(path: string): Promise<boolean> {
    if (this.#socket.destroyed) return Promise.resolve(false);
    this.#socket.ref();
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${path}\n`, "latin1");
    }).then(
      () => {
        this.#socket.unref();
        return true;
      },
      () => false,
    );
  }
}

/** The temporary roots of this process in one state directory. */
class TempRoots {
  readonly #stateDir: string;
  readonly #file: string;
  readonly #known = new Set<string>();
  #fd = -1;
  #opening: Promise<void> | undefined;
  #gcLock = -1;
  #connection: Connection | undefined;
  users = 0;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#file = `${stateDir}/temproots/${process.pid}`;
  }

  async add(path: string): Promise<void> {
    if (this.#known.has(path)) return;
    this.#opening ??= this.#open();
    await this.#opening;
    if (this.#gcLock < 0) this.#gcLock = openLockFile(`${this.#stateDir}/gc.lock`);
    const bytes = Buffer.from(`${path}\0`, "latin1");
    while (!tryLock(this.#gcLock, "read")) {
      if (await this.#tellCollector(path)) {
        this.#write(bytes);
        this.#known.add(path);
        return;
      }
      await sleep(20);
    }
    try {
      this.#write(bytes);
      this.#known.add(path);
    } finally {
      tryLock(this.#gcLock, "none");
    }
  }

  /** Writes a root whole or not at all: half of one would become part of the next. */
  #write(bytes: Uint8Array): void {
    const { size } = fs.fstatSync(this.#fd);
    try {
      disk.write(this.#fd, bytes);
    } catch (error) {
      fs.ftruncateSync(this.#fd, size);
      throw error;
    }
  }

  close(): void {
    if (this.#gcLock >= 0) fs.closeSync(this.#gcLock);
    if (this.#fd >= 0) {
      fs.rmSync(this.#file, { force: true });
      fs.closeSync(this.#fd);
    }
    this.#fd = -1;
    this.#gcLock = -1;
    this.#opening = undefined;
    this.#known.clear();
  }

  async #tellCollector(path: string): Promise<boolean> {
    this.#connection ??= await Connection.open(`${this.#stateDir}/gc-socket`);
    if (this.#connection === undefined) return false;
    if (await this.#connection.send(path)) return true;
    this.#connection = undefined;
    return false;
  }

  async #open(): Promise<void> {
    for (;;) {
      // There are no two processes with one id, so a file of that name is stale.
      fs.rmSync(this.#file, { force: true });
      const fd = openLockFile(this.#file);
      await lock(fd, "write");
      if (fs.fstatSync(fd).size === 0 && fs.fstatSync(fd).nlink > 0) {
        this.#fd = fd;
        return;
      }
      fs.closeSync(fd);
    }
  }
}

const byStateDir = new Map<string, TempRoots>();

/** A handle of this process's temporary roots; stores in the same place share one file. */
export interface TempRootsHandle {
  add(path: string): Promise<void>;
  close(): void;
}

/** Opens the temporary roots of `stateDir`; the file is created with the first root. */
export function openTempRoots(stateDir: string): TempRootsHandle {
  const roots = byStateDir.get(stateDir) ?? new TempRoots(stateDir);
  byStateDir.set(stateDir, roots);
  roots.users++;
  return {
    add: (path) => roots.add(path),
    close() {
      roots.users--;
      if (roots.users > 0) return;
      byStateDir.delete(stateDir);
      roots.close();
    },
  };
}

/**
 * Reads the roots of all living processes; deletes the files of dead ones. Root → `{temp:PID}`. Only regular files are read:
 * no process makes anything else there, and the collector must not write through a link. Error `temp-roots`.
 */
export function readTempRoots(stateDir: string): Map<string, Set<string>> {
  const directory = `${stateDir}/temproots`;
  const roots = new Map<string, Set<string>>();
  for (const name of fs.readdirSync(directory, { encoding: "latin1" })) {
    if (name.startsWith(".")) continue;
    const file = `${directory}/${name}`;
    let fd: number;
    try {
      fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ELOOP", "EISDIR", "ENXIO")) continue;
      throw new FirnError("temp-roots", `opening temporary roots file "${file}"`, { cause: error });
    }
    try {
      if (!fs.fstatSync(fd).isFile()) continue;
      if (name !== String(process.pid) && tryLock(fd, "write")) {
        fs.rmSync(file, { force: true });
        fs.writeSync(fd, "d");
        continue;
      }
      const parts = fs.readFileSync(fd, "latin1").split("\0");
      for (const path of parts.slice(0, -1)) {
        const links = roots.get(path) ?? new Set();
        roots.set(path, links.add(`{temp:${name}}`));
      }
    } finally {
      fs.closeSync(fd);
    }
  }
  return roots;
}
