/** `nix-store --serve`: the far end of an `ssh://` store. The other operations of the old command are not there yet. */
import { openMachineStore, serveStore } from "@firn/store";
import type { Command, Operation } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { commandSettings } from "../session/session.ts";
import { makeStoreWritable } from "../session/writable-store.ts";

const serve: Operation = {
  flag: { name: "serve", description: "Answer a client of the serve protocol on standard input and output." },
  flags: [{ name: "write", description: "Let the client write to the store." }],
  positionals: [],
};

/** `nix-store`: serves a store. */
export const command: Command = { style: "old", positionals: [], flags: [], operations: [serve], run: runServe };

async function runServe(invocation: Invocation, io: Io): Promise<number> {
  const settings = commandSettings(invocation, io);
  const allowWrite = invocation.flags.has("write");
  if (allowWrite) makeStoreWritable(settings, io);
  const store = await openMachineStore({ settings, environment: io.env });
  try {
    const input = io.input ?? (process.stdin as AsyncIterable<Uint8Array>);
    const write = async (bytes: Uint8Array): Promise<void> => {
      io.out(bytes);
      await io.drained?.();
    };
    await serveStore(store, { input, write }, allowWrite);
    return 0;
  } finally {
    // A client that still writes would keep this process.
    if (io.input === undefined) process.stdin.destroy();
    await store.close();
  }
}
