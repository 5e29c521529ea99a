/** `firn daemon` and `nix-daemon`: serve the store to other users of this machine, or to whoever started it by ssh. */
import { type ClientRights, clientConnection, listenForClients, serveDaemonClient } from "@firn/build";
import { FirnError } from "@firn/formats";
import {
  configuredStoreDir,
  DaemonStore,
  daemonSocket,
  openMachineStore,
  openStore,
  openSubstituters,
  type RunningProgram,
  requireFeature,
  type Settings,
  startProgram,
} from "@firn/store";
import { launcherVariables, ownCommand, processEnvironment } from "@firn/store/surroundings";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { inputOf } from "../legacy/nix-store/archive.ts";
import { makeProgress } from "../render/progress.ts";
import { commandSettings, verbosityOf } from "../session/session.ts";
import { makeStoreWritable } from "../session/writable-store.ts";
import { serverWord } from "./serve-clients.ts";

/** Flags of both names of the daemon. */
export const daemonFlags: readonly Flag[] = [
  {
    name: "stdio",
    description: "Serve one client on standard input and output, instead of all that come to the socket.",
  },
  { name: "force-trusted", description: "Trust every client, whoever it is." },
  { name: "force-untrusted", description: "Trust no client, whoever it is." },
  { name: "default-trust", description: "Trust the clients that nix.conf tells (default)." },
  {
    name: "process-ops",
    description: "With --stdio, understand each request also where another daemon owns the store.",
  },
];

/** `firn daemon`. */
export const command: Command = { positionals: [], flags: daemonFlags, run: runDaemon };

/** Runs a daemon until it is ended, or with `--stdio` until its client leaves. */
export async function runDaemon(invocation: Invocation, io: Io): Promise<number> {
  const settings = commandSettings(invocation, io);
  const forced = forcedRights(invocation, settings);
  if (invocation.flags.has("process-ops")) requireFeature(settings, "mounted-ssh-store");
  makeStoreWritable(settings, io);
  return invocation.flags.has("stdio")
    ? serveStdio(invocation, io, { settings, forced })
    : serveSocket(invocation, io, { settings, forced });
}

interface How {
  readonly settings: Settings;
  readonly forced: ClientRights | undefined;
}

/** Returns the rights that the last of the flags about trust gives to every client. */
function forcedRights({ flags }: Invocation, settings: Settings): ClientRights | undefined {
  const given = flags.last("force-trusted", "force-untrusted", "default-trust");
  if (given === undefined) return undefined;
  requireFeature(settings, "daemon-trust-override");
  return given === "default-trust" ? undefined : given === "force-trusted" ? "trusted" : "untrusted";
}

/** Serves the client at the other end of standard input and output, who has the rights of this process anyway. */
async function serveStdio(invocation: Invocation, io: Io, { settings, forced }: How): Promise<number> {
  const { env } = io;
  // Where another daemon owns the store, it serves the client itself, unless what it hears is to be less than all.
  if (!invocation.flags.has("process-ops") && forced !== "untrusted") {
    const store = await openStore(settings.get("store"), { settings, environment: env });
    if (store instanceof DaemonStore) return forward(store, io);
    await store.close();
  }
  const client = clientConnection(process.stdin, process.stdout);
  // Builders are ended and locks freed as when the client leaves.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => process.stdin.destroy());
  try {
    await serveDaemonClient(client, {
      rights: forced === "untrusted" ? "untrusted" : "owner",
      settings,
      storeDir: configuredStoreDir({ settings, environment: env }),
      openStore: (events) => openMachineStore({ settings, environment: env, events }),
      openSubstituters: (events) => openSubstituters({ settings, environment: env, events }),
    });
  } finally {
    process.stdin.destroy();
  }
  return 0;
}

/** Passes bytes between the client and the daemon that owns the store. */
async function forward(store: DaemonStore, io: Io): Promise<number> {
  const there = await store.connect();
  const up = async (): Promise<void> => {
    for await (const chunk of inputOf(io)) await there.write(chunk);
    there.abort();
  };
  const sent = up();
  for await (const chunk of there.input) {
    io.out(chunk);
    await io.drained?.();
  }
  process.stdin.destroy();
  await sent;
  await there.close();
  return 0;
}

/** Serves everybody who comes to the socket. */
async function serveSocket(invocation: Invocation, io: Io, { settings, forced }: How): Promise<number> {
  const { env } = io;
  const sockets = socketsOf(env, daemonSocket(env));
  const store = servedStore(settings, env);
  // A daemon tells its log who comes.
  const progress = makeProgress({
    io,
    verbosity: verbosityOf(invocation, { ...io, terminal: false }),
    buildLogs: "hidden",
  });
  for (const { name } of settings.unknown) progress.warn(`unknown setting '${name}'`);
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
  await Promise.all(
    sockets.map((socket) =>
      listenForClients({
        socket,
        ...(forced === undefined ? {} : { forced }),
        settings,
        startWorker: () => startServer(invocation, store),
        events: progress.event,
        signal: ending.signal,
      }),
    ),
  );
  return 0;
}

/** The first descriptor that a service manager hands over. */
const firstDescriptor = 3;

/** Returns the sockets to listen on: those that the service manager opened, else the usual one. */
export function socketsOf(env: Io["env"], usual: string): readonly (string | number)[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count = "0" } = env;
  if (pid !== String(process.pid) || !/^[1-9][0-9]{0,2}$/.test(count)) return [usual];
  return Array.from({ length: Number(count) }, (_, index) => firstDescriptor + index);
}

/** Returns the store that a daemon serves: by itself it would be asked for the machine's store again. Error `usage`. */
export function servedStore(settings: Settings, env: Io["env"]): string {
  const store = settings.get("store");
  if (store === "auto" || store === "") return "local";
  if (store === "daemon" || store === `unix://${daemonSocket(env)}`) {
    throw new FirnError("usage", `a daemon cannot serve the store '${store}', which is its own`);
  }
  return store;
}

/** Starts a process that serves clients of a store, with the settings of this command line. */
function startServer(invocation: Invocation, store: string): RunningProgram {
  const [program = "", ...words] = ownCommand();
  const options = invocation.settings.flatMap(([name, value]) => ["--option", name, value]);
  const { LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...environment } = processEnvironment();
  return startProgram(program, [...words, serverWord, ...options, "--option", "store", store], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    detached: true,
    env: { ...environment, ...launcherVariables(), FIRN_ARGV0: "firn" },
  });
}
