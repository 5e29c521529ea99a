/** The process of a daemon that serves clients; the daemon starts it and hands it their sockets. */
import { Socket } from "node:net";
import { type ClientRights, clientConnection, clientDone, isClientMessage, serveDaemonClient } from "@firn/build";
import { FirnError } from "@firn/formats";
import { configuredStoreDir, openMachineStore, openSubstituters } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { commandSettings } from "../session/session.ts";

/** The command's word. */
export const serverWord = "__serve-clients";

/** `firn __serve-clients`. */
export const command: Command = { positionals: [], flags: [], run: serveClients };

/** Serves the clients whose sockets come on the channel, until the channel is closed and all have left. */
async function serveClients(invocation: Invocation, io: Io): Promise<number> {
  const sockets = new Set<Socket>();
  // Builders are ended and locks freed as when the clients leave.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      for (const socket of sockets) socket.destroy();
      if (process.connected) process.disconnect();
    });
  }
  const serving = new Set<Promise<void>>();
  await new Promise<void>((resolve) => {
    process.on("message", (message, handle) => {
      if (!isClientMessage(message)) return;
      const done = (): void => {
        if (process.connected) process.send?.(clientDone);
      };
      // A client that has left meanwhile has no socket any more.
      if (!(handle instanceof Socket)) {
        done();
        return;
      }
      sockets.add(handle);
      const served = serveClient(handle, message.rights, { invocation, io }).finally(() => {
        sockets.delete(handle);
        serving.delete(served);
        done();
      });
      serving.add(served);
    });
    process.on("disconnect", () => resolve());
    if (!process.connected) resolve();
  });
  await Promise.all(serving);
  return 0;
}

async function serveClient(
  socket: Socket,
  rights: ClientRights,
  { invocation, io }: { readonly invocation: Invocation; readonly io: Io },
): Promise<void> {
  const { env: environment } = io;
  try {
    // Read anew: the client changes them for itself.
    const settings = commandSettings(invocation, io);
    await serveDaemonClient(clientConnection(socket, socket), {
      rights,
      settings,
      storeDir: configuredStoreDir({ settings, environment }),
      openStore: (events) => openMachineStore({ settings, environment, events }),
      openSubstituters: (events) => openSubstituters({ settings, environment, events }),
    });
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    // One client's bad greeting, or its going away, is no matter of the others.
    if (error.code !== "connection-closed") io.err(`error: ${error.message}\n`);
  } finally {
    socket.end(() => socket.destroy());
  }
}
