/** Changing what a profile holds: read, change, build and switch are one step that nobody else's change can fall into. */
import type { PathFacts, RootKeeper, SourceWriter, StoreFiles } from "@firn/store";
import { readlinkSync } from "@firn/store/files";
import { findGenerations, type Generation, switchLocked, withProfileLock } from "./generations.ts";
import { buildProfile, type Manifest, readManifest } from "./manifest.ts";

/** Returns the manifest of a generation; an empty one when there is no generation. */
export function generationManifest(
  store: PathFacts & SourceWriter & StoreFiles & RootKeeper,
  generation: Generation | undefined,
): Manifest {
  return readManifest(
    store,
    generation === undefined ? undefined : readlinkSync(generation.link, { encoding: "latin1" }),
  );
}

/** Returns the current manifest of a profile. */
export function currentManifest(store: PathFacts & SourceWriter & StoreFiles & RootKeeper, profile: string): Manifest {
  const { generations, current } = findGenerations(profile);
  return generationManifest(
    store,
    generations.find((generation) => generation.number === current),
  );
}

/**
 * Gives `change` the manifest of a profile while holding its lock, builds what it returns and switches to that; nothing is built when
 * it returns undefined. Errors `collision`, `bad-profile`, and those of `change`.
 */
export async function changeProfile(
  options: {
    readonly store: PathFacts & SourceWriter & StoreFiles & RootKeeper;
    readonly profile: string;
    readonly warn: (text: string) => void;
  },
  change: (manifest: Manifest) => Promise<Manifest | undefined>,
): Promise<void> {
  const { store, profile, warn } = options;
  await withProfileLock(profile, async () => {
    const next = await change(currentManifest(store, profile));
    if (next !== undefined) await switchLocked(store, profile, await buildProfile(store, next, warn));
  });
}
