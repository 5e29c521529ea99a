/** The socket at which a builder may use the store (recursive Nix). */
import net from "node:net";
import { type MachineStore, noEvents, type PathBuilder, withPlace, withSocketPath } from "@firn/store";
import { clientConnection } from "../daemon/client-connection.ts";
import { serveConnection } from "../daemon/serve.ts";
import { stepsOfServer } from "../server-steps.ts";
import type { StoreBuilder } from "../store-builder.ts";
import { type AllowedPaths, AllowedStore } from "./allowed-store.ts";

/** The surroundings of a builder's socket. */
export interface BuildSocketOptions {
  /** Its place on this machine. */
  readonly socket: string;
  readonly store: MachineStore;
  readonly building: PathBuilder;
  readonly allowed: AllowedPaths["paths"];
  readonly show: AllowedPaths["show"];
}

/** Serves the store to a builder until it is closed; what it asked for and is not done then is ended with it. */
export async function serveBuild(options: BuildSocketOptions): Promise<{ close(): Promise<void> }> {
  const { socket: place, allowed, show } = options;
  const store = new AllowedStore(options.store, options.building, { paths: allowed, show });
  const clients = new Set<net.Socket>();
  const served = new Set<Promise<void>>();
  const server = net.createServer((socket) => {
    clients.add(socket);
    const client = clientConnection(socket, socket);
    const work = serveConnection(client, {
      rights: "untrusted",
      storeDir: store.storeDir,
      // The settings are those of the build.
      applyOptions: () => undefined,
      open: async (_events, signal) => ({
        store,
        builder: builderFor(store, signal),
        substituters: async () => [],
        close: async () => undefined,
      }),
    })
      // A connection that breaks the protocol, or is not finished, is the builder's own matter.
      .catch(() => undefined)
      .finally(() => {
        socket.destroy();
        clients.delete(socket);
        served.delete(work);
      });
    served.add(work);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    withSocketPath(place, (short) => server.listen(short, resolve));
  });
  withPlace(place, (file) => file.chmod(0o666));
  return {
    async close() {
      server.close();
      for (const client of clients) client.destroy();
      await Promise.all(served);
    },
  };
}

/** Makes the builder of one client, whose builds end with it. */
function builderFor(store: MachineStore, signal: AbortSignal): StoreBuilder {
  const { build, results, ...steps } = stepsOfServer(store, { events: noEvents, signal });
  return {
    busy: false,
    ...steps,
    build: (paths, mode = "normal") => build(paths, mode),
    results: (paths, mode = "normal") => results(paths, mode),
    substitute: (path) => store.isValidPath(path),
    close: async () => undefined,
  };
}
