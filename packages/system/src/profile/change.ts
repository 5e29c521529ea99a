/** Changing what a profile holds: read, change, build and switch are one step that nobody else's change can fall into. */
import { findLogicalFile, type RootWriter } from "@firn/store";
import { readlinkSync } from "@firn/store/files";
import { type Generation, switchLocked, withProfileLock } from "./generations.ts";
import { buildProfile, type Manifest, type ProfileReader, readManifest } from "./manifest.ts";

/** Returns the manifest of a generation; an empty one when there is no generation. Fails as `readManifest` does. */
export function generationManifest(reader: ProfileReader, generation: Generation | undefined): Promise<Manifest> {
  return readManifest(reader, generation === undefined ? undefined : readlinkSync(generation.link));
}

/**
 * Returns the current manifest of a profile, which may be the link of a generation or lead to one through other links. Fails as
 * `readManifest` does.
 */
export async function currentManifest(reader: ProfileReader, profile: string): Promise<Manifest> {
  return readManifest(reader, findLogicalFile(reader.store.location, profile)?.path);
}

/**
 * Gives `change` the manifest of a profile while holding its lock, builds what it returns and switches to that; nothing is built when
 * it returns undefined. Errors `collision`, `bad-profile`, and those of `change`.
 */
export async function changeProfile(
  options: ProfileReader & {
    readonly store: RootWriter;
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
