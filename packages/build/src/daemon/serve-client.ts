/** Serves a store of this machine to a client of the daemon. */
import type { wire } from "@firn/formats";
import type { EventSink, MachineStore, Settings, Store } from "@firn/store";
import { makeStoreBuilder } from "../builder.ts";
import type { ClientConnection } from "./client-connection.ts";
import { applyClientOptions, type ClientRights } from "./client-settings.ts";
import { serveConnection } from "./serve.ts";

/** The surroundings of one client. */
export interface DaemonSessionOptions {
  readonly rights: ClientRights;
  /** Settings of this connection alone, which the client may change as far as its rights go. */
  readonly settings: Settings;
  /** The directory of the store's paths. */
  readonly storeDir: string;
  /** Opens the store, when the client's settings are known. */
  openStore(events: EventSink): Promise<MachineStore>;
  /** Opens the substituters of the settings. */
  openSubstituters(events: EventSink): Promise<readonly Store[]>;
  /** The protocol; one with an older version makes this end speak as an older program does. */
  readonly protocol?: wire.WireProtocol;
}

/**
 * Answers a client until it closes the connection. A failed operation is told to the client; one that leaves the connection in an
 * unknown state ends it.
 */
export function serveDaemonClient(client: ClientConnection, options: DaemonSessionOptions): Promise<void> {
  const { rights, settings, storeDir, protocol } = options;
  return serveConnection(client, {
    rights,
    storeDir,
    ...(protocol === undefined ? {} : { protocol }),
    applyOptions: (wanted, events) => applyClientOptions(settings, wanted, { rights, events }),
    async open(events, signal) {
      const store = await options.openStore(events);
      let opened: Promise<readonly Store[]> | undefined;
      const substituters = (): Promise<readonly Store[]> => {
        if (!settings.get("substitute")) return Promise.resolve([]);
        opened ??= options.openSubstituters(events);
        return opened;
      };
      const builder = makeStoreBuilder({ store, settings, events, offline: false, signal, substituters });
      return {
        store,
        builder,
        substituters,
        async close() {
          await builder.close();
          await store.close();
        },
      };
    },
  });
}
