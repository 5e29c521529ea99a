/**
 * The files of a system generation as the booted machine would see them, read from any machine: links into the store
 * are followed through the store's real place, links to `/usr`, `/etc` and `/run/current-system` through the generation.
 */

import { join, normalize } from "node:path";
import { FirnError } from "@firn/formats";
import type { StoreLocation } from "@firn/store";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "@firn/store/files";

/** The directory of the store, as in store paths and on disk. */
export type StoreView = Pick<StoreLocation, "storeDir" | "realStoreDir">;

/** The file at a path of a generation. */
export type TreeEntry =
  | { readonly kind: "file"; readonly real: string; readonly size: number; readonly executable: boolean }
  | { readonly kind: "directory"; readonly real: string; readonly names: readonly string[] }
  /** A link that leads out of the generation, such as one to `/dev/null` or `/run`. */
  | { readonly kind: "outside"; readonly target: string };

const maxLinks = 64;
/** Limit of entries, above that of any real system; a larger tree is not read to its end. */
const maxEntries = 200_000;
const maxFileSize = 16 << 20;

/** The tree of one generation. */
export class GenerationTree {
  readonly path: string;
  private readonly view: StoreView;

  constructor(view: StoreView, path: string) {
    this.view = view;
    this.path = path;
  }

  /** Returns the file at a path relative to the generation (`etc/fstab`); undefined when nothing is there. */
  entry(path: string): TreeEntry | undefined {
    const resolved = this.resolve(join(this.path, path));
    if (resolved === undefined) return undefined;
    if (resolved.outside) return { kind: "outside", target: resolved.path };
    const real = this.real(resolved.path);
    const stat = lstatSync(real, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return { kind: "directory", real, names: readdirSync(real).sort() };
    if (stat?.isFile() === true) return { kind: "file", real, size: stat.size, executable: (stat.mode & 0o100) !== 0 };
    return undefined;
  }

  /** Returns the text of a file, as bytes; undefined when there is none. Fails with `bad-system` when it is implausibly large. */
  text(path: string): string | undefined {
    const entry = this.entry(path);
    if (entry?.kind !== "file") return undefined;
    if (entry.size > maxFileSize) throw new FirnError("bad-system", `'${join(this.path, path)}' is too large`);
    return readFileSync(entry.real, "latin1");
  }

  /** Returns the names in a directory; none when it does not exist. */
  names(path: string): readonly string[] {
    const entry = this.entry(path);
    return entry?.kind === "directory" ? entry.names : [];
  }

  /** Returns the store path that a link of the generation leads to, with the rest of its target. */
  target(path: string): string | undefined {
    const resolved = this.resolve(join(this.path, path));
    return resolved === undefined || resolved.outside ? undefined : resolved.path;
  }

  /** Returns every file below a directory, by its path relative to that directory. */
  files(path: string): Map<string, TreeEntry> {
    const found = new Map<string, TreeEntry>();
    const visit = (relative: string, ancestors: readonly string[]): void => {
      const entry = this.entry(join(path, relative));
      if (entry === undefined) return;
      if (entry.kind !== "directory") {
        if (found.size >= maxEntries)
          throw new FirnError("bad-system", `'${join(this.path, path)}' has too many files`);
        found.set(relative, entry);
        return;
      }
      // A link to a directory that is being read would never end.
      if (ancestors.includes(entry.real)) return;
      for (const name of entry.names) visit(join(relative, name), [...ancestors, entry.real]);
    };
    visit("", []);
    return found;
  }

  /** Returns the place on disk of a path below the store's directory. */
  private real(path: string): string {
    return `${this.view.realStoreDir}${path.slice(this.view.storeDir.length)}`;
  }

  /** Follows every link of a logical path. */
  private resolve(path: string): { readonly path: string; readonly outside: boolean } | undefined {
    let done = "";
    let todo = normalize(path)
      .split("/")
      .filter((part) => part !== "");
    for (let links = 0; todo.length > 0; ) {
      const part = todo[0] ?? "";
      todo = todo.slice(1);
      if (part === "..") {
        done = done.slice(0, Math.max(0, done.lastIndexOf("/")));
        continue;
      }
      if (part === ".") continue;
      const next = `${done}/${part}`;
      const { storeDir } = this.view;
      if (!next.startsWith(`${storeDir}/`)) {
        done = next;
        continue;
      }
      const stat = lstatSync(this.real(next), { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      if (!stat.isSymbolicLink()) {
        done = next;
        continue;
      }
      links++;
      if (links > maxLinks) return undefined;
      const target = readlinkSync(this.real(next), "latin1");
      const parts = target.split("/").filter((name) => name !== "");
      if (target.startsWith("/")) {
        const inside = this.inside(target);
        if (inside === undefined) return { path: target, outside: true };
        done = "";
        todo = [...inside.split("/").filter((name) => name !== ""), ...todo];
      } else todo = [...parts, ...todo];
    }
    return { path: done, outside: !`${done}/`.startsWith(`${this.view.storeDir}/`) };
  }

  /** Returns the place that an absolute link's target has for this generation; undefined when that is not in the store. */
  private inside(target: string): string | undefined {
    if (target.startsWith(`${this.view.storeDir}/`)) return target;
    const match =
      /^\/(?:run\/(?:current|booted)-system|(etc)\/static|(etc)|(usr)|(bin|sbin|lib|lib32|lib64|libx32))(\/.*)?$/.exec(
        target,
      );
    if (match === null) return undefined;
    const [, staticEtc, etc, usr, merged, rest = ""] = match;
    if (staticEtc !== undefined || etc !== undefined) return `${this.path}/etc${rest}`;
    if (usr !== undefined) return `${this.path}/usr${rest}`;
    if (merged !== undefined) return `${this.path}/usr/${merged}${rest}`;
    return `${this.path}${rest}`;
  }
}
