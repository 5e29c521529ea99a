/**
 * Names of archives on disks that do not tell capitals from small letters (the setting `use-case-hack`, manual: "nix.conf"): of names
 * that differ only in that, all but the first have a suffix on disk, which archives do not have.
 */
import { FirnError } from "@firn/formats";
import type { EntryKind } from "./entries.ts";

const suffix = "~nix~case~hack~";

let used = false;

/** Decides for this thread whether names on disk differ from those in archives. */
export function useCaseHack(use: boolean): void {
  used = use;
}

/** Tells whether names on disk may differ from those in archives. */
export function usesCaseHack(): boolean {
  return used;
}

/** An entry of a directory under its name in an archive, with its name on disk where that is another one. */
export interface ArchivedEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly stored?: string;
}

/** Returns entries of the directory `shown` with the names that archives give them, in their order. Error `bad-file-name`. */
export function archivedEntries(
  entries: readonly { readonly name: string; readonly kind: EntryKind }[],
  shown: string,
): readonly ArchivedEntry[] {
  if (!used) return entries;
  const named = new Map<string, { readonly name: string; readonly kind: EntryKind }>();
  for (const entry of entries) {
    const [name = ""] = entry.name.split(suffix, 1);
    const other = named.get(name);
    if (other !== undefined) {
      throw new FirnError(
        "bad-file-name",
        `file name collision between '${shown}/${other.name}' and '${shown}/${entry.name}'`,
      );
    }
    named.set(name, entry);
  }
  const sorted = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, { name: stored, kind }]) => ({ name, kind, stored }));
}

/** A directory that is being unpacked: its place on disk, and its names in small letters with how often each came again. */
interface Unpacked {
  readonly place: string;
  readonly names: Map<string, { readonly name: string; count: number }>;
}

/** The places on disk of the entries of one archive, which come in the order of the archive. */
export class UnpackedNames {
  readonly #directories = new Map<string, Unpacked>([["", { place: "", names: new Map() }]]);

  /** Returns the place of an entry (`/a/b`) on disk. Error `bad-nar` when a name that needs a suffix is taken. */
  placeOf(path: string): string {
    if (path === "") return path;
    const slash = path.lastIndexOf("/");
    const { place, names } = this.#directory(path.slice(0, slash));
    const name = path.slice(slash + 1);
    const key = smallLetters(name);
    const before = names.get(key);
    let stored = name;
    if (before === undefined) names.set(key, { name, count: 0 });
    else {
      stored = `${name}${suffix}${++before.count}`;
      const taken = names.get(smallLetters(stored));
      if (taken !== undefined) {
        throw new FirnError(
          "bad-nar",
          `NAR contains file name '${name}' that collides with case-hacked file name '${taken.name}'`,
        );
      }
    }
    return `${place}/${stored}`;
  }

  /** Remembers the place of a directory, whose entries follow. */
  enter(path: string, place: string): void {
    this.#directories.set(path, { place, names: new Map() });
  }

  #directory(path: string): Unpacked {
    const known = this.#directories.get(path);
    if (known === undefined)
      throw new FirnError("bad-nar", `bad archive: '${path}' is used as a directory but is none`);
    return known;
  }
}

/** Names differ for the reference in more than case where other letters than those of ASCII do. */
function smallLetters(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
