/** Deletion of trees: read-only ones, deep ones, and ones that another process is changing. */
import { FirnError } from "@firn/formats";
import { hasErrorCode } from "./disk.ts";
import { type EntryPlace, openParentOf } from "./open-directory.ts";
import { walk } from "./walk.ts";

/** Number of attempts to empty a directory that is filled again meanwhile. */
const ATTEMPTS = 8;

/**
 * Deletes `path` of any kind; does nothing when it does not exist; returns the sizes of its files
 * that no other link keeps but perhaps that of `.links`, in bytes. Only the directories of
 * the path itself are trusted: nothing outside the tree is touched, even when entries are planted or moved inside it
 * meanwhile.
 */
export function removePath(path: string): number {
  let place: EntryPlace;
  try {
    place = openParentOf(path);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return 0;
    throw error;
  }
  try {
    return removeEntry(place);
  } finally {
    place.parent.close();
  }
}

/** Deletes an entry of an open directory, as `removePath` does. */
export function removeEntry({ parent, name }: EntryPlace): number {
  let freed = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      for (const step of walk(parent, name, { unlock: true })) {
        if (step.kind === "enter") continue;
        if (step.kind === "leave") step.parent.rmdir(step.name);
        else step.parent.unlink(step.name);
        const { stat } = step;
        if (step.kind === "file" && stat.nlink <= 2) freed += stat.size;
      }
      return freed;
    } catch (error) {
      const changed = error instanceof FirnError && error.code === "tree-changed";
      // Something came, went or changed its kind between two steps.
      if (attempt === ATTEMPTS || !(changed || hasErrorCode(error, "ENOTEMPTY", "ENOENT", "ENOTDIR", "EISDIR")))
        throw error;
    }
  }
}
