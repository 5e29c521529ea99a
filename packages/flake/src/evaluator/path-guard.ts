/** Tells which place a path reaches once links are followed, and whether an evaluation may read there. */
import { FirnError } from "@firn/formats";
import type { FileType } from "@firn/language";

/** What a guard asks of the file system; paths are logical ones. */
export interface LinkReader {
  /** The kind of what lies at a path itself (`lstat`); undefined when nothing does. */
  kindOf(path: string): FileType | undefined;
  /** The target of a link. */
  targetOf(link: string): string;
}

/** What a guard goes by. */
export interface GuardOptions {
  readonly storeDir: string;
  /** Ends the message for a path that may not be read; undefined when everything may. */
  readonly forbidden: string | undefined;
  readonly allowed: Iterable<string>;
  /** Whether listings of directories above allowed paths show the way there; otherwise they are empty. */
  readonly showsParents: boolean;
}

/** Whether the last component of a path is followed when it is a link. */
export type LastComponent = "follow" | "keep";

/** How many links one path may lead through, as in the reference. */
const mostLinks = 1024;

/** The resolution of one path. */
interface Walk {
  /** As it was asked for. */
  readonly path: string;
  links: number;
  /** Every component so far could be looked at. */
  complete: boolean;
}

/** The directory of an absolute path other than `/`. */
function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function below(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** A PathGuard knows the paths that an evaluation may read and resolves links itself, so that each place on the way is checked. */
export class PathGuard {
  readonly #links: LinkReader;
  /** Ends the message for a path that may not be read; undefined when everything may. */
  readonly #forbidden: string | undefined;
  readonly #showsParents: boolean;
  readonly #allowed = new Set<string>();
  /** The directories above allowed paths: they may be looked at to get there. */
  readonly #above = new Set<string>();
  /** Directories that were resolved, all of them allowed: as written to as reached. */
  readonly #directories = new Map<string, string>();
  /** The store directory and those above it, which are taken as they are. */
  readonly #fixed = new Set<string>(["/"]);

  constructor(options: GuardOptions, links: LinkReader) {
    this.#links = links;
    this.#showsParents = options.showsParents;
    this.#forbidden = options.forbidden;
    for (let path = options.storeDir; path !== "/"; path = directoryOf(path)) this.#fixed.add(path);
    for (const path of options.allowed) this.allow(path);
  }

  /** Allows reading at and below a path. */
  allow(path: string): void {
    if (this.#allowed.has(path)) return;
    this.#allowed.add(path);
    for (let above = path; above !== "/"; ) {
      above = directoryOf(above);
      this.#above.add(above);
    }
  }

  /** Whether everything at and below a path may be read. */
  coversTree(path: string): boolean {
    if (this.#forbidden === undefined) return true;
    for (let at = path; ; at = directoryOf(at)) {
      if (this.#allowed.has(at)) return true;
      if (at === "/") return false;
    }
  }

  /** Whether a path may be looked at: it is allowed, or leads to what is. */
  allows(path: string): boolean {
    return this.#above.has(path) || this.coversTree(path);
  }

  /** Fails with `restricted-path` for a path that may not be looked at; links in it are not followed. */
  check(path: string): void {
    if (this.allows(path)) return;
    throw new FirnError("restricted-path", `access to absolute path '${path}' is forbidden ${this.#forbidden}`);
  }

  /** The place that a path reaches, free of links but for a kept last component. Fails when it may not be looked at. */
  reach(path: string, last: LastComponent): string {
    if (this.#fixed.has(path)) {
      this.check(path);
      return path;
    }
    const walk: Walk = { path, links: 0, complete: true };
    const place = below(this.#directory(directoryOf(path), walk), path.slice(path.lastIndexOf("/") + 1));
    const reached = last === "keep" ? place : this.#followed(place, walk);
    this.check(reached);
    return reached;
  }

  /** Whether an entry of a directory that may be looked at is shown: of the parents of what is allowed only the way there. */
  shows(directory: string, name: string): boolean {
    return this.coversTree(directory) || (this.#showsParents && this.allows(below(directory, name)));
  }

  #directory(path: string, walk: Walk): string {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const reached = this.#walked("/", path, walk);
    if (walk.complete && this.#kindOf(reached) === "directory") this.#directories.set(path, reached);
    return reached;
  }

  /** Where a way that begins in a directory without links ends. */
  #walked(directory: string, way: string, walk: Walk): string {
    let place = way.startsWith("/") ? "/" : directory;
    for (const name of way.split("/")) {
      if (name === "" || name === ".") continue;
      place = name === ".." ? directoryOf(place) : this.#followed(below(place, name), walk);
    }
    return place;
  }

  /** Links where nothing may be looked at are not followed: what is reached through them is forbidden as well. */
  #followed(place: string, walk: Walk): string {
    const kind = this.#kindOf(place);
    if (kind === undefined) walk.complete = false;
    if (kind !== "symlink") return place;
    if (++walk.links > mostLinks) {
      throw new FirnError("symlink-loop", `infinite symlink recursion in path '${walk.path}'`);
    }
    return this.#walked(directoryOf(place), this.#links.targetOf(place), walk);
  }

  #kindOf(place: string): FileType | undefined {
    if (this.#fixed.has(place)) return "directory";
    return this.allows(place) ? this.#links.kindOf(place) : undefined;
  }
}
