/** `nix-instantiate` as the program calls it: on the process's streams, over the configured store. */
import { readFileSync } from "node:fs";
import type { Io } from "../io.ts";
import { runNixInstantiate } from "./nix-instantiate.ts";

/** Runs the command; `temporary`: for another one that needs the derivation now. With `NIX_REMOTE=dummy://` there is no store: paths are computed, nothing is read or written. */
export async function nixInstantiate(words: readonly string[], io: Io, temporary = false): Promise<number> {
  const { lazyServices } = await import("./store-services.ts");
  const commandIo = {
    cwd: io.cwd,
    environment: io.env,
    out: (bytes: string) => io.out(Buffer.from(bytes, "latin1")),
    error: (text: string) => io.err(text),
    readStdin: () => readFileSync(0, "latin1"),
    temporary,
  };
  const storeless = io.env.NIX_REMOTE?.startsWith("dummy:") === true;
  return runNixInstantiate(
    words,
    commandIo,
    storeless ? undefined : (settings, readOnly) => lazyServices(settings, io, readOnly),
  );
}
