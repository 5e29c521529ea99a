/** The boot menu after generations of the machine were deleted. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import type { Session } from "./session.ts";

/** Removes the entries of deleted generations from this machine's boot menu, when this user may change it. */
export async function tidyBootMenu(session: Pick<Session, "store" | "progress">): Promise<void> {
  const store = await session.store();
  // Another store than the machine's own has no boot menu.
  if (process.getuid?.() !== 0 || store.location.stateDir !== "/nix/var/nix") return;
  const { pruneBootMenu, thisMachine } = await import("@firn/system");
  try {
    const profile = join(store.location.stateDir, "profiles/system");
    const gone = await pruneBootMenu({ machine: thisMachine(), store, profile });
    if (gone.length === 0) return;
    session.progress.event({
      kind: "message",
      level: "info",
      text: `left the boot menu: generation ${gone.join(", ")}`,
    });
  } catch (error) {
    // The switch that is going on makes the menu anew.
    if (!(error instanceof FirnError) || error.code !== "busy") throw error;
  }
}
