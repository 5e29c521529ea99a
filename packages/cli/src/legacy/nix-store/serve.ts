/** `nix-store --serve`: the far end of an `ssh://` store. */
import { clientConnection } from "@firn/build";
import { FirnError } from "@firn/formats";
import { type EventSink, type ServeOptions, serveStore } from "@firn/store";
import type { Invocation } from "../../grammar/invocation.ts";
import type { Io } from "../../io.ts";
import { openBuildingStore } from "../../session/lazy-services.ts";
import { commandSettings } from "../../session/session.ts";
import { makeStoreWritable } from "../../session/writable-store.ts";
import { inputOf } from "./archive.ts";
import type { StoreOperation } from "./operation.ts";

/** `--serve`. */
export const serveOperation: StoreOperation = {
  flag: { name: "serve", description: "Answer a client of the serve protocol on standard input and output." },
  flags: [{ name: "write", description: "Let the client write to the store." }],
  positionals: [],
  wrongArguments: "no arguments expected",
  run: serve,
};

async function serve(invocation: Invocation, io: Io): Promise<number> {
  const settings = commandSettings(invocation, io);
  const allowWrite = invocation.flags.has("write");
  if (allowWrite) makeStoreWritable(settings, io);
  // Standard error is where a client of this protocol sees logs.
  const events: EventSink = (event) => {
    if (event.kind === "build-log") io.err(`${event.line}\n`);
    else if (event.kind === "message" && (event.level === "error" || event.level === "warn")) io.err(`${event.text}\n`);
  };
  const client = io.input === undefined ? clientConnection(process.stdin, process.stdout) : undefined;
  const signal = client === undefined ? {} : { signal: client.gone };
  // The store may be one elsewhere, which is then served through this machine.
  const { store, builder } = await openBuildingStore(settings, io, { events, stages: true, ...signal });
  try {
    const write = async (bytes: Uint8Array): Promise<void> => {
      io.out(bytes);
      await io.drained?.();
    };
    const substitute = async (paths: readonly string[]): Promise<void> => {
      for (const path of paths) await builder.substitute(path).catch(notFetched);
    };
    const bounded: ServeOptions["builder"] = (bounds) => {
      settings.assign("max-silent-time", bounds.maxSilentTime);
      settings.assign("timeout", bounds.timeout);
      settings.assign("max-build-log-size", bounds.maxLogSize);
      settings.assign("keep-failed", bounds.keepFailed);
      return builder;
    };
    await serveStore(store, client ?? { input: inputOf(io), write }, { allowWrite, substitute, builder: bounded });
    return 0;
  } finally {
    // A client that still writes would keep this process.
    if (io.input === undefined) process.stdin.destroy();
    await builder.close();
    await store.close();
  }
}

/** Leaves a path that no cache gives to the client, which then sends it. */
function notFetched(error: unknown): boolean {
  if (!(error instanceof FirnError)) throw error;
  return false;
}
