/**
 * The state of files for comparison: a file that has the inode, size and time of change that it had has the contents that it had.
 * A time of change counts only when it was well before the reading, since a later change might have got the same time.
 */
import type { Stats } from "node:fs";
import { canonicalPath } from "@firn/formats";
import type { FileType } from "@firn/language";
import { entriesIn, kindOf, machineError } from "@firn/store";
import * as fs from "@firn/store/files";
import { contentDigest, listingDigest } from "../evaluator/file-digest.ts";
import type { TreeRead } from "../evaluator/reads.ts";

/** Age in milliseconds from which a time of change distinguishes what changed before from what changes after. */
const usuallySettledAfter = 2000;

/** The state of a file; undefined when it cannot be told apart from a later one. */
export type FileState = string | undefined;

/** The entries of a tree: what it consists of, and the states of its files. */
export interface TreeState {
  /** Digest of names and kinds. */
  readonly names: string;
  /** Digest of the states of all files; undefined when one of them has none. */
  readonly states: string | undefined;
}

/** Looks at files, each once. */
export class FileStates {
  readonly #before: number;
  readonly #status = new Map<string, Stats | undefined>();
  readonly #plain = new Set<string>(["/", ""]);

  /** Takes the time in milliseconds since 1970 at which the first of the files was read. */
  constructor(begun: number, settledAfter = usuallySettledAfter) {
    this.#before = begun - settledAfter;
  }

  /** Returns the status of what lies at a path, links not followed; undefined when it cannot be had. */
  status(path: string): Stats | undefined {
    if (!this.#status.has(path))
      this.#status.set(
        path,
        statusOf(() => fs.lstatSync(path, { throwIfNoEntry: false })),
      );
    return this.#status.get(path);
  }

  /** Returns the kind of what lies at a path, links not followed. */
  type(path: string): FileType | null {
    const status = this.status(path);
    return status === undefined ? null : kindOf(status);
  }

  /** Returns the state of the file or directory that a path leads to. */
  state(path: string): FileState {
    const own = this.status(path);
    const status = own?.isSymbolicLink() === true ? statusOf(() => fs.statSync(path, { throwIfNoEntry: false })) : own;
    return status === undefined ? undefined : this.#stateOf(status);
  }

  #stateOf({ dev, ino, size, mode, ctimeMs }: Stats): FileState {
    return ctimeMs > this.#before ? undefined : `${dev} ${ino} ${size} ${mode} ${ctimeMs}`;
  }

  /** Tells whether a path still leads to a place. */
  leadsTo(path: string, place: string): boolean {
    if (path === place && this.#isPlain(path)) return true;
    try {
      return canonicalPath(fs.realpathSync(path)) === place;
    } catch (error) {
      if (machineError(error) === undefined) throw error;
      return false;
    }
  }

  /** Tells whether a path exists and has no link in it. */
  #isPlain(path: string): boolean {
    if (this.#plain.has(path)) return true;
    const status = this.status(path);
    if (status === undefined || status.isSymbolicLink()) return false;
    if (!this.#isPlain(path.slice(0, path.lastIndexOf("/")))) return false;
    this.#plain.add(path);
    return true;
  }

  /** Returns the digest of a file's bytes; undefined when it cannot be read. */
  contents(path: string): string | undefined {
    return attempt(() => contentDigest(fs.readFileSync(path)));
  }

  /** Returns the digest of a directory's listing; undefined when it cannot be read. */
  listing(path: string): string | undefined {
    return attempt(() => listingDigest(entriesIn(path).map(({ name, kind }) => [name, kind] as const)));
  }

  /** Returns the state of a tree, or of those of its files that a filter kept or that are listed; undefined when it cannot be read. */
  tree({
    path: root,
    include,
    isListed = false,
  }: Pick<TreeRead, "path" | "include" | "isListed">): TreeState | undefined {
    return attempt(() => {
      const kept = include === undefined ? undefined : new Set(include);
      const names: string[] = [];
      const states: string[] = [];
      let settled = true;
      const visit = (path: string, relative: string): void => {
        const status = fs.lstatSync(path);
        const kind = kindOf(status);
        if (kind !== "directory") {
          const state = this.#stateOf(status);
          settled &&= state !== undefined;
          states.push(`${relative}\0${state}`);
          return;
        }
        for (const entry of entriesIn(path)) {
          const child = `${relative}/${entry.name}`;
          names.push(`${child}\0${entry.kind}`);
          if (kept === undefined || kept.has(child)) visit(path === "/" ? child : `${path}/${entry.name}`, child);
        }
      };
      if (isListed) {
        for (const relative of ["", ...(include ?? [])]) {
          const status = fs.lstatSync(root + relative);
          const kind = kindOf(status);
          names.push(`${relative}\0${kind}`);
          if (kind === "directory") continue;
          const state = this.#stateOf(status);
          settled &&= state !== undefined;
          states.push(`${relative}\0${state}`);
        }
      } else visit(root, "");
      const digest = (lines: readonly string[]): string => contentDigest(Buffer.from(lines.join("\0\0"), "latin1"));
      return { names: digest(names), states: settled ? digest(states) : undefined };
    });
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (machineError(error) === undefined) throw error;
    return undefined;
  }
}

function statusOf(look: () => Stats | undefined): Stats | undefined {
  return attempt(look);
}
