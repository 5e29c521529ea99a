/** Finds the place that a path reaches once links are followed, and checks that an evaluation may read it. */
import { FirnError } from "@firn/formats";
import type { FileType } from "@firn/language";

/** The file system operations of a guard; paths are logical ones. */
export interface LinkReader {
  /** Returns the kind of the file at a path itself (`lstat`); undefined when there is none. */
  kindOf(path: string): FileType | undefined;
  /** Returns the target of a link. */
  targetOf(link: string): string;
}

/** The rules of a guard. */
export interface GuardOptions {
  readonly storeDir: string;
  /** End of the message for a path that may not be read; undefined when everything may be read. */
  readonly forbidden: string | undefined;
  readonly allowed: Iterable<string>;
  /** True when listings of directories above allowed paths show the entries that lead there; otherwise they are empty. */
  readonly showsParents: boolean;
}

/** Treatment of a link as the last component of a path: `follow` it, or `keep` it. */
export type LastComponent = "follow" | "keep";

/** Limit of the links that one path may lead through, as in the reference. */
const mostLinks = 1024;

/** The resolution of one path. */
interface Walk {
  /** The path as it was requested. */
  readonly path: string;
  links: number;
  /** True while every component so far is allowed. */
  complete: boolean;
}

/** Returns the directory of an absolute path other than `/`. */
function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function below(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Knows the paths that an evaluation may read, and resolves links itself so that each component is checked. */
export class PathGuard {
  readonly #links: LinkReader;
  /** End of the message for a path that may not be read; undefined when everything may be read. */
  readonly #forbidden: string | undefined;
  readonly #showsParents: boolean;
  readonly #allowed = new Set<string>();
  /** The directories above allowed paths, which may be entered on the way there. */
  readonly #above = new Set<string>();
  /** Resolved directories, all of them allowed: from the path as written to the path reached. */
  readonly #directories = new Map<string, string>();
  /** The store directory and those above it, whose links are not resolved. */
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

  /** Tells whether everything at and below a path may be read. */
  coversTree(path: string): boolean {
    if (this.#forbidden === undefined) return true;
    for (let at = path; ; at = directoryOf(at)) {
      if (this.#allowed.has(at)) return true;
      if (at === "/") return false;
    }
  }

  /** Tells whether a path may be accessed: it is allowed, or is above an allowed path. */
  allows(path: string): boolean {
    return this.#above.has(path) || this.coversTree(path);
  }

  /** Checks a path without following links; fails with `restricted-path` when it may not be accessed. */
  check(path: string): void {
    if (this.allows(path)) return;
    throw new FirnError("restricted-path", `access to absolute path '${path}' is forbidden ${this.#forbidden}`);
  }

  /** Returns the place that a path reaches, free of links except for a kept last component. Fails when it may not be accessed. */
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

  /** Tells whether an entry of an accessible directory is shown: above allowed paths only the entries that lead to them. */
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

  /** Returns the place reached by a relative path that begins in a directory without links. */
  #walked(directory: string, way: string, walk: Walk): string {
    let place = way.startsWith("/") ? "/" : directory;
    for (const name of way.split("/")) {
      if (name === "" || name === ".") continue;
      place = name === ".." ? directoryOf(place) : this.#followed(below(place, name), walk);
    }
    return place;
  }

  /**
   * Follows a link at a place. Links in places that may not be accessed are not followed: paths reached through them are
   * forbidden as well.
   */
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
