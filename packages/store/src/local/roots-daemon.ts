/**
 * Roots of running programs by a daemon: a collector that may not look into all processes asks it over a socket. It sends store paths with a zero
 * behind each, and closes the connection (manual, `nix store roots-daemon`).
 */
import { FirnError, isStorePath } from "@firn/formats";
import { connectToSocket } from "../remote/transport.ts";
import type { Roots } from "../store/roots.ts";
import type { LocalInternals } from "./internals.ts";
import { runtimeRoots } from "./runtime-roots.ts";

/** The link that stands for what a daemon tells: it does not say which programs use a path. */
const unnamed = "{censored}";
/** Bytes that a store path has at most. */
const longestPath = 4096;

/** Returns the socket of the daemon of a store. */
export function rootsSocket(stateDir: string): string {
  return `${stateDir}/gc-roots-socket/socket`;
}

/** Asks the daemon of a store for the roots of running programs. Errors `cannot-connect`, `protocol` for what is no store path. */
export async function rootsOfDaemon(store: LocalInternals): Promise<Roots> {
  const place = rootsSocket(store.location.stateDir);
  const transport = await connectToSocket(
    place,
    "run 'firn store roots-daemon' as a user who may look into all processes",
  );
  const roots: Roots = new Map();
  let partial = "";
  try {
    for await (const chunk of transport.input) {
      const paths = (partial + Buffer.from(chunk).toString("latin1")).split("\0");
      partial = paths.pop()!;
      const wrong = partial.length > longestPath ? partial : paths.find((path) => !isStorePath(path, store.storeDir));
      if (wrong !== undefined) {
        throw new FirnError(
          "protocol",
          `the daemon at '${place}' sent '${wrong.slice(0, 100)}', which is no store path`,
        );
      }
      for (const path of paths) if (store.database.isValid(path)) roots.set(path, new Set([unnamed]));
    }
  } finally {
    await transport.close();
  }
  if (partial !== "") throw new FirnError("protocol", `the daemon at '${place}' ended within a path`);
  return roots;
}

/** Returns the bytes that a daemon answers a client with. */
export function rootsAnswer(store: LocalInternals): Buffer {
  return Buffer.from([...runtimeRoots(store).keys()].map((path) => `${path}\0`).join(""), "latin1");
}
