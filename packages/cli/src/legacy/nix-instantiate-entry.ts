/** `nix-instantiate` as the program calls it: on the process's streams, over the configured store. */
import { readFileSync } from "node:fs";
import type { Io } from "../io.ts";
import { type CommandIo, runNixInstantiate } from "./nix-instantiate.ts";

/** The process's streams as the command takes them. */
export function commandIo(io: Io): CommandIo {
  return {
    cwd: io.cwd,
    environment: io.env,
    out: (bytes) => io.out(Buffer.from(bytes, "latin1")),
    error: (text) => io.err(text),
    readStdin: () => readFileSync(0, "latin1"),
  };
}

/** Runs the command. With `NIX_REMOTE=dummy://` there is no store: paths are computed, nothing is read or written. */
export async function nixInstantiate(words: readonly string[], io: Io): Promise<number> {
  const { lazyServices } = await import("./store-services.ts");
  const storeless = io.env.NIX_REMOTE?.startsWith("dummy:") === true;
  return runNixInstantiate(
    words,
    commandIo(io),
    storeless ? undefined : (settings, readOnly) => lazyServices(settings, io, readOnly),
  );
}
