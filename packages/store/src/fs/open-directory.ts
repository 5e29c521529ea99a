/**
 * Directories that are held open. Entries are named relative to the open directory, one name at a time, and a link is never
 * followed: a process that moves directories or plants links meanwhile cannot redirect an operation to another file. Node has
 * no `openat`; the kernel offers the same through `/proc/self/fd/N/NAME`, which starts at the open directory however it was
 * reached.
 */

import type { Stats } from "node:fs";
import { FirnError, textOf } from "@firn/formats";
import { disk, hasErrorCode } from "./disk.ts";
import { type EntryKind, entriesIn, kindOf } from "./entries.ts";
import * as fs from "./files.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** Flag of open(2) that opens the place of a file without its contents; Node does not name it. */
const O_PATH = 0o10000000;

/** Identity of a file on this machine. */
interface Identity {
  readonly dev: number;
  readonly ino: number;
}

/** Tells whether two states are of the same file. */
export function isSameFile(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** Tells whether a name can be an entry of a directory, and refers to that directory only. */
export function isEntryName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0");
}

/** Splits a path without a slash at its end into the directory part and the last name. */
function splitPath(path: string): { readonly directory: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return { directory: ".", name: path };
  return { directory: slash === 0 ? "/" : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Returns the name under which the kernel knows an open file. */
function heldPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Calls a function with the kernel's name of an open file; errors of system calls show the ordinary path. */
function withHeld<Result>(
  held: { readonly fd: number; readonly shown: string },
  use: (path: string) => Result,
): Result {
  // Only Linux has such names; elsewhere the path has to do.
  const path = process.platform === "linux" ? heldPath(held.fd) : held.shown;
  try {
    return use(path);
  } catch (error) {
    if (error instanceof Error && "path" in error && typeof error.path === "string") {
      const shown = textOf(held.shown);
      const within = shown === "/" ? shown : `${shown}/`;
      const told = (text: string): string => text.replaceAll(`${path}/`, () => within).replaceAll(path, () => shown);
      error.message = told(error.message);
      error.path = told(error.path);
    }
    throw error;
  }
}

/** One file or link of a directory, held by its place: it can be changed, and stays the same file when its name is moved or replaced. */
export class OpenPlace {
  readonly fd: number;
  /** The path by which it was opened, for messages. */
  readonly shown: string;

  constructor(fd: number, shown: string) {
    this.fd = fd;
    this.shown = shown;
  }

  /** Its state, as `lstat` tells it. */
  stat(): Stats {
    return fs.fstatSync(this.fd);
  }

  /** Sets the mode; does nothing to a link, which has none. */
  chmod(mode: number): void {
    withHeld(this, (path) => disk.chmod(path, mode));
  }

  /** Sets the owner, of a link too. */
  chown(uid: number, gid: number): void {
    withHeld(this, (path) => disk.chown(path, uid, gid));
  }

  /** Sets the modification time in seconds, of a link too. */
  setMtime(seconds: number): void {
    withHeld(this, (path) => disk.setMtime(path, seconds));
  }

  /** Closes it. */
  close(): void {
    fs.closeSync(this.fd);
  }
}

/** A directory held open until `close`. */
export class OpenDirectory {
  readonly fd: number;
  /** The path by which it was opened, for messages. */
  readonly shown: string;

  private constructor(fd: number, shown: string) {
    this.fd = fd;
    this.shown = shown;
  }

  /** Opens the directory at a path that only the caller's own user can change; links in it are followed. */
  static open(path: string, access = O_RDONLY): OpenDirectory {
    return new OpenDirectory(fs.openSync(path, access | O_DIRECTORY), path);
  }

  /** Returns the path of an entry for messages. */
  show(name: string): string {
    return this.shown === "/" ? `/${name}` : `${this.shown}/${name}`;
  }

  /**
   * Calls a function with the path of an entry relative to this directory; the function must not follow the last component.
   * Error `bad-file-name` for an invalid name.
   */
  with<Result>(name: string, use: (path: string) => Result): Result {
    if (!isEntryName(name)) {
      throw new FirnError("bad-file-name", `'${name}' in "${this.shown}" is no name of a file in a directory`);
    }
    return withHeld(this, (path) => use(`${path}/${name}`));
  }

  /** State of the directory itself. */
  stat(): Stats {
    return fs.fstatSync(this.fd);
  }

  /** State of an entry, of a link itself. */
  lstat(name: string): Stats {
    return this.with(name, (path) => fs.lstatSync(path));
  }

  /** State of an entry, or undefined when there is none. */
  find(name: string): Stats | undefined {
    return this.with(name, (path) => fs.lstatSync(path, { throwIfNoEntry: false }));
  }

  /** Returns names and kinds of its entries, sorted by bytes. */
  entries(): { readonly name: string; readonly kind: EntryKind }[] {
    return withHeld(this, (path) => entriesIn(path));
  }

  /** Returns the names of its entries, in the order of the file system. */
  names(): string[] {
    return withHeld(this, (path) => fs.readdirSync(path, { encoding: "latin1" }));
  }

  /** Opens a directory in it; error ENOTDIR when the entry is anything else, such as a link. */
  openDirectory(name: string): OpenDirectory {
    const fd = this.with(name, (path) => fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return new OpenDirectory(fd, this.show(name));
  }

  /** Opens a regular file in it for reading; returns its descriptor and state. Error `unsupported-file-type` for everything else. */
  openFile(name: string): { readonly fd: number; readonly stat: Stats } {
    // Without O_NONBLOCK a pipe that has taken the file's place is waited for.
    const fd = this.with(name, (path) => fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    const stat = fs.fstatSync(fd);
    if (stat.isFile()) return { fd, stat };
    fs.closeSync(fd);
    throw new FirnError("unsupported-file-type", `file '${this.show(name)}' has an unsupported type`);
  }

  /** Holds an entry by its place, whatever its kind and permissions. */
  openPlace(name: string): OpenPlace {
    const fd = this.with(name, (path) => fs.openSync(path, O_PATH | O_NOFOLLOW));
    return new OpenPlace(fd, this.show(name));
  }

  /** Returns the target of a link in it. */
  readlink(name: string): string {
    return this.with(name, (path) => fs.readlinkSync(path, { encoding: "latin1" }));
  }

  mkdir(name: string, mode: number): void {
    this.with(name, (path) => disk.mkdir(path, mode));
  }

  /** Creates a file that must not exist and returns its descriptor, open for writing. */
  create(name: string, mode: number): number {
    return this.with(name, (path) => disk.create(path, mode));
  }

  symlink(target: string, name: string): void {
    this.with(name, (path) => disk.symlink(target, path));
  }

  unlink(name: string): void {
    this.with(name, (path) => disk.unlink(path));
  }

  rmdir(name: string): void {
    this.with(name, (path) => disk.rmdir(path));
  }

  /** Makes a directory that its owner may not read, enter or change accessible to the owner. Links are left alone. */
  unlock(name: string): void {
    const place = this.openPlace(name);
    try {
      const stat = place.stat();
      if (stat.isDirectory() && (stat.mode & 0o700) !== 0o700) place.chmod((stat.mode & 0o7777) | 0o700);
    } finally {
      place.close();
    }
  }

  /** Opens the directory above it; error `tree-changed` when that is not `expected`, because this one was moved. */
  openParent(expected: Identity, shown: string): OpenDirectory {
    const fd = withHeld(this, (path) => fs.openSync(`${path}/..`, O_RDONLY | O_DIRECTORY));
    if (isSameFile(fs.fstatSync(fd), expected)) return new OpenDirectory(fd, shown);
    fs.closeSync(fd);
    throw new FirnError("tree-changed", `directory "${this.shown}" was moved to another place while it was worked on`);
  }

  /** Sets its mode. */
  chmod(mode: number): void {
    withHeld(this, (path) => disk.chmod(path, mode));
  }

  /** Sets its modification time in seconds. */
  setMtime(seconds: number): void {
    withHeld(this, (path) => disk.setMtime(path, seconds));
  }

  /** Writes its changes to disk. */
  sync(): void {
    disk.fsyncFd(this.fd);
  }

  /** Closes it. */
  close(): void {
    fs.closeSync(this.fd);
  }
}

/**
 * Opens a file or directory for reading by a path that has no links in it; one that leads through a link by now is not opened. Returns
 * undefined then, and for what is of another kind. The caller closes the descriptor. Errors are those of the system (ENOENT, …).
 */
export function openWithoutLinks(path: string, kind: "regular" | "directory"): number | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasErrorCode(error, "ELOOP")) return undefined;
    throw error;
  }
  try {
    // Only Linux tells where an open file lies.
    const lies = process.platform === "linux" ? fs.readlinkSync(heldPath(fd)) : path;
    if (lies === path && kindOf(fs.fstatSync(fd)) === kind) return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return undefined;
}

/** Lists a directory as `entriesIn` does, opened by `openWithoutLinks`; undefined where that opens nothing. */
export function entriesWithoutLinks(path: string): ReturnType<typeof entriesIn> | undefined {
  const fd = openWithoutLinks(path, "directory");
  if (fd === undefined) return undefined;
  try {
    return withHeld({ fd, shown: path }, entriesIn);
  } finally {
    fs.closeSync(fd);
  }
}

/** An entry of an open directory. */
export interface EntryPlace {
  readonly parent: OpenDirectory;
  readonly name: string;
}

/**
 * Opens the directory that holds `path`, to which links of the path's own directories may lead, and names the entry in it. The caller
 * closes `parent`, which may be entered but not listed. Errors are those of the system (ENOENT, ENOTDIR, EACCES).
 */
export function openParentOf(path: string): EntryPlace {
  const { directory, name } = splitPath(path.replace(/(?<=.)\/+$/, ""));
  return { parent: OpenDirectory.open(directory, O_PATH), name };
}

/** Holds the file at `path`, a link itself, by its place while `use` works on it. Errors as `openParentOf`. */
export function withPlace<Result>(path: string, use: (place: OpenPlace) => Result): Result {
  const { parent, name } = openParentOf(path);
  try {
    const place = parent.openPlace(name);
    try {
      return use(place);
    } finally {
      place.close();
    }
  } finally {
    parent.close();
  }
}
