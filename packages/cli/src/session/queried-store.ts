/** The store that a command asks about, of whatever kind it is. */
import { openStore, type Store } from "@firn/store";
import type { Session } from "./session.ts";

/** Opens the store of the settings for reading; who calls it closes it. Errors are those of opening stores. */
export function openQueriedStore({
  settings,
  progress,
  io,
}: Pick<Session, "io" | "settings" | "progress">): Promise<Store> {
  return openStore(settings.get("store"), {
    settings,
    environment: io.env,
    reads: true,
    events: (event) => progress.event(event),
  });
}
