/** `nix-store --serve`: the far end of an `ssh://` store. The other operations of the old command are not there yet. */
import { once } from "node:events";
import { FirnError } from "@firn/formats";
import { loadSettings, openLocalStore, serveStore } from "@firn/store";
import type { Io } from "../io.ts";
import { makeStoreWritable } from "../writable-store.ts";

/** Runs `nix-store` with its words; resolves to the exit status. */
export async function nixStore(words: readonly string[], io: Io): Promise<number> {
  const known = ["--serve", "--write"];
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined || !words.includes("--serve")) {
    throw new FirnError("usage", wrong === undefined ? "no operation specified" : `unknown flag '${wrong}'`, {
      hint: "of nix-store only '--serve [--write]' is there yet",
    });
  }
  const settings = loadSettings(io.env);
  const allowWrite = words.includes("--write");
  if (allowWrite) makeStoreWritable(settings, io);
  const store = await openLocalStore({ settings, environment: io.env });
  try {
    const input = io.input ?? (process.stdin as AsyncIterable<Uint8Array>);
    const write = async (bytes: Uint8Array): Promise<void> => {
      if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
    };
    await serveStore(store, { input, write }, allowWrite);
    return 0;
  } finally {
    // A client that still writes would keep this process.
    if (io.input === undefined) process.stdin.destroy();
    await store.close();
  }
}
