/** Changing what a profile holds: read, change, build and switch are one step that nobody else's change can fall into. */
import type { RootKeeper } from "@firn/store";
import { readlinkSync } from "@firn/store/files";
import { findGenerations, type Generation, switchLocked, withProfileLock } from "./generations.ts";
import { buildProfile, type Manifest, type ProfileReader, readManifest } from "./manifest.ts";

/** Returns the manifest of a generation; an empty one when there is no generation. Fails as `readManifest` does. */
export function generationManifest(reader: ProfileReader, generation: Generation | undefined): Promise<Manifest> {
  return readManifest(reader, generation === undefined ? undefined : readlinkSync(generation.link));
}

/** Returns the current manifest of a profile. Fails as `readManifest` does. */
export function currentManifest(reader: ProfileReader, profile: string): Promise<Manifest> {
  const { generations, current } = findGenerations(profile);
  return generationManifest(
    reader,
    generations.find((generation) => generation.number === current),
  );
}

/**
 * Gives `change` the manifest of a profile while holding its lock, builds what it returns and switches to that; nothing is built when
 * it returns undefined. Errors `collision`, `bad-profile`, and those of `change`.
 */
export async function changeProfile(
  options: ProfileReader & {
    readonly store: RootKeeper;
    readonly profile: string;
    readonly warn: (text: string) => void;
  },
  change: (manifest: Manifest) => Promise<Manifest | undefined>,
): Promise<void> {
  const { store, profile, warn } = options;
  await withProfileLock(profile, async () => {
    const next = await change(await currentManifest(options, profile));
    if (next !== undefined) await switchLocked(store, profile, await buildProfile(store, next, warn));
  });
}
