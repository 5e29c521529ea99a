/** Daemons for tests: ours in this process, ours as a program, and the reference's. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { type ClientRights, clientConnection, serveDaemonClient } from "@firn/build";
import { wire } from "@firn/formats";
import { LocalStore, Settings, storeLocation } from "@firn/store";
import { main } from "./program.ts";

/** Host programs for builders, as settings of the sandbox. */
export const sandboxPrograms = "/bin=/usr/bin /lib=/usr/lib /lib64=/usr/lib64 /usr";

/** The newest protocol that a daemon or client of an older version speaks. */
export function workerProtocolUntil(minor: number): wire.WireProtocol {
  return { ...wire.workerProtocol, newest: wire.wireVersion(1, minor) };
}

/** A daemon of a test. */
export interface TestDaemon {
  readonly socket: string;
  /** Names the store for a client of this process. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The name of a daemon's store whose files lie below a directory. */
function urlOf(socket: string, root: string): string {
  return `unix://${socket}?root=${root}`;
}

/** Serves the store below a directory in this process. */
export async function daemonHere(
  root: string,
  options: {
    readonly rights?: ClientRights;
    readonly protocol?: wire.WireProtocol;
    readonly features?: readonly string[];
  } = {},
): Promise<TestDaemon> {
  fs.mkdirSync(root, { recursive: true });
  const socket = path.join(root, "socket");
  const clients = new Set<net.Socket>();
  const served = new Set<Promise<void>>();
  const server = net.createServer((client) => {
    clients.add(client);
    const settings = new Settings();
    settings.set("substituters", "");
    settings.set("build-users-group", "");
    settings.set("sandbox-paths", sandboxPrograms);
    const work = serveDaemonClient(clientConnection(client, client), {
      rights: options.rights ?? "owner",
      settings,
      storeDir: "/nix/store",
      openStore: (events) =>
        LocalStore.open({
          location: storeLocation({ rootDir: root }),
          requireSigs: settings.get("require-sigs"),
          events,
          ...(options.features === undefined ? {} : { systemFeatures: options.features }),
        }),
      openSubstituters: async () => [],
      ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
    })
      .catch(() => undefined)
      .finally(() => {
        client.destroy();
        served.delete(work);
      });
    served.add(work);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    url: urlOf(socket, root),
    async stop() {
      server.close();
      for (const client of clients) client.destroy();
      await Promise.all(served);
    },
  };
}

/** Tells whether a daemon answers; its socket is there a moment before it listens. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    connection.once("connect", () => resolve(true)).once("error", () => resolve(false));
    connection.once("connect", () => connection.destroy());
  });
}

async function untilThere(socket: string, program: ChildProcess): Promise<void> {
  while (!(await answers(socket))) {
    if (program.exitCode !== null) throw new Error(`the daemon ended with status ${program.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = new Promise((resolve) => program.once("exit", resolve));
  program.kill("SIGTERM");
  await ended;
}

/** The environment of a daemon or client of the store below a directory. */
function environmentOf(root: string, configuration: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: root,
    NIX_CONF_DIR: path.join(root, "etc"),
    NIX_CONFIG: `substituters =\nbuild-users-group =\nsandbox-paths = ${sandboxPrograms}\n${configuration}`,
    NIX_REMOTE: `local?root=${root}`,
    NIX_DAEMON_SOCKET_PATH: path.join(root, "socket"),
    LC_ALL: "C.UTF-8",
    // Compiled code of the modules, shared by all programs that tests start.
    ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
  };
}

/** Starts `firn daemon` for the store below a directory; `log` receives what it says. */
export async function firnDaemon(
  root: string,
  { configuration = "", flags = [] }: { readonly configuration?: string; readonly flags?: readonly string[] } = {},
): Promise<TestDaemon & { readonly log: () => string; readonly pid: number }> {
  fs.mkdirSync(root, { recursive: true });
  const socket = path.join(root, "socket");
  const log = path.join(root, "daemon.log");
  const output = fs.openSync(log, "w");
  const program = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "daemon", ...flags], {
    env: environmentOf(root, configuration),
    stdio: ["ignore", output, output],
  });
  fs.closeSync(output);
  await untilThere(socket, program);
  return {
    socket,
    url: urlOf(socket, root),
    stop: () => end(program),
    log: () => fs.readFileSync(log, "utf8"),
    pid: program.pid ?? 0,
  };
}

/** Starts a `firn` command as a client of a daemon. */
export function firnClient(daemon: TestDaemon, root: string, ...words: string[]): ChildProcess {
  const { NIX_REMOTE: _store, ...environment } = environmentOf(root, "");
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...words, "--store", daemon.url], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const realNix = process.env.FIRN_REAL_NIX ?? "";

/** The environment in which the reference sees the store below a directory as its own. */
export function realEnvironment(root: string, configuration = ""): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: root,
    REAL_NIX_STATE: path.join(root, "nix"),
    REAL_NIX_BIND: root,
    NIX_DAEMON_SOCKET_PATH: path.join(root, "socket"),
    NIX_CONFIG: `build-users-group =\nexperimental-features = nix-command flakes ca-derivations daemon-trust-override\nsubstituters =\nsandbox-fallback = false\nflake-registry =\n${configuration}`,
  };
}

/** Starts the reference's `nix-daemon` for the store below a directory. */
export async function realDaemon(root: string, configuration = ""): Promise<TestDaemon> {
  fs.mkdirSync(path.join(root, "nix"), { recursive: true });
  const socket = path.join(root, "socket");
  const options = { cwd: root, env: realEnvironment(root, configuration), stdio: "ignore" } as const;
  // It serves each client by a process that opens the store: while one makes a new store, another finds its
  // schema's file empty and ends.
  await promisify(execFile)(realNix, ["nix-store", "--init"], options);
  const program = spawn(realNix, ["nix-daemon"], options);
  await untilThere(socket, program);
  return { socket, url: urlOf(socket, root), stop: () => end(program) };
}
