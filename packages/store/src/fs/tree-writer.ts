/**
 * Writes trees that strangers describe: archives, packages, revisions of repositories. Every file is created anew, relative
 * to an open directory of the tree; no link is followed, and names that lead elsewhere are refused.
 */
import { FirnError, maxNarDepth } from "@firn/formats";
import { disk, hasErrorCode } from "./disk.ts";
import { isEntryName, type OpenDirectory, openParentOf } from "./open-directory.ts";

/** Options of writing a tree. */
export interface TreeWriterOptions {
  /** Makes the error for a tree that cannot be written as it is described; by default its code is `bad-tree`. */
  readonly fault?: (what: string) => FirnError;
  /** True to refuse `.git`, which no revision of a repository contains. */
  readonly refuseGit?: boolean;
  /**
   * True to give files and finished directories the store's metadata (modes 0444 and 0555, time 1); nothing may be added to
   * them later.
   */
  readonly sealed?: boolean;
  /** True to write sealed files to disk. */
  readonly sync?: boolean;
}

interface Level {
  readonly path: string;
  readonly directory: OpenDirectory;
}

/**
 * A tree under construction at a path that does not exist or is an empty directory, and whose own directories are trusted. Places in it
 * are byte strings: `""` is the root, `/a/b` lies below it. Call `close` at the end, also after an error.
 */
export class TreeWriter {
  readonly #root: OpenDirectory;
  readonly #name: string;
  readonly #options: TreeWriterOptions;
  /** Open directories from the root down to the one last written to. */
  readonly #open: Level[] = [];

  constructor(root: string, options: TreeWriterOptions = {}) {
    const { parent, name } = openParentOf(root);
    this.#root = parent;
    this.#name = name;
    this.#options = options;
  }

  /** Makes a directory and those above it; leaves one that exists already. */
  directory(path: string): void {
    if (this.#options.sealed === true) {
      const { directory, name } = this.#parentOf(path);
      this.#make(path, () => directory.mkdir(name, 0o755));
    }
    this.#reach(path);
  }

  /** Creates a regular file and returns its descriptor, which the caller closes. */
  create(path: string, mode: number): number {
    const { directory, name } = this.#parentOf(path);
    return this.#make(path, () => directory.create(name, mode));
  }

  /** Makes a symbolic link; its target is not checked. */
  symlink(target: string, path: string): void {
    if (target === "" || target.includes("\0")) throw this.#fault(`'${shown(path)}' is a link without a valid target`);
    const { directory, name } = this.#parentOf(path);
    this.#make(path, () => directory.symlink(target, name));
    if (this.#options.sealed !== true) return;
    const link = directory.openPlace(name);
    try {
      link.setMtime(1);
    } finally {
      link.close();
    }
  }

  /** Makes a hard link to a regular file that the tree has already. */
  link(existing: string, path: string): void {
    const { directory, name } = this.#parentOf(path);
    const source = this.#openAgain(existing.slice(0, Math.max(0, existing.lastIndexOf("/"))), existing);
    try {
      const file = existing.slice(existing.lastIndexOf("/") + 1);
      if (source.find(file)?.isFile() !== true) throw this.#noFile(existing);
      this.#make(path, () => source.with(file, (from) => directory.with(name, (to) => disk.link(from, to))));
    } finally {
      source.close();
    }
  }

  /** Deletes a file or link that the tree has, to make way for another; a directory never gives way. */
  makeFree(path: string): void {
    const { directory, name } = this.#parentOf(path);
    const stat = directory.find(name);
    if (stat === undefined) return;
    if (stat.isDirectory()) throw this.#fault(`'${shown(path)}' appears twice`);
    directory.unlink(name);
  }

  /** Closes the tree; sealed directories get their final metadata. */
  close(): void {
    try {
      this.#leave(() => false);
    } finally {
      for (const { directory } of this.#open.splice(0)) directory.close();
      this.#root.close();
    }
  }

  /** Returns the open directory of a place, and its name in it. */
  #parentOf(path: string): { directory: OpenDirectory; name: string } {
    if (path === "") return { directory: this.#root, name: this.#name };
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    this.#check(name, path);
    return { directory: this.#reach(path.slice(0, slash)), name };
  }

  #reach(path: string): OpenDirectory {
    this.#leave((open) => open === "" || path === open || path.startsWith(`${open}/`));
    let top = this.#open.at(-1);
    if (top === undefined) {
      top = { path: "", directory: this.#enter(this.#root, this.#name, "") };
      this.#open.push(top);
    }
    while (top.path !== path) {
      // One more than an archive may have: the top directory of a tarball is stripped.
      if (this.#open.length > maxNarDepth + 1) {
        throw new FirnError("nar-too-deep", `path '${path}' exceeds maximum NAR directory depth of ${maxNarDepth}`);
      }
      const start = top.path.length + 1;
      const end: number = path.indexOf("/", start);
      const name = path.slice(start, end < 0 ? undefined : end);
      this.#check(name, path);
      const below: string = end < 0 ? path : path.slice(0, end);
      top = { path: below, directory: this.#enter(top.directory, name, below) };
      this.#open.push(top);
    }
    return top.directory;
  }

  #enter(parent: OpenDirectory, name: string, path: string): OpenDirectory {
    try {
      return parent.openDirectory(name);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) {
        this.#make(path, () => parent.mkdir(name, 0o755));
        return parent.openDirectory(name);
      }
      if (!hasErrorCode(error, "ENOTDIR", "ELOOP")) throw error;
      throw this.#fault(`'${shown(path)}' is used as a directory but is none`);
    }
  }

  /** Opens a directory of the tree beside the open ones; `file` is the file sought in it. */
  #openAgain(path: string, file: string): OpenDirectory {
    let directory = this.#root.openDirectory(this.#name);
    for (const name of path.split("/").slice(1)) {
      const above = directory;
      try {
        this.#check(name, file);
        directory = above.openDirectory(name);
      } catch (error) {
        if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
        throw this.#noFile(file);
      } finally {
        above.close();
      }
    }
    return directory;
  }

  #noFile(path: string): FirnError {
    return this.#fault(`hard link to '${shown(path)}', which is no file of it`);
  }

  /** Closes open directories from the deepest up to the first one that stays. */
  #leave(stays: (path: string) => boolean): void {
    for (let top = this.#open.at(-1); top !== undefined && !stays(top.path); top = this.#open.at(-1)) {
      const { directory } = top;
      if (this.#options.sealed === true) {
        directory.chmod(0o555);
        directory.setMtime(1);
        if (this.#options.sync === true) directory.sync();
      }
      this.#open.pop();
      directory.close();
    }
  }

  #make<Result>(path: string, make: () => Result): Result {
    try {
      return make();
    } catch (error) {
      if (!hasErrorCode(error, "EEXIST")) throw error;
      throw this.#fault(`'${shown(path)}' appears twice`);
    }
  }

  #check(name: string, path: string): void {
    if (!isEntryName(name)) throw this.#fault(`name '${shown(path)}' leads out of the tree`);
    if (this.#options.refuseGit === true && name.toLowerCase() === ".git") {
      throw this.#fault(`failed to insert entry: invalid name for a tree entry - ${name}`);
    }
  }

  #fault(what: string): FirnError {
    return this.#options.fault?.(what) ?? new FirnError("bad-tree", what);
  }
}

function shown(path: string): string {
  return path.slice(1);
}
