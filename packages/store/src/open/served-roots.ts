/** The answers of the daemon of runtime roots (`nix store roots-daemon`) for a store. */
import { FirnError } from "@firn/formats";
import { LocalStore } from "../local/local-store.ts";
import { rootsAnswer, rootsSocket } from "../local/roots-daemon.ts";
import type { Store } from "../store/store.ts";

/** The socket that clients look for, and what is sent to each. */
export interface ServedRoots {
  readonly socket: string;
  /** Returns store paths with zeros behind them, as they are now. */
  answer(): Buffer;
}

/** Returns what to serve of a store. Error `unsupported-store` for one whose paths the programs of this machine do not use. */
export function servedRoots(store: Store): ServedRoots {
  if (store instanceof LocalStore) {
    return { socket: rootsSocket(store.location.stateDir), answer: () => rootsAnswer(store) };
  }
  throw new FirnError("unsupported-store", `the store '${store.uri}' has no processes that use its paths`, {
    hint: "use a local store, e.g. --store local or --store DIRECTORY",
  });
}
