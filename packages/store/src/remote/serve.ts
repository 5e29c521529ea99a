/** Serving a store to another machine: the far end of an `ssh://` store. */
import { FirnError, storePathBaseName } from "@firn/formats";
import { computeClosure } from "../closure.ts";
import type { LocalStore } from "../local/local-store.ts";
import { readAddition, readGreeting, serveCommands, serverGreeting, wireInfo } from "./serve-protocol.ts";
import { WireReader, wireNumber, wireString, wireStrings } from "./wire.ts";

/** The two directions of a connection. */
export interface Connection {
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
}

/** Answers a client until it closes the connection. Without `allowWrite` it can only read. Error `protocol`. */
export async function serveStore(store: LocalStore, connection: Connection, allowWrite: boolean): Promise<void> {
  const reader = new WireReader(connection.input);
  const { write } = connection;
  await readGreeting(reader, "client");
  await write(serverGreeting());
  const storePaths = async (): Promise<string[]> => (await reader.strings()).map((path) => checked(store, path));
  while (!(await reader.atEnd())) {
    const command = await reader.number();
    switch (command) {
      case serveCommands.queryValidPaths: {
        const lock = (await reader.number()) !== 0;
        await reader.number();
        const paths = await storePaths();
        if (lock && allowWrite) for (const path of paths) await store.addTempRoot(path);
        await write(wireStrings([...(await store.queryValidPaths(paths))].sort()));
        break;
      }
      case serveCommands.queryPathInfos:
        for (const path of await storePaths()) {
          const info = await store.queryPathInfo(path);
          if (info === undefined) continue;
          await write(wireString(path));
          await write(wireInfo(info));
        }
        await write(wireString(""));
        break;
      case serveCommands.dumpStorePath:
        for await (const chunk of store.narFromPath(checked(store, await reader.string()))) await write(chunk);
        break;
      case serveCommands.queryClosure: {
        const includeOutputs = (await reader.number()) !== 0;
        await write(wireStrings(await computeClosure(store, await storePaths(), { includeOutputs })));
        break;
      }
      case serveCommands.addToStoreNar: {
        if (!allowWrite) throw new FirnError("protocol", "importing paths is not allowed");
        const info = await readAddition(reader);
        checked(store, info.path);
        for (const reference of info.references) checked(store, reference);
        const nar = reader.bytes(info.narSize);
        // Who may start this program on the machine may write to its store: as there, no signature is asked for.
        await store.addToStore(info, nar, { checkSignatures: false });
        // A path that is there already leaves its archive unread.
        for await (const _ of nar);
        await write(wireNumber(1));
        break;
      }
      default:
        throw new FirnError("protocol", `unknown serve command ${command}`);
    }
  }
}

function checked(store: LocalStore, path: string): string {
  if (path !== `${store.storeDir}/${storePathBaseName(path)}`) {
    throw new FirnError("protocol", `the peer named '${path}', which is no store path`);
  }
  return path;
}
