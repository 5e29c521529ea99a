/** Installing a built system below a directory, for `firn os install`, `build-image` and `build-vm`. */

import { FirnError } from "@firn/formats";
import { type FirnEvent, openMachineStore } from "@firn/store";
import { mkdirSync } from "@firn/store/files";
import { installSystem, openSystem, type SwitchEvent, type System } from "@firn/system";
import type { Session } from "../session/session.ts";

/**
 * Copies a system with its closure to a store below `root`, makes it generation 1 and writes the boot loader's files. The source it was
 * made of is kept with it, and copied to `/etc/nixos` there when that is empty.
 */
export async function installBelow(
  session: Session,
  {
    system,
    source,
    withoutDisks = false,
  }: { readonly system: string; readonly source: string | undefined; readonly withoutDisks?: boolean },
  root: string,
): Promise<void> {
  const { io, progress, settings } = session;
  const from = await session.store();
  mkdirSync(root, { recursive: true });
  progress.event({ kind: "message", level: "notice", text: `installing '${system}' into '${root}'...` });
  const events = (event: FirnEvent): void => progress.event(event);
  const to = await openMachineStore({ settings, environment: io.env, offline: true, events }, root);
  try {
    await installSystem({
      system,
      source,
      from,
      to,
      root,
      withoutDisks,
      events: (event) => showInstall(session, event),
    });
  } finally {
    await to.close();
    progress.clear();
  }
}

function showInstall(session: Session, event: SwitchEvent): void {
  if (event.kind === "warning") session.progress.warn(event.text);
}

/** Opens a system of Firn OS in the session's store. Fails with `bad-system` for one of NixOS. */
export async function firnSystem(session: Session, path: string): Promise<Required<Pick<System, "manifest">> & System> {
  const system = openSystem((await session.store()).location, path);
  if (system.manifest === undefined) {
    throw new FirnError("bad-system", `'${path}' is not a system of Firn OS`, {
      hint: "for a system of NixOS build the attribute config.system.build.images or config.system.build.vm with 'firn build'",
    });
  }
  return system;
}

const units: Readonly<Record<string, number>> = { "": 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 };

/** Parses a size such as "512M" or "4G" into bytes; undefined when it is none. */
export function sizeOf(text: string): number | undefined {
  const match = /^(\d{1,9})([KMG]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (units[match[2] ?? ""] ?? 1);
}
