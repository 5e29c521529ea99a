/**
 * Generations: a profile is a link to `NAME-N-link`, which is a link into the store. A switch is one rename; earlier
 * generations stay until they are deleted (manual: "Profiles").
 */

import { basename, dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, PathLocks, type RootWriter } from "@firn/store";
import { lstatSync, readdirSync, readlinkSync } from "@firn/store/files";

/** One generation. */
export interface Generation {
  readonly number: number;
  /** The link `NAME-N-link`. */
  readonly link: string;
  /** Time of creation, in seconds since 1970. */
  readonly created: number;
}

/** Returns the generations of a profile, oldest first, and the number of the current one. */
export function findGenerations(profile: string): {
  readonly generations: readonly Generation[];
  readonly current: number | undefined;
} {
  const directory = dirname(profile);
  const name = basename(profile);
  const generations: Generation[] = [];
  for (const entry of listDirectory(directory)) {
    const number = generationNumber(name, entry);
    if (number === undefined) continue;
    const link = join(directory, entry);
    generations.push({ number, link, created: Math.floor(lstatSync(link).mtimeMs / 1000) });
  }
  generations.sort((a, b) => a.number - b.number);
  const target = linkTarget(profile);
  return { generations, current: target === undefined ? undefined : generationNumber(name, basename(target)) };
}

function listDirectory(directory: string): string[] {
  return lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(directory) : [];
}

function generationNumber(name: string, entry: string): number | undefined {
  if (!entry.startsWith(`${name}-`) || !entry.endsWith("-link")) return undefined;
  const digits = entry.slice(name.length + 1, -"-link".length);
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : undefined;
}

/** Returns the target of a profile's link; undefined when it is none. */
export function linkTarget(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
}

/** Returns the path of the link that keeps the source of a generation: see generation-source.ts. */
export function sourceLink(profile: string, generation: number): string {
  return `${profile}-${generation}-source`;
}

/** Runs `work` while holding the profile's lock. */
export async function withProfileLock<Result>(profile: string, work: () => Promise<Result>): Promise<Result> {
  disk.mkdirs(dirname(profile));
  const locks = await PathLocks.acquire([profile], () => undefined);
  try {
    return await work();
  } finally {
    locks.release();
  }
}

/**
 * Makes a store path the next generation of a profile and switches to it; when the newest generation already is that path,
 * switches to that one.
 */
export async function setProfile(store: RootWriter, profile: string, storePath: string): Promise<Generation> {
  return withProfileLock(profile, () => switchLocked(store, profile, storePath));
}

/** Does the work of `setProfile` for a caller that holds the profile's lock. */
export async function switchLocked(store: RootWriter, profile: string, storePath: string): Promise<Generation> {
  const newest = findGenerations(profile).generations.at(-1);
  // As in the reference, what the newest generation already is becomes no other one, also after a rollback.
  if (newest !== undefined && linkTarget(newest.link) === storePath) {
    switchLink(profile, newest.link);
    return newest;
  }
  const number = (newest?.number ?? 0) + 1;
  const link = join(dirname(profile), `${basename(profile)}-${number}-link`);
  await store.addPermRoot(storePath, link);
  switchLink(profile, link);
  return { number, link, created: Math.floor(Date.now() / 1000) };
}

/** Points the profile at a generation's link, by one rename. */
function switchLink(profile: string, link: string): void {
  const present = lstatSync(profile, { throwIfNoEntry: false });
  if (present !== undefined && !present.isSymbolicLink()) {
    throw new FirnError("bad-profile", `cannot switch profile '${profile}': it is not a symlink`);
  }
  disk.replaceSymlink(basename(link), profile);
}

/** Returns the generation before the current one, or the one numbered `to`. Fails with `no-generation`. */
export function earlierGeneration(profile: string, to?: number): Generation {
  const { generations, current } = findGenerations(profile);
  const target =
    to === undefined
      ? generations.findLast((generation) => current === undefined || generation.number < current)
      : generations.find((generation) => generation.number === to);
  if (target !== undefined) return target;
  throw new FirnError(
    "no-generation",
    to === undefined
      ? `no profile version older than the current (${current ?? 0}) exists`
      : `profile version ${to} does not exist`,
  );
}

/** Switches a profile back: to generation `to`, or to the one before the current. Returns the numbers of both generations. */
export async function rollbackProfile(
  profile: string,
  options: { readonly to?: number; readonly dryRun?: boolean } = {},
): Promise<{ readonly from: number | undefined; readonly to: number }> {
  return withProfileLock(profile, async () => {
    const { current } = findGenerations(profile);
    const target = earlierGeneration(profile, options.to);
    if (options.dryRun !== true) switchLink(profile, target.link);
    return { from: current, to: target.number };
  });
}

/** A choice of generations to delete. The current one is never among them, but for `numbers`, where it is an error. */
export type GenerationChoice =
  | { readonly kind: "numbers"; readonly numbers: readonly number[] }
  /** All others than the current one. */
  | { readonly kind: "old" }
  /** Those that were no longer current at a time, in seconds since 1970. */
  | { readonly kind: "older-than"; readonly time: number }
  /** Those before the current one, but for the newest of them: `count` generations stay with the current one. */
  | { readonly kind: "beyond"; readonly count: number };

/**
 * Deletes generations of a profile, newest first but for `old` and `numbers`; `report` hears of each. With `dryRun` nothing is
 * deleted. Error `bad-profile` when the current one is chosen.
 */
export async function deleteGenerations(
  profile: string,
  choice: GenerationChoice,
  options: { readonly dryRun?: boolean; report?(number: number): void } = {},
): Promise<void> {
  await withProfileLock(profile, async () => {
    const { generations, current } = findGenerations(profile);
    for (const { number, link } of chosenGenerations(profile, choice, { generations, current })) {
      options.report?.(number);
      if (options.dryRun === true) continue;
      disk.unlink(link);
      const source = sourceLink(profile, number);
      if (linkTarget(source) !== undefined) disk.unlink(source);
    }
  });
}

function chosenGenerations(
  profile: string,
  choice: GenerationChoice,
  { generations, current }: ReturnType<typeof findGenerations>,
): readonly Generation[] {
  const newestFirst = [...generations].reverse();
  switch (choice.kind) {
    case "numbers":
      if (current !== undefined && choice.numbers.includes(current))
        throw new FirnError("bad-profile", `cannot delete current version of profile "${profile}"`);
      return generations.filter(({ number }) => choice.numbers.includes(number));
    case "old":
      return generations.filter(({ number }) => number !== current);
    case "older-than": {
      // The newest of the older ones was current at that time.
      const first = newestFirst.findIndex(({ created }) => created < choice.time);
      return first < 0 ? [] : newestFirst.slice(first + 1).filter(({ number }) => number !== current);
    }
    case "beyond": {
      const at = newestFirst.findIndex(({ number }) => number === current);
      return at < 0 ? [] : newestFirst.slice(at + choice.count);
    }
  }
}
