/** Installs a system into a directory: its closure in a store there, generation 1 of its profile, the boot loader's files. */

import { join } from "node:path";
import type { MachineStore } from "@firn/store";
import { computeClosure, copyPaths } from "@firn/store";
import { mkdirSync } from "@firn/store/files";
import { openSystem } from "../generation/system.ts";
import type { Machine } from "../machine/machine.ts";
import { installSource, keepSource } from "../profile/generation-source.ts";
import { findGenerations } from "../profile/generations.ts";
import { type SwitchEvent, switchSystem } from "../switch/switch.ts";

/** The system to install, and its destination. */
export interface InstallOptions {
  /** Store path of the system. */
  readonly system: string;
  /** Store path of the source that it was made of, which `addSource` made. */
  readonly source?: string | undefined;
  /** The store that contains it. */
  readonly from: MachineStore;
  /** The store below the directory; its state is in `nix/var/nix` there. */
  readonly to: MachineStore;
  /** The directory, with the file systems of the new machine mounted below it. */
  readonly root: string;
  /** True when the new machine's disks are elsewhere, as those of an image. */
  readonly withoutDisks?: boolean;
  readonly events: (event: SwitchEvent) => void;
}

/** Installs the system; existing files stay, and a second system becomes the next generation. Errors as those of a switch. */
export async function installSystem(options: InstallOptions): Promise<void> {
  const { system, source, from, to, root, withoutDisks = false, events } = options;
  const paths = await computeClosure(from, source === undefined ? [system] : [system, source]);
  await copyPaths(paths, { from, to, checkSignatures: false });
  const { manifest } = openSystem(to.location, system);
  mkdirSync(join(root, "var/lib/firn"), { recursive: true });
  if (manifest !== undefined && manifest.boot.loader !== "none") {
    mkdirSync(join(root, manifest.boot.efiSysMountPoint), { recursive: true });
  }
  const machine: Machine = { root, run: notRunning };
  const profile = join(to.location.stateDir, "profiles/system");
  await switchSystem(
    { machine, store: to, profile, events },
    {
      action: "boot",
      system,
      healthGate: false,
      installLoader: manifest !== undefined && manifest.boot.loader !== "none",
      withoutDisks,
    },
  );
  if (source === undefined) return;
  const { current } = findGenerations(profile);
  if (current !== undefined) await keepSource(to, { profile, generation: current, source });
  installSource(to, source, join(root, "etc/nixos"));
}

/** Rejects every program, because nothing can run on a machine that is not started. */
async function notRunning(): Promise<never> {
  throw new Error("a program was to be run on a machine that is being installed");
}
